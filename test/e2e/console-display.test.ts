// How the console's pages appear elsewhere than on a screen in English: on paper, in another locale, and at an address that has none.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, openDemoTab, openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import { type Edge, expectStatus, type Linked } from '../support/edge.ts'
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
    const { page, mishaps } = await openDemoTab(browser, edge.url)
    await page.goto(`${edge.url}/no/such/page`)
    await showsHeading(page, 'There is no such page')
    await review(page, 'not-found')
    await page.getByRole('link', { name: 'Go to the overview' }).click()
    await showsHeading(page, 'Overview')
    expect(mishaps).toEqual([])
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
    const { page, mishaps } = await openTab(browser, edge.url, { locale: 'de-DE' })
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
    expect(mishaps).toEqual([])
  })
})
