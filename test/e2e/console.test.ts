// The console in a real browser, against the real product: the whole story of a bank by mouse.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import { type Edge, expectStatus } from '../support/edge.ts'

const browserPath = browserOrReason()
const itemList = z.object({ data: z.array(z.object({ id: z.string(), plaid_item_id: z.string() })) })

describe.skipIf(browserPath === null)('The console', () => {
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

  const visit = async (page: Page, label: string): Promise<void> => {
    await page.getByRole('navigation').getByRole('link', { name: label }).click()
    await showsHeading(page, label)
  }

  /** Plays the user on Link's page, from its first page to its last. */
  const shareAccounts = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'First Platypus Bank' }).click()
    await page.getByLabel('User name').fill('user_good')
    await page.getByLabel('Password').fill('pass_good')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('button', { name: 'Share the accounts' }).click()
  }

  const onlyItem = async (): Promise<{ id: string; plaid_item_id: string }> => {
    const answer = expectStatus(await edge.as(demoUser)('GET', '/api/v1/plaid/items'), 200)
    const [item] = itemList.parse(answer.json()).data
    if (item === undefined) throw new Error('The demo user has no bank.')
    return item
  }

  test('a newcomer links a bank, sees it break, repairs it, and every page is in order', async () => {
    const { page, mishaps } = await openTab(browser, edge.url)
    await page.getByRole('button', { name: 'Continue as demo user' }).waitFor()
    await review(page, 'sign-in')
    await page.getByRole('button', { name: 'Continue as demo user' }).click()
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    await review(page, 'overview-empty')

    await page.getByRole('button', { name: 'Connect a bank' }).click()
    await shareAccounts(page)
    await page.waitForURL(`${edge.url}/connect/return`)
    await showsHeading(page, /^First Platypus Bank is connected$/, 60_000)
    await review(page, 'connect-return')
    await edge.settled()

    await page.getByRole('link', { name: 'See your accounts' }).click()
    await page.getByRole('rowheader', { name: /^Plaid Checking/ }).waitFor()
    await review(page, 'accounts')
    await page.getByRole('link', { name: 'Plaid Checking' }).click()
    await page.getByRole('slider', { name: /Balance of Plaid Checking/ }).waitFor()
    await review(page, 'account')
    await visit(page, 'Transactions')
    await page.getByText('Metro Transit').first().waitFor()
    await review(page, 'transactions')
    await visit(page, 'Overview')
    await page.getByRole('slider', { name: /Net worth/ }).waitFor()
    await page.getByText(/balances are estimated from transactions/).waitFor()
    await review(page, 'overview')

    const { plaid_item_id: plaidItemId } = await onlyItem()
    await edge.bank.change(plaidItemId, { login_required: true })
    await page.getByText('Sign-in needed').waitFor({ timeout: 30_000 })
    await review(page, 'overview-attention')
    await visit(page, 'Banks')
    await page.getByText('Sign-in needed').waitFor()
    await review(page, 'banks-attention')

    await page.getByRole('button', { name: 'Sign in again' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('User name').waitFor()
    await page.getByLabel('User name').fill('user_good')
    await page.getByLabel('Password').fill('pass_good')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL(`${edge.url}/connect/return`)
    await showsHeading(page, /^First Platypus Bank is connected$/, 60_000)
    await visit(page, 'Banks')
    await page.getByText('Up to date', { exact: true }).first().waitFor()
    await page.getByText('Details').click()
    await review(page, 'banks')
    expect(mishaps).toEqual([])
  }, 600_000)
})
