// The console's pages about spending, investments, debts and the person's own data, in a real browser: empty, with data, after a
// failure, and what each button does.
import { readFile } from 'node:fs/promises'
import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { goodPassword, signUp } from '../support/accounts-over-http.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, expectAccessible, expectNoOverflow, openTab, review, startConsole } from '../support/console-page.ts'
import { type Edge, expectStatus, type Linked } from '../support/edge.ts'

const browserPath = browserOrReason()

/** Each page, with its heading and what it says without data. */
const areas = [
  { name: 'spending', path: '/spending', title: 'Spending', empty: 'Nothing was spent yet' },
  { name: 'cash-flow', path: '/spending/cash-flow', title: 'Cash flow', empty: 'No money has moved yet' },
  { name: 'recurring', path: '/spending/recurring', title: 'Recurring', empty: 'Nothing recurs yet' },
  { name: 'investments', path: '/investments', title: 'Investments', empty: 'There are no holdings' },
  { name: 'activity', path: '/investments/activity', title: 'Investment activity', empty: 'There is no activity' },
  { name: 'debts', path: '/debts', title: 'Debts', empty: 'There are no debts' },
  { name: 'trail', path: '/settings/activity', title: 'Activity', empty: null },
] as const

/** The request that each page needs most. */
const routes: Readonly<Record<string, string>> = {
  spending: '/api/v1/insights/cash-flow',
  'cash-flow': '/api/v1/insights/cash-flow',
  recurring: '/api/v1/transactions/recurring',
  investments: '/api/v1/holdings',
  activity: '/api/v1/investments/transactions',
  debts: '/api/v1/liabilities',
  trail: '/api/v1/audit',
}

const heading = async (page: Page, name: string | RegExp): Promise<void> =>
  await page.getByRole('heading', { level: 1, name }).waitFor({ timeout: 30_000 })

