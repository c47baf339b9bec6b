// Link's pages of the simulator in a real browser, through the Worker: Hosted Link by mouse and by keyboard, and an
// application's own page with link-initialize.js.
import type { Browser, FrameLocator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type ApplicationPage, startApplicationPage } from '../support/application-page.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { type Edge, expectStatus, startEdge } from '../support/edge.ts'

const browserPath = browserOrReason()

const created = z.object({ link_token: z.string(), hosted_link_url: z.string().optional() })
const itemList = z.object({
  data: z.array(z.object({ institution: z.object({ name: z.string() }), status: z.string() })),
})
const accountList = z.object({ data: z.array(z.object({ name: z.string() })) })

describe.skipIf(browserPath === null)('Link in a browser', () => {
  let edge: Edge
  let browser: Browser
  let application: ApplicationPage
  let returnUrl: string
  /** What a page must never do: errors in the console, and requests to other machines. */
  const pageErrors: string[] = []

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    application = await startApplicationPage()
    returnUrl = `${application.url}/connect/return`
    edge = await startEdge({
      simulator: { historyDelayMs: { initial: 50, historical: 100 } },
      variables: { PLAID_COMPLETION_REDIRECT_URIS: returnUrl, PLAID_PRODUCTS: 'transactions' },
    })
    application.useSimulator(edge.simulator.url)
  })
  afterAll(async () => {
    await browser.close()
    await application.stop()
    await edge.stop()
  })

  beforeEach(() => {
    pageErrors.length = 0
  })

  async function openTab(url: string): Promise<Page> {
    const context = await browser.newContext()
    const page = await context.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error') pageErrors.push(message.text())
    })
    page.on('pageerror', (error) => void pageErrors.push(error.message))
    page.on('request', (request) => {
      if (new URL(request.url()).hostname !== '127.0.0.1') pageErrors.push(request.url())
    })
    await page.goto(url)
    return page
  }

  const linkToken = async (subject: string, body: object) =>
    created.parse(expectStatus(await edge.as(subject)('POST', '/api/v1/plaid/link/token/create', { body }), 200).json())

  const hosted = async (subject: string): Promise<string> => {
    const body = { hosted: true, hosted_link: { completion_redirect_uri: returnUrl } }
    return (await linkToken(subject, body)).hosted_link_url ?? ''
  }

  /**
   * Waits until the user's only item is of this bank and has so many accounts. In Hosted Link, the Worker exchanges the
   * public token that the session's webhook brings.
   */
  const expectLinked = async (subject: string, bank: string, accounts: number): Promise<void> => {
    const call = edge.as(subject)
    const read = async () => {
      const items = itemList.parse((await call('GET', '/api/v1/plaid/items')).json())
      const list = accountList.parse((await call('GET', '/api/v1/accounts')).json())
      return [items.data.map(({ institution }) => institution.name), list.data.length]
    }
    await expect.poll(read, { timeout: 60_000, interval: 200 }).toEqual([[bank], accounts])
  }

  const logIn = async (frame: FrameLocator, username: string): Promise<void> => {
    await frame.getByLabel('User name').fill(username)
    await frame.getByLabel('Password').fill('pass_good')
    await frame.getByRole('button', { name: 'Log in' }).click()
  }

  test('a user links a bank by mouse on the hosted page, and the Worker has its accounts', async () => {
    const page = await openTab(await hosted('by mouse'))
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'First Gingham Credit Union' }).click()
    await page.getByLabel('User name').fill('user_good')
    await page.getByLabel('Password').fill('pass_good')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('checkbox').first().uncheck()
    const kept = await page.getByRole('checkbox', { checked: true }).count()
    await page.getByRole('button', { name: 'Share the accounts' }).click()
    await page.waitForURL(returnUrl)
    await expectLinked('by mouse', 'First Gingham Credit Union', kept)
    expect(pageErrors).toEqual([])
  })

  test('a user links a bank by keyboard alone, through the page of a bank with OAuth', async () => {
    const page = await openTab(await hosted('by keyboard'))
    const { keyboard } = page
    const heading = async (name: string | RegExp): Promise<void> => await page.getByRole('heading', { name }).waitFor()
    const focused = async (): Promise<string> =>
      await page.evaluate(
        () => document.activeElement?.textContent?.replaceAll(/\s+/g, ' ').trim() || document.activeElement?.id || '',
      )
    const tabTo = async (text: string): Promise<void> => {
      for (let presses = 0; presses < 40 && !(await focused()).startsWith(text); presses += 1)
        await keyboard.press('Tab')
      expect(await focused()).toMatch(new RegExp(`^${text}`))
    }
    await heading('uses Plaid')
    await keyboard.press('Enter')
    await heading('Choose your bank')
    await keyboard.type('oauth')
    await keyboard.press('Enter')
    await page.waitForURL(/q=oauth/)
    await tabTo('P Platypus OAuth Bank')
    await keyboard.press('Enter')
    await heading('Log in on the page of Platypus OAuth Bank')
    await keyboard.press('Enter')
    // Not the page before it, whose heading begins alike: what is typed there is lost.
    await heading(/^Log in$/)
    await keyboard.type('user_good')
    await keyboard.press('Tab')
    await keyboard.type('pass_good')
    await keyboard.press('Enter')
    await heading('Allow ')
    await tabTo('Allow')
    await keyboard.press('Enter')
    await page.waitForURL(returnUrl)
    await expectLinked('by keyboard', 'Platypus OAuth Bank', 3)
    expect(pageErrors).toEqual([])
  })

  type Calls = [string, ...unknown[]][]
  const callsOf = async (page: Page): Promise<Calls> => await page.evaluate(() => Reflect.get(window, 'calls') as Calls)
  const called = async (page: Page, name: string): Promise<unknown[]> => {
    await expect.poll(async () => (await callsOf(page)).some(([each]) => each === name), { timeout: 20_000 }).toBe(true)
    return (await callsOf(page)).find(([each]) => each === name) ?? []
  }
  const eventMetadata = z.object({ view_name: z.string().nullable() })
  const eventsOf = async (page: Page): Promise<unknown[]> =>
    (await callsOf(page))
      .filter(([name]) => name === 'onEvent')
      .map(([, event, metadata]) => eventMetadata.parse(metadata).view_name ?? event)
  const start = async (page: Page, token: string): Promise<void> => {
    await page.evaluate((text) => Reflect.get(window, 'start')(text), token)
  }

  test('the page of an application links a bank with link-initialize.js, and exchanges the public token', async () => {
    const page = await openTab(application.url)
    const { link_token } = await linkToken('by SDK', {})
    await start(page, link_token)
    const frame = page.frameLocator('#plaid-link-simulator iframe')
    await frame.getByRole('button', { name: 'Continue' }).click()
    await frame.getByRole('button', { name: 'First Platypus Bank' }).click()
    await logIn(frame, 'user_good')
    await frame.getByRole('button', { name: 'Share the accounts' }).click()
    const [, public_token, metadata] = await called(page, 'onSuccess')
    const { institution, accounts } = z
      .strictObject({
        institution: z.strictObject({ name: z.string(), institution_id: z.string() }),
        accounts: z.array(
          z.strictObject({
            id: z.string(),
            name: z.string(),
            mask: z.string().nullable(),
            type: z.string(),
            subtype: z.string(),
            verification_status: z.null(),
            class_type: z.null(),
          }),
        ),
        link_session_id: z.string(),
        transfer_status: z.null(),
      })
      .parse(metadata)
    expect(await eventsOf(page)).toEqual([
      'OPEN',
      'CONSENT',
      'SELECT_INSTITUTION',
      'SELECT_INSTITUTION',
      'CREDENTIAL',
      'SUBMIT_CREDENTIALS',
      'SELECT_ACCOUNT',
      'CONNECTED',
      'HANDOFF',
    ])
    expect(await page.locator('#plaid-link-simulator').count()).toBe(0)
    const body = { public_token, link_token, institution, accounts }
    expectStatus(await edge.as('by SDK')('POST', '/api/v1/plaid/item/public_token/exchange', { body }), 201)
    await expectLinked('by SDK', 'First Platypus Bank', accounts.length)
    expect(pageErrors).toEqual([])
  })

  test('a user who presses Escape and leaves ends Link with onExit, and destroy removes it without a call', async () => {
    const page = await openTab(application.url)
    const { link_token } = await linkToken('who leaves', {})
    await start(page, link_token)
    const frame = page.frameLocator('#plaid-link-simulator iframe')
    await frame.getByRole('button', { name: 'Continue' }).click()
    await frame.getByRole('heading', { name: 'Choose your bank' }).waitFor()
    await frame.getByRole('searchbox').press('Escape')
    await frame.getByRole('button', { name: 'Leave' }).click()
    const [, error, metadata] = await called(page, 'onExit')
    expect(error).toBe(null)
    expect(metadata).toMatchObject({ institution: null, status: 'requires_credentials' })

    await start(page, link_token)
    await frame.getByRole('button', { name: 'Continue' }).waitFor()
    await page.evaluate(() => Reflect.get(window, 'handler').exit({ force: true }))
    await expect.poll(async () => (await callsOf(page)).filter(([name]) => name === 'onExit').length).toBe(2)

    await start(page, link_token)
    await frame.getByRole('button', { name: 'Continue' }).waitFor()
    const before = (await callsOf(page)).length
    await page.evaluate(() => Reflect.get(window, 'handler').destroy())
    expect([await page.locator('dialog').count(), (await callsOf(page)).length]).toEqual([0, before])
    expect(pageErrors).toEqual([])
  })

  test('a bank with OAuth sends the browser to the redirect URI, where receivedRedirectUri finishes Link', async () => {
    const page = await openTab(application.url)
    const { link_token } = await linkToken('by OAuth', { redirect_uri: `${application.url}/oauth` })
    await start(page, link_token)
    const frame = page.frameLocator('#plaid-link-simulator iframe')
    await frame.getByRole('button', { name: 'Continue' }).click()
    await frame.getByRole('button', { name: 'Platypus OAuth Bank' }).click()
    await frame.getByRole('button', { name: 'Continue to your bank' }).click()
    await page.waitForURL(/\/bank\//)
    await page.getByLabel('User name').fill('user_good')
    await page.getByLabel('Password').fill('pass_good')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(/\/oauth\?oauth_state_id=/)
    const [, , metadata] = await called(page, 'onSuccess')
    expect(metadata).toMatchObject({ institution: { name: 'Platypus OAuth Bank' } })
    expect(pageErrors).toEqual([])
  })
})
