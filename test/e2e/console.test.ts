// The console in a real browser, against the real product: the whole story of a bank by mouse.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import type { Edge } from '../support/edge.ts'

const browserPath = browserOrReason()

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

  const openPanel = async (page: Page): Promise<Page> => {
    const opened = page.waitForEvent('popup')
    await page.getByRole('link', { name: 'The bank (simulator)' }).click()
    return await opened
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

    const panel = await openPanel(page)
    await panel.getByRole('link', { name: 'First Platypus Bank' }).click()
    await panel.getByRole('button', { name: 'Break the login' }).click()
    await panel.getByRole('status').getByText('The login fails with ITEM_LOGIN_REQUIRED.').waitFor()
    await panel.close()
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