describe.skipIf(browserPath === null)('The pages of the console', () => {
  let edge: Edge
  let browser: Browser
  let bank: Linked

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    edge = await startConsole()
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
  })

  const openDemo = async (): Promise<{ page: Page; mishaps: string[] }> => {
    const tab = await openTab(browser, edge.url)
    await tab.page.getByRole('button', { name: 'Continue as demo user' }).click()
    await heading(tab.page, 'Overview')
    return tab
  }
  const go = async (page: Page, path: string, title: string | RegExp): Promise<void> => {
    await page.goto(`${edge.url}${path}`)
    await heading(page, title)
  }
  const get = async <Body>(path: string, body: z.ZodType<Body>): Promise<Body> =>
    body.parse(expectStatus(await edge.as(demoUser)('GET', path), 200).json())
  /** The exact amounts of the page, as the API writes them. */
  const amounts = async (page: Page): Promise<string[]> =>
    await page.locator('main data').evaluateAll((all) => all.map((each) => each.getAttribute('value') ?? ''))

  test('each page says what will be there before a bank is connected', async () => {
    const { page, mishaps } = await openDemo()
    for (const { name, path, title, empty } of areas) {
      if (empty === null) continue
      await go(page, path, title)
      await page.getByRole('heading', { level: 2, name: empty }).waitFor()
      await expectAccessible(page)
      if (name === 'spending' || name === 'investments') await review(page, `${name}-empty`)
    }
    expect(mishaps).toEqual([])
  })

  test('each page shows the data of the bank with all of their digits', async () => {
    bank = await edge.link(demoUser)
    await edge.settled()
    const { page, mishaps } = await openDemo()
    for (const { name, path, title } of areas) {
      await go(page, path, title)
      await page.locator('main .card').first().waitFor()
      await page.locator('main .skeleton').first().waitFor({ state: 'detached' })
      await review(page, name)
    }
    const holdings = z.object({ data: z.array(z.object({ institution_value: z.string() })) })
    const { data } = await get('/api/v1/holdings', holdings)
    await go(page, '/investments', 'Investments')
    await page.getByRole('table').first().waitFor()
    const shown = await amounts(page)
    for (const { institution_value: value } of data) expect(shown).toContain(value)
    expect(data.length).toBeGreaterThan(0)
    expect(mishaps).toEqual([])
  })

  test('a month is chosen by keyboard, is in the address, and its categories lead to their transactions', async () => {
    const { page, mishaps } = await openDemo()
    await go(page, '/spending', 'Spending')
    const slider = page.getByRole('slider', { name: /Spending by month/ })
    await slider.focus()
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => new URL(page.url()).searchParams.get('month')).toMatch(/^\d{4}-\d{2}$/)
    const month = new URL(page.url()).searchParams.get('month') ?? ''
    const table = page.getByRole('table', { name: /Spending by category/ })
    await table.waitFor()
    const sums = z.object({ data: z.array(z.object({ total: z.string(), category: z.string().nullable() })) })
    const last = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).toISOString().slice(0, 10)
    const { data } = await get(`/api/v1/insights/spending?from=${month}-01&to=${last}`, sums)
    const shown = await amounts(page)
    for (const { total } of data) expect(shown).toContain(total)
    await table.getByRole('link').first().click()
    await heading(page, 'Transactions')
    expect(new URL(page.url()).searchParams.get('from')).toBe(`${month}-01`)
    await page.locator('.transaction').first().waitFor()
    expect(mishaps).toEqual([])
  })

  test('the cash flow of weeks has a bar and a row for each week', async () => {
    const { page, mishaps } = await openDemo()
    await go(page, '/spending/cash-flow?by=week', 'Cash flow')
    await page.getByRole('slider', { name: /Cash flow/ }).waitFor()
    expect(await page.locator('main tbody tr').count()).toBe(12)
    await review(page, 'cash-flow-week')
    expect(mishaps).toEqual([])
  })

  test('each page says why its data did not come, and asks again', async () => {
    const { page } = await openDemo()
    for (const { name, path, title } of areas) {
      const route = routes[name] ?? ''
      const isIt = (url: URL): boolean => url.pathname === route
      const body = JSON.stringify({ code: 'internal', title: 'Internal error', detail: 'It broke.', status: 500 })
      await page.route(isIt, (request) =>
        request.fulfill({ status: 500, contentType: 'application/problem+json', body }),
      )
      await go(page, path, title)
      await page.getByRole('alert').first().waitFor()
      await page.unroute(isIt)
      await page.getByRole('button', { name: 'Try again' }).first().click()
      await page.getByRole('alert').first().waitFor({ state: 'detached' })
      await page.locator('main .card').first().waitFor()
    }
  })

  test('possible duplicates are shown side by side, and one decision settles each', async () => {
    const [first, second] = await edge.sql(
      `select a.id from accounts a join items i on i.id = a.item_id where i.id = '${bank.id}' order by a.name`,
    )
    await edge.sql(
      `update accounts set duplicate_of = '${first?.['id'] ?? ''}', duplicate_state = 'possible' where id = '${second?.['id'] ?? ''}'`,
    )
    const { page, mishaps } = await openDemo()
    await go(page, '/banks', 'Banks')
    await page.getByRole('link', { name: 'Review possible duplicates' }).click()
    await heading(page, 'Possible duplicates')
    await page.getByRole('button', { name: 'They are different' }).waitFor()
    await review(page, 'duplicates')
    await page.getByRole('button', { name: 'They are the same…' }).click()
    await page.getByRole('dialog').getByText('The account that counts keeps').waitFor()
    await review(page, 'duplicates-merge')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'They are different' }).click()
    await page.getByRole('heading', { name: 'There are no duplicates' }).waitFor()
    const [row] = await edge.sql(`select duplicate_state from accounts where id = '${second?.['id'] ?? ''}'`)
    expect(row?.['duplicate_state']).toBe('kept')
    expect(mishaps).toEqual([])
  })

  test('a consent that is withdrawn stops the sums at once', async () => {
    const { page, mishaps } = await openDemo()
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
    expect(mishaps.filter((text) => !text.includes('403'))).toEqual([])
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

  test('the demo user is told why there is nothing to secure', async () => {
    const { page, mishaps } = await openDemo()
    await go(page, '/settings/security', 'Security')
    await page.getByRole('heading', { name: 'The demo user has no password' }).waitFor()
    expect(await page.getByLabel('Current password').count()).toBe(0)
    await review(page, 'security-demo')
    expect(mishaps).toEqual([])
  })

  test('an account changes its password, turns a second factor on and off, and ends sessions', async () => {
    const email = 'owner@example.com'
    const other = await signUp(edge, email)
    const { page } = await openTab(browser, edge.url)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await heading(page, 'Overview')
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'Security' }).click()
    await heading(page, 'Security')

    const sessions = page.getByRole('button', { name: /^End the session of/ })
    await sessions.waitFor()
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

    await page.getByText('Turn it off').click()
    await page.getByLabel('Password', { exact: true }).last().fill(next)
    await page.getByLabel('Code from the app, or a recovery code').fill(codes[0] ?? '')
    await page.getByRole('button', { name: 'Turn the second factor off' }).click()
    await page.getByText('The second factor is off.').waitFor()

    await page.getByRole('button', { name: 'End all…' }).click()
    await page.getByRole('button', { name: 'End all sessions' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('everything is erased after a typed confirmation, and the certificate needs no session', async () => {
    const { page, mishaps } = await openDemo()
    await go(page, '/settings', 'Privacy')
    await page.getByRole('button', { name: 'Erase everything…' }).click()
    const dialog = page.getByRole('dialog')
    const confirm = dialog.getByRole('button', { name: 'Erase everything' })
    expect(await confirm.isDisabled()).toBe(true)
    await dialog.getByLabel(/Type/).fill('erase')
    expect(await confirm.isDisabled()).toBe(true)
    await dialog.getByLabel(/Type/).fill('erase everything')
    await review(page, 'erase')
    // Meanwhile the page asks for something else, and is refused: the certificate is shown all the same.
    await page.route('**/api/v1/privacy/erase', async (request) => {
      const response = await request.fetch()
      const refused = page.waitForResponse((each) => each.status() === 401)
      const ask = setInterval(() => {
        void page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
      }, 200)
      await refused
      clearInterval(ask)
      await request.fulfill({ response })
    })
    await confirm.click()
    await heading(page, 'Everything is erased')
    await page.getByRole('button', { name: 'Download the certificate' }).waitFor()
    await review(page, 'erased')
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the certificate' }).click()
    expect(await readFile(await (await saved).path(), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    await page.reload()
    await heading(page, 'Everything is erased')
    expect((await edge.as(demoUser)('GET', '/api/v1/accounts')).status).toBe(401)
    expect(await edge.sql(`select id from items where id = '${bank.id}'`)).toEqual([])
    await expectNoOverflow(page)
    expect(mishaps.filter((text) => !text.includes('401'))).toEqual([])
  })
})
