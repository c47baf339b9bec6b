// The console's pages about spending, investments, debts and duplicates, in a real browser: empty, with data, after a failure, and
// what each button does.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, expectAccessible, openDemoTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import { type Edge, expectStatus, type Linked } from '../support/edge.ts'

const browserPath = browserOrReason()
const accountList = z.object({ data: z.array(z.object({ id: z.string(), name: z.string() })) })
const editedAccount = z.object({ name: z.string(), hidden: z.boolean(), in_insights: z.boolean() })

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

/** The other pages, which say it too. */
const emptyPages = [
  { name: 'overview', path: '/', title: 'Overview', empty: 'Connect your first bank' },
  { name: 'banks', path: '/banks', title: 'Banks', empty: 'No bank is connected' },
  { name: 'accounts', path: '/accounts', title: 'Accounts', empty: 'There are no accounts yet' },
  { name: 'transactions', path: '/transactions', title: 'Transactions', empty: 'There are no transactions yet' },
  { name: 'filtered', path: '/transactions?q=nothing', title: 'Transactions', empty: 'Nothing matches' },
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

describe.skipIf(browserPath === null)('The pages about money', () => {
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

  const openDemo = () => openDemoTab(browser, edge.url)
  const go = async (page: Page, path: string, title: string): Promise<void> => {
    await page.goto(`${edge.url}${path}`)
    await showsHeading(page, title)
  }
  const get = async <Body>(path: string, body: z.ZodType<Body>): Promise<Body> =>
    body.parse(expectStatus(await edge.as(demoUser)('GET', path), 200).json())
  /** The exact amounts of the page, as the API writes them. */
  const amounts = async (page: Page): Promise<string[]> =>
    await page.locator('main data').evaluateAll((all) => all.map((each) => each.getAttribute('value') ?? ''))

  test('each page says what will be there before a bank is connected', async () => {
    const { page } = await openDemo()
    for (const { name, path, title, empty } of [...areas, ...emptyPages]) {
      if (empty === null) continue
      await go(page, path, title)
      await page.getByRole('heading', { level: 2, name: empty }).waitFor()
      await expectAccessible(page)
      if (name === 'spending' || name === 'investments') await review(page, `${name}-empty`)
    }
  })

  test('each page shows its cards, and the investments every digit', async () => {
    bank = await edge.link(demoUser)
    await edge.settled()
    const { page } = await openDemo()
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
  })

  test('a month is chosen by keyboard, is in the address, and its categories lead to their transactions', async () => {
    const { page } = await openDemo()
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
    await showsHeading(page, 'Transactions')
    expect(new URL(page.url()).searchParams.get('from')).toBe(`${month}-01`)
    await page.locator('.transaction').first().waitFor()
  })

  test('the cash flow of weeks has a bar and a row for each week', async () => {
    const { page } = await openDemo()
    await go(page, '/spending/cash-flow?by=week', 'Cash flow')
    await page.getByRole('slider', { name: /Cash flow/ }).waitFor()
    expect(await page.locator('main tbody tr').count()).toBe(12)
    await review(page, 'cash-flow-week')
  })

  test('each page says why its data did not come, and asks again', async () => {
    const { page, mishaps } = await openDemo()
    for (const { name, path, title } of areas) {
      const route = routes[name] ?? ''
      const isIt = (url: URL): boolean => url.pathname === route
      const body = JSON.stringify({ code: 'internal', title: 'Internal error', detail: 'It broke.', status: 500 })
      mishaps.expect(new RegExp(`^500 ${route}$`))
      await page.route(isIt, (request) =>
        request.fulfill({ status: 500, contentType: 'application/problem+json', body }),
      )
      await go(page, path, title)
      await page.getByRole('alert').first().waitFor()
      await page.unroute(isIt)
      await page.getByRole('button', { name: 'Try again' }).first().click()
      await page.getByRole('alert').first().waitFor({ state: 'detached' })
      await page.locator('main .card').first().waitFor()
      expect(await page.getByRole('alert').count()).toBe(0)
    }
  })

  test('an account gets another name, is hidden, and is left out of sums, in place', async () => {
    const [first] = (await get('/api/v1/accounts', accountList)).data
    const { page } = await openDemo()
    await go(page, `/accounts/${first?.id ?? ''}`, first?.name ?? '')
    await page.getByLabel('Name').fill('Household')
    await page.getByRole('button', { name: 'Save' }).click()
    await showsHeading(page, 'Household')
    await page.getByRole('checkbox', { name: /^Hide this account/ }).check()
    await page.getByRole('checkbox', { name: /^Count it/ }).uncheck()
    await expect
      .poll(async () => await get(`/api/v1/accounts/${first?.id ?? ''}`, editedAccount))
      .toEqual({ name: 'Household', hidden: true, in_insights: false })
    await review(page, 'account-edited')
  })

  test('every row has ids that are copied with one click, and leads to its neighbours', async () => {
    const { page } = await openDemo()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    for (const [path, title, label, list] of [
      ['/accounts', 'Accounts', 'Account', '/api/v1/accounts?include_hidden=true&'],
      ['/investments', 'Investments', 'Holding', '/api/v1/holdings?'],
      ['/investments/activity', 'Investment activity', 'Investment transaction', '/api/v1/investments/transactions?'],
      ['/spending/recurring', 'Recurring', 'Recurring stream', '/api/v1/transactions/recurring?'],
      ['/debts', 'Debts', 'Liability', '/api/v1/liabilities?'],
      ['/settings/activity', 'Activity', 'Audit row', '/api/v1/audit?'],
    ] as const) {
      await go(page, path, title)
      await page.locator('main details:has(.ids) > summary').first().click()
      await page
        .getByRole('button', { name: `Copy ${label}`, exact: true })
        .first()
        .click()
      await page.getByRole('button', { name: `Copied ${label}`, exact: true }).waitFor()
      const copied = await page.evaluate(() => navigator.clipboard.readText())
      const { data } = await get(`${list}limit=200`, z.object({ data: z.array(z.object({ id: z.string() })) }))
      expect(data.map(({ id }) => id)).toContain(copied)
      if (path === '/accounts' || path === '/investments/activity')
        await review(page, `ids${path.replaceAll('/', '-')}`)
    }
    await go(page, '/investments/activity', 'Investment activity')
    await page.locator('main details:has(.ids) > summary').first().click()
    await page.getByRole('link', { name: 'Its holdings' }).first().click()
    await showsHeading(page, 'Investments')
    const chosen = new URL(page.url()).searchParams.get('account_id')
    const tables = page.locator('main section.card table')
    await expect.poll(() => tables.count()).toBe(1)
    // Its own account keeps its rows while it is hidden; what is no id means all accounts.
    const owner = edge.as(demoUser)
    const hide = async (hidden: boolean): Promise<void> =>
      void expectStatus(await owner('PATCH', `/api/v1/accounts/${chosen ?? ''}`, { body: { hidden } }), 200)
    await hide(true)
    await page.reload()
    await tables.first().waitFor()
    expect(await tables.count()).toBe(1)
    await hide(false)
    for (const other of ['nothing', '']) {
      await page.goto(`${edge.url}/investments?account_id=${other}`)
      await tables.first().waitFor()
      expect(await page.getByRole('combobox', { name: 'Account' }).inputValue()).toBe('')
    }
    await page.goto(`${edge.url}/investments?account_id=${chosen ?? ''}`)
    await page.getByRole('link', { name: 'Its activity' }).click()
    await showsHeading(page, 'Investment activity')
    expect(new URL(page.url()).searchParams.get('account_id')).toBe(chosen)
    await page.locator('main details:has(.ids)').first().waitFor()
    await page.getByRole('combobox', { name: 'Account' }).selectOption('')
    await expect.poll(() => new URL(page.url()).search).toBe('')
  })

  test('possible duplicates are shown side by side, and one decision settles each', async () => {
    const [first, second] = await edge.sql(
      `select a.id from accounts a join items i on i.id = a.item_id where i.id = '${bank.id}' and a.type = 'depository' order by a.name`,
    )
    const isPossible = async (): Promise<void> =>
      void (await edge.sql(
        `update accounts set duplicate_of = '${first?.['id'] ?? ''}', duplicate_state = 'possible' where id = '${second?.['id'] ?? ''}'`,
      ))
    await isPossible()
    const { page } = await openDemo()
    await go(page, '/banks', 'Banks')
    await page.getByRole('link', { name: 'Review possible duplicates' }).click()
    await showsHeading(page, 'Possible duplicates')
    await page.getByRole('button', { name: 'They are different' }).waitFor()
    await review(page, 'duplicates')
    expect(
      await page
        .locator('summary')
        .filter({ hasText: /^Ids of/ })
        .count(),
    ).toBe(2)
    await page.getByRole('button', { name: 'They are the same…' }).click()
    await page.getByRole('dialog').getByText('The account that counts keeps').waitFor()
    await review(page, 'duplicates-merge')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'They are different' }).click()
    await page.getByRole('heading', { name: 'There are no duplicates' }).waitFor()
    const state = async () => {
      const [row] = await edge.sql(
        `select duplicate_state, duplicate_of from accounts where id = '${second?.['id'] ?? ''}'`,
      )
      return row
    }
    expect(await state()).toMatchObject({ duplicate_state: 'kept' })
    await isPossible()
    await page.reload()
    await page.getByRole('button', { name: 'They are the same…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Merge them' }).click()
    await page.getByText('The same account', { exact: true }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await state()).toEqual({ duplicate_state: 'same', duplicate_of: first?.['id'] })
    await review(page, 'duplicates-merged')
  })
})
