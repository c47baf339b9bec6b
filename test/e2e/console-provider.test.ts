// Sign-in to the console with a real identity provider, in a real browser.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import type { Edge } from '../support/edge.ts'
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts'

const browserPath = browserOrReason()

describe.skipIf(browserPath === null)('A sign-in with an identity provider', () => {
  let provider: IdentityProvider
  let edge: Edge
  let browser: Browser

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    provider = await startIdentityProvider()
    edge = await startConsole({ variables: provider.variables })
    provider.register(edge.url)
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
    await provider.stop()
  })

  const begin = async (page: Page): Promise<void> => await signInLink(page).click()

  /** At the provider's page. */
  async function giveName(page: Page, name: string): Promise<void> {
    await page.getByLabel('Name').fill(name)
    await page.getByRole('button', { name: 'Continue' }).click()
  }

  /** Of the console; the provider on the same host has its own. */
  const cookieNames = async (context: BrowserContext): Promise<string[]> =>
    (await context.cookies())
      .map(({ name }) => name.replace(/sign_in_.*/, 'sign_in'))
      .filter((name) => name.startsWith('console_'))
      .toSorted()

  const signInLink = (page: Page) => page.getByRole('link', { name: 'Continue to sign in' })
  const isSignedOut = async (page: Page): Promise<void> => await signInLink(page).waitFor()

  /** A new browser that has signed in. */
  async function signedIn(name: string): Promise<Page> {
    const { page } = await openTab(browser, edge.url)
    await begin(page)
    await giveName(page, name)
    await showsHeading(page, 'Overview')
    return page
  }

  /** The callback with a code that was not redeemed: the browser that gets it has lost its cookie. */
  async function unusedCallback(name: string): Promise<string> {
    const { page } = await openTab(browser, edge.url)
    const { promise, resolve } = Promise.withResolvers<string>()
    page.on('request', (request) => {
      if (request.url().includes('/console/callback')) resolve(request.url())
    })
    await begin(page)
    await page.context().clearCookies({ name: /^console_/ })
    await giveName(page, name)
    return await promise
  }

  test('leads through the provider back to the page that was asked for, lasts over a reload, and ends everywhere', async () => {
    const { page } = await openTab(browser, `${edge.url}/transactions?q=rent`)
    const addresses: string[] = []
    page.on('framenavigated', (frame) => addresses.push(frame.url()))
    await isSignedOut(page)
    await review(page, 'sign-in-provider')
    await begin(page)
    await giveName(page, 'ada')
    await page.waitForURL(`${edge.url}/transactions?q=rent`)
    await showsHeading(page, 'Transactions')
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]))
    expect(kept).toBe('[{},{},""]')
    expect(await cookieNames(page.context())).toEqual(['console_browser', 'console_session_0'])
    expect(provider.requests).toContain('POST /token')

    await page.reload()
    await showsHeading(page, 'Transactions')
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'Security' }).click()
    await page.getByText('Your identity provider keeps your password').waitFor()

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Yes' }).click()
    await page.waitForURL(`${edge.url}/`)
    await isSignedOut(page)
    expect(provider.requests).toContain('POST /token/revocation')
    expect(await cookieNames(page.context())).toEqual([])
    await page.reload()
    await isSignedOut(page)
    // The provider has ended its own session too: it asks for the name again.
    await begin(page)
    await page.getByLabel('Name').waitFor()
    const ours = addresses.filter((address) => address.startsWith(edge.url))
    expect(ours.filter((address) => /code=|token|eyJ/.test(address))).toEqual([])
  }, 240_000)

  test('says that the provider did not let the person in, and not what the provider wrote', async () => {
    const { page } = await openTab(browser, `${edge.url}/accounts`)
    await begin(page)
    await page.getByRole('button', { name: 'Refuse' }).click()
    await page.getByRole('alert').getByText('did not let you in').waitFor()
    expect(page.url()).toBe(`${edge.url}/?sign_in_problem=denied`)
    expect(await page.textContent('body')).not.toContain('The person refused.')
    await review(page, 'sign-in-provider-denied')
    expect(await cookieNames(page.context())).toEqual([])
    await begin(page)
    await giveName(page, 'second thoughts')
    await page.waitForURL(`${edge.url}/`)
    await showsHeading(page, 'Overview')
  }, 240_000)

  test('does not sign a victim in by a callback of the attacker', async () => {
    const callback = await unusedCallback('attacker')
    const { page } = await openTab(browser, callback)
    await page.getByRole('alert').getByText('began in another window').waitFor()
    expect(await cookieNames(page.context())).toEqual([])
    await page.reload()
    await isSignedOut(page)
  }, 240_000)

  test('does not accept a callback twice, even with the cookie that the first one ended', async () => {
    const { page } = await openTab(browser, edge.url)
    const context = page.context()
    const callbacks: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/console/callback')) callbacks.push(request.url())
    })
    await begin(page)
    const stolen = (await context.cookies()).filter(({ name }) => name.startsWith('console_sign_in_'))
    expect(stolen.length).toBe(1)
    await giveName(page, 'replayed')
    await showsHeading(page, 'Overview')
    expect(await cookieNames(context)).toEqual(['console_browser', 'console_session_0'])
    const [callback = ''] = callbacks
    await context.clearCookies({ name: /^console_/ })
    await context.addCookies(stolen)
    await page.goto(callback)
    await page.getByRole('alert').getByText('took too long, or it began in another window').waitFor()
    expect(await cookieNames(context)).toEqual([])
  }, 240_000)

  test('completes in two tabs that began it at the same time, and both stay signed in', async () => {
    const { page } = await openTab(browser, `${edge.url}/accounts`)
    const second = await page.context().newPage()
    await second.goto(`${edge.url}/banks`)
    await begin(page)
    await page.getByLabel('Name').waitFor()
    await begin(second)
    await second.getByLabel('Name').waitFor()
    expect(await cookieNames(page.context())).toEqual(['console_sign_in', 'console_sign_in'])
    await giveName(page, 'two tabs')
    await showsHeading(page, 'Accounts')
    await second.goto(`${edge.url}/banks`)
    await showsHeading(second, 'Banks')
    // Both ask for a token at once; the provider ends a session whose refresh token comes twice.
    await Promise.all([page.reload(), second.reload()])
    await Promise.all([showsHeading(page, 'Accounts'), showsHeading(second, 'Banks')])
    await Promise.all([page.reload(), second.reload()])
    await Promise.all([showsHeading(page, 'Accounts'), showsHeading(second, 'Banks')])
  }, 240_000)

  test('gives no token to a page of another origin, or to a cookie without its browser', async () => {
    const page = await signedIn('guarded')
    const cookies = await page.context().cookies(`${edge.url}/console/session`)
    const header = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const ask = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await edge.call('POST', '/console/session', { headers })).status
    expect(await ask({ cookie: header })).toBe(403)
    expect(await ask({ cookie: header, origin: 'https://evil.test' })).toBe(403)
    expect(await ask({ cookie: header, origin: edge.url, 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await ask({ cookie: header, origin: edge.url, 'sec-fetch-site': 'same-site' })).toBe(403)
    const stolen = header.replace(/console_browser=[^;]*/, `console_browser=${'A'.repeat(43)}`)
    expect(await ask({ cookie: stolen, origin: edge.url })).toBe(401)
    expect(await ask({ cookie: `${header}; ${header}`, origin: edge.url })).toBe(204)
    expect(await ask({ cookie: header, origin: edge.url })).toBe(200)
    expect(await ask({ origin: edge.url })).toBe(204)
  }, 240_000)

  test('logs no token and no code', async () => {
    await signedIn('logged')
    await vi.waitFor(() => expect(edge.lines().join('\n')).toContain('/console/callback'))
    const lines = edge.lines().join('\n')
    expect(provider.issued.length).toBeGreaterThan(2)
    expect(provider.issued.filter((secret) => lines.includes(secret))).toEqual([])
    expect(lines).not.toMatch(/eyJ|code=|wn1\./)
    const line = edge.lines().find((each) => each.includes('/console/callback') && each.includes('"user":"'))
    expect(line).toBeDefined()
    expect(line).not.toContain('logged')
  }, 120_000)

  test('does not exist without a client at the provider, or without the console', async () => {
    for (const variables of [
      { CONSOLE_OIDC_CLIENT_ID: '', CONSOLE_OIDC_CLIENT_SECRET: '', CONSOLE_OIDC_PARAMETERS: '' },
      { CONSOLE: 'off' },
    ]) {
      const { url } = await edge.startAnother(variables)
      for (const [method, path] of [
        ['GET', '/console/sign-in'],
        ['GET', '/console/callback'],
        ['POST', '/console/session'],
        ['POST', '/console/session/end'],
      ] as const)
        expect([path, (await edge.callTo(url)(method, path, { headers: { origin: url } })).status]).toEqual([path, 404])
    }
  }, 120_000)

  test('cannot be begun by another page, and leads to pages of the console alone', async () => {
    const begun = async (path: string, headers = {}) => {
      const { status, headers: given } = await edge.call('GET', path, { headers })
      return [status, given.get('location') ?? '', given.getSetCookie().length] as const
    }
    expect(await begun('/console/sign-in', { 'sec-fetch-site': 'cross-site' })).toEqual([303, `${edge.url}/`, 0])
    const [status, location, cookies] = await begun('/console/sign-in?return=https://evil.test/')
    expect([status, cookies]).toEqual([303, 1])
    expect(location.startsWith(`${provider.issuer}/auth?`)).toBe(true)
    expect(location).not.toContain('evil')
  })
})
