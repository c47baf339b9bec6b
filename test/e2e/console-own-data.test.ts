// The console's pages about the person's own data and sign-in, in a real browser: consents, export, erasure with its certificate,
// password, second factor and sessions.
import { readFile } from 'node:fs/promises'
import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { signInWith } from '../support/account-pages.ts'
import { goodPassword, signUp } from '../support/accounts-over-http.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import {
  demoUser,
  expectAccessible,
  openDemoTab,
  openTab,
  review,
  showsHeading,
  startConsole,
} from '../support/console-page.ts'
import { type Edge, expectStatus } from '../support/edge.ts'

const browserPath = browserOrReason()

describe.skipIf(browserPath === null)('The settings of a person', () => {
  let edge: Edge
  let browser: Browser

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    edge = await startConsole()
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
  })

  const openDemo = () => openDemoTab(browser, edge.url)
  const go = async (page: Page, path: string, title: string): Promise<void> => {
    await page.goto(`${edge.url}${path}`)
    await showsHeading(page, title)
  }

  test('a consent that is withdrawn stops the sums at once', async () => {
    const { page, mishaps } = await openDemo()
    mishaps.expect(/^403 \/api\/v1\/insights\//)
    await go(page, '/settings', 'Privacy')
    const insights = page.getByRole('checkbox', { name: 'Add up my accounts and transactions' })
    await insights.uncheck()
    await page.getByText('Saved. It holds from now on.').waitFor()
    await review(page, 'privacy')
    const refused = await edge.as(demoUser)('GET', '/api/v1/insights/spending')
    expect(refused.status).toBe(403)
    await page.goto(`${edge.url}/spending`)
    await page.getByRole('heading', { name: 'Sums are switched off' }).waitFor()
    await review(page, 'spending-off')
    await page.getByRole('link', { name: 'Change your privacy choices' }).click()
    await insights.check()
    await page.getByText('Saved. It holds from now on.').waitFor()
    expectStatus(await edge.as(demoUser)('GET', '/api/v1/insights/spending'), 200)
  })

  test('the export is saved when it is complete, and not when it breaks off', async () => {
    const { page } = await openDemo()
    await go(page, '/settings', 'Privacy')
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download as JSON lines' }).click()
    const lines = (await readFile(await (await saved).path(), 'utf8')).trimEnd().split('\n')
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ complete: true })
    await page.getByText(/^Complete: /).waitFor()

    let downloads = 0
    page.on('download', () => void (downloads += 1))
    const isExport = (url: URL): boolean => url.pathname === '/api/v1/privacy/export'
    await page.route(isExport, (request) =>
      request.fulfill({ status: 200, contentType: 'application/jsonl', body: lines.slice(0, -1).join('\n') }),
    )
    await page.getByRole('button', { name: 'Download as JSON lines' }).click()
    await page.getByText('The export broke off before its end.').waitFor()
    await page.getByRole('button', { name: 'Download as CSV' }).click()
    await page.getByText('The export broke off before its end.').waitFor()
    expect(downloads).toBe(0)
    await page.unroute(isExport)
    const archive = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download as CSV' }).click()
    expect((await archive).suggestedFilename()).toMatch(/^wealthnavigator-.*\.zip$/)
  })

  test('the demo user reads why there is nothing to secure', async () => {
    const { page } = await openDemo()
    await go(page, '/settings/security', 'Security')
    await page.getByRole('heading', { name: 'The demo user has no password' }).waitFor()
    expect(await page.getByLabel('Current password').count()).toBe(0)
    await review(page, 'security-demo')
  })

  test('an account changes its password, turns a second factor on and off, and ends sessions', async () => {
    const email = 'owner@example.com'
    const other = await signUp(edge, email)
    const { page, mishaps } = await openTab(browser, edge.url)
    // A wrong password, and the session that ended with all others.
    mishaps.expect(/^401 \/api\/v1\/auth\/password\/change$/)
    await signInWith(page, email, goodPassword)
    await showsHeading(page, 'Overview')
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'Security' }).click()
    await showsHeading(page, 'Security')

    const sessions = page.getByRole('button', { name: /^End the session of/ })
    await sessions.waitFor()
    expect(await page.locator('summary').filter({ hasText: 'Ids of the session' }).count()).toBe(2)
    await review(page, 'security')
    await sessions.click()
    await sessions.waitFor({ state: 'detached' })
    expect((await other.call('GET', '/api/v1/auth/sessions')).status).toBe(401)

    const next = `${goodPassword} of mine`
    await page.getByLabel('Current password').fill('a wrong password')
    await page.getByLabel('New password').fill(next)
    await page.getByRole('button', { name: 'Change the password' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Current password').fill(goodPassword)
    await page.getByRole('button', { name: 'Change the password' }).click()
    await page.getByText('Changed. Every other session has ended.').waitFor()

    await page.getByText('Set up an authenticator app').click()
    await page.getByLabel('Password', { exact: true }).first().fill(next)
    await page.getByRole('button', { name: 'Get a secret' }).click()
    const secret = (await page.locator('.copy', { hasText: 'Secret' }).locator('code').textContent()) ?? ''
    await review(page, 'security-enroll')
    await page.getByLabel('Code that the app shows').fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate())
    await page.getByRole('button', { name: 'Turn the second factor on' }).click()
    await page.getByText('The second factor is on.').waitFor()
    const codes = await page.locator('.codes code').allTextContents()
    expect(codes).toHaveLength(10)
    await review(page, 'security-codes')

    // The code of the step after, because each step is accepted once.
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('E-mail').waitFor()
    mishaps.expect(/^401 \/api\/v1\/auth\/login$/)
    await signInWith(page, email, next)
    await page.getByText('This account has a second factor.').waitFor()
    await review(page, 'sign-in-code')
    const factor = page.getByLabel('Code from your authenticator app')
    await factor.fill('000000')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('alert').getByText('The code is wrong, was used before').waitFor()
    await expectAccessible(page)
    const later = { timestamp: Date.now() + 30_000 }
    await factor.fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate(later))
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await showsHeading(page, 'Security')

    await page.getByText('Turn it off').click()
    await page.getByLabel('Password', { exact: true }).last().fill(next)
    await page.getByLabel('Code from the app, or a recovery code').fill(codes[0] ?? '')
    await page.getByRole('button', { name: 'Turn the second factor off' }).click()
    await page.getByText('The second factor is off.').waitFor()

    await page.getByRole('button', { name: 'End all…' }).click()
    await page.getByRole('dialog').getByText('You are signed out here').waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'End all sessions' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('everything is erased after a typed confirmation, and the certificate needs no session', async () => {
    const bank = await edge.link(demoUser)
    await edge.settled()
    const { page, mishaps } = await openDemo()
    mishaps.expect(/^401 \/api\/v1\//)
    await go(page, '/settings', 'Privacy')
    await page.getByRole('button', { name: 'Erase everything…' }).click()
    const dialog = page.getByRole('dialog')
    const confirm = dialog.getByRole('button', { name: 'Erase everything' })
    expect(await confirm.isDisabled()).toBe(true)
    await dialog.getByLabel(/Type/).fill('erase')
    expect(await confirm.isDisabled()).toBe(true)
    await dialog.getByLabel(/Type/).fill('erase everything')
    await review(page, 'erase')
    // Meanwhile the page asks for something else, and is refused with a new token too: the dialog stays.
    let refused = 0
    let isOpen = false
    page.on('response', (response) => void (refused += response.status() === 401 ? 1 : 0))
    await page.route('**/api/v1/privacy/erase', async (request) => {
      const response = await request.fetch()
      await vi.waitFor(
        async () => {
          await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
          if (refused < 2) throw new Error(`refused ${refused} times`)
        },
        { timeout: 20_000, interval: 200 },
      )
      await page.waitForTimeout(300)
      isOpen = await dialog.isVisible()
      await request.fulfill({ response })
    })
    await confirm.click()
    await showsHeading(page, 'Everything is erased')
    expect(isOpen).toBe(true)
    await page.getByRole('button', { name: 'Download the certificate' }).waitFor()
    await review(page, 'erased')
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the certificate' }).click()
    expect(await readFile(await (await saved).path(), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    await page.reload()
    await showsHeading(page, 'Everything is erased')
    expect((await edge.as(demoUser)('GET', '/api/v1/accounts')).status).toBe(401)
    expect(await edge.sql(`select id from items where id = '${bank.id}'`)).toEqual([])
  })
})
