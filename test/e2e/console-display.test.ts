// How the console's pages appear elsewhere than on a screen in English: on paper, in another locale, and at an address that has none.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, openDemoTab, openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import { type Edge, expectStatus, type Linked } from '../support/edge.ts'
import { keyboardOf } from '../support/keyboard.ts'
import { picturesFolder } from '../support/page-review.ts'

const browserPath = browserOrReason()
const rows = z.object({ data: z.array(z.object({ name: z.string(), amount: z.string(), date: z.string() })) })

describe.skipIf(browserPath === null)('The console', () => {
  let edge: Edge
  let browser: Browser
  let linked: Linked

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    edge = await startConsole()
    linked = await edge.linkAndSync(demoUser)
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
  })

  test('says at an unknown address that there is no such page, and leads to the overview', async () => {
    const { page } = await openDemoTab(browser, edge.url)
    await page.goto(`${edge.url}/no/such/page`)
    await showsHeading(page, 'There is no such page')
    await review(page, 'not-found')
    await page.getByRole('link', { name: 'Go to the overview' }).click()
    await showsHeading(page, 'Overview')
    expect(page.url()).toBe(`${edge.url}/`)
  })

  const own = z.object({
    data: z.array(z.object({ id: z.string(), hidden: z.boolean(), user_category: z.string().nullable() })),
  })

  test('changes the category of a transaction and leaves it out of sums, in place, and after a reload', async () => {
    const { page } = await openDemoTab(browser, edge.url)
    await page.goto(`${edge.url}/transactions?q=Metro%20Transit`)
    const row = page.locator('.transaction').first()
    await row.locator('summary').click()
    await row.getByLabel('Your category').waitFor()
    await review(page, 'transaction-editor')
    await row.getByLabel('Your category').fill('Commute')
    await row.getByLabel('Leave it out of sums').check()
    await row.getByRole('button', { name: 'Save' }).click()
    await row.getByText('Not counted').waitFor()
    await row.getByText(/^Commute/).waitFor()
    await page.reload()
    await page
      .locator('.transaction.is-hidden')
      .getByText(/^Commute/)
      .waitFor()
    const stored = await edge.as(demoUser)('GET', '/api/v1/transactions?q=Metro%20Transit')
    expect(own.parse(expectStatus(stored, 200).json()).data).toContainEqual(
      expect.objectContaining({ hidden: true, user_category: 'Commute' }),
    )
    await page.locator('.transaction.is-hidden summary').click()
    await page.getByLabel('Leave it out of sums').first().uncheck()
    await page.getByLabel('Your category').first().fill('')
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.locator('.transaction.is-hidden').waitFor({ state: 'detached' })
  })

  const posted = z.object({
    data: z.array(
      z.object({
        account_id: z.string(),
        name: z.string(),
        merchant: z.object({ name: z.string().nullable() }),
        category: z.object({ primary: z.string().nullable() }),
        date: z.string(),
      }),
    ),
  })

  test('keeps the filters of transactions in the address, and shows the same list after a reload', async () => {
    const { data } = posted.parse((await edge.as(demoUser)('GET', '/api/v1/transactions?pending=false')).json())
    const wanted = data.find(({ category }) => category.primary !== null)
    const { account_id: accountId = '', name = '', date = '' } = wanted ?? {}
    const category = wanted?.category.primary ?? ''
    const { page } = await openDemoTab(browser, edge.url)
    await page.goto(`${edge.url}/transactions`)
    await page.locator('.transaction').first().waitFor()
    await page.locator('summary').filter({ hasText: 'Filters' }).click()
    await page.getByRole('combobox', { name: 'Account' }).selectOption(accountId)
    await page.getByRole('combobox', { name: 'Category' }).selectOption(category)
    await page.getByLabel('From').fill(date)
    await page.getByRole('combobox', { name: 'State' }).selectOption('false')
    await page.getByLabel('Search').fill(name)
    await expect
      .poll(() => [...new URL(page.url()).searchParams.keys()].toSorted())
      .toEqual(['account_id', 'category', 'from', 'pending', 'q'])
    const shown = async (): Promise<string[]> => {
      await page.locator('.transaction .name').first().waitFor()
      await page.locator('.paged[aria-busy=true]').waitFor({ state: 'detached' })
      return await page.locator('.transaction .name').allInnerTexts()
    }
    const before = await shown()
    expect(before).toContain(wanted?.merchant.name ?? name)
    expect(before.length).toBeLessThan(data.length)
    await review(page, 'transactions-filters')
    const address = page.url()
    await page.reload()
    expect(await shown()).toEqual(before)
    expect(page.url()).toBe(address)
    expect(await page.getByLabel('Search').inputValue()).toBe(name)
    expect(await page.getByRole('combobox', { name: 'Category' }).inputValue()).toBe(category)
    expect(await page.getByLabel('From').inputValue()).toBe(date)
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect.poll(() => new URL(page.url()).search).toBe('')
  })

  test('reads the second page of transactions when the reader scrolls, and by keyboard', async () => {
    const { data } = own.parse((await edge.as(demoUser)('GET', '/api/v1/transactions?limit=200')).json())
    expect(data.length).toBeGreaterThan(50)
    const { page, mishaps } = await openDemoTab(browser, edge.url)
    const list = page.locator('.transaction')
    const open = async (): Promise<void> => {
      await page.goto(`${edge.url}/transactions`)
      await list.first().waitFor()
    }
    await open()
    expect(await list.count()).toBe(50)
    await page.mouse.move(640, 600)
    await page.mouse.wheel(0, 100_000)
    await expect.poll(() => list.count()).toBeGreaterThan(50)
    await open()
    // After a failure, only the button loads the page.
    const isNext = (url: URL): boolean => url.pathname === '/api/v1/transactions' && url.searchParams.has('cursor')
    mishaps.expect(/^500 \/api\/v1\/transactions$/)
    await page.route(isNext, (route) => route.fulfill({ status: 500, body: '{}' }))
    await page.keyboard.press('End')
    await page.getByRole('alert').first().waitFor()
    expect(await list.count()).toBe(50)
    await page.unroute(isNext)
    await keyboardOf(page).press('Show more')
    await expect.poll(() => list.count()).toBeGreaterThan(50)
  })

  /** What a page has on paper: the colours of its parts, and which of them are there. */
  const onPaper = async (page: Page) =>
    await page.evaluate(() => {
      const isShown = (selector: string): boolean =>
        [...document.querySelectorAll(selector)].some((each) => each.checkVisibility())
      const lightness = (color: string): number => {
        const [red = 0, green = 0, blue = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number)
        return alpha === 0 ? 255 : (red + green + blue) / 3
      }
      const grounds = [...document.querySelectorAll('html, body, main, main .card, main table, main td')].map((each) =>
        lightness(getComputedStyle(each).backgroundColor),
      )
      return {
        darkestGround: Math.min(...grounds),
        text: lightness(getComputedStyle(document.body).color),
        navigation: isShown('.side, nav'),
        buttons: isShown('main button, main .button'),
        beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      }
    })

  test.each([
    ['overview', '/', 'Overview', '.chart svg'],
    ['accounts', '/accounts', 'Accounts', 'main table'],
    ['transactions', '/transactions', 'Transactions', '.transaction'],
    ['spending', '/spending', 'Spending', 'main table'],
    ['debts', '/debts', 'Debts', 'main .card'],
  ] as const)('prints %s on white paper, without navigation and buttons', async (name, path, title, part) => {
    const { page } = await openDemoTab(browser, edge.url)
    await page.goto(`${edge.url}${path}`)
    await showsHeading(page, title)
    await page.locator(part).first().waitFor()
    await mkdir(picturesFolder, { recursive: true })
    // A4 at 96 dpi, for a reader whose screen is dark.
    await page.setViewportSize({ width: 794, height: 1123 })
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    await page.screenshot({ path: join(picturesFolder, `print-${name}.png`), fullPage: true, animations: 'disabled' })
    const paper = await onPaper(page)
    expect(paper).toMatchObject({ navigation: false, buttons: false, beyond: 0 })
    expect(paper.darkestGround).toBeGreaterThan(235)
    expect(paper.text).toBeLessThan(100)
    expect(await page.locator(part).first().isVisible()).toBe(true)
  })

  test('writes dates and amounts as a reader in Germany does, with every digit', async () => {
    const amount = '1234567890123456.1234'
    await edge.bank.change(linked.plaidItemId, {
      add: [{ name: 'Long amount', amount: JSON.rawJSON(amount), date: '2026-01-31' }],
    })
    await edge.settled()
    const answer = await edge.as(demoUser)('GET', '/api/v1/transactions?q=long%20amount')
    const [row] = rows.parse(expectStatus(answer, 200).json()).data
    expect(row?.amount).toBe(amount)
    const { page } = await openTab(browser, edge.url, { locale: 'de-DE' })
    await page.getByRole('button', { name: 'Continue as demo user' }).click()
    await showsHeading(page, 'Overview')
    await page.goto(`${edge.url}/transactions?q=long%20amount`)
    const shown = page.locator('.transaction').filter({ hasText: 'Long amount' })
    await shown.waitFor()
    const text = (await page.locator('main').innerText()).replaceAll(/\s/g, ' ')
    expect(text).toContain('1.234.567.890.123.456,1234 $')
    expect(text).toContain('31. Januar 2026')
    expect((await shown.locator('data').getAttribute('value'))?.replace('-', '')).toBe(amount)
    await review(page, 'transactions-de')
    await page.setViewportSize({ width: 320, height: 720 })
    expect((await shown.locator('.name').locator('..').boundingBox())?.width).toBeGreaterThan(120)
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.goto(`${edge.url}/accounts`)
    await page.getByRole('rowheader', { name: /^Plaid Checking/ }).waitFor()
    expect(await page.locator('main').innerText()).toMatch(/\d{1,3}(?:\.\d{3})*,\d{2}\s\$/)
    await review(page, 'accounts-de')
  })
})
