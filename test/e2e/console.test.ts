// The console in a real browser, against the real product: the whole story of a bank by mouse, and that of an account.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askForCode, codeMailedBy, signInWith } from '../support/account-pages.ts'
import { askForMail, goodPassword } from '../support/accounts-over-http.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { expectAccessible, openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
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
    const { page } = await openTab(browser, edge.url)
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
    expect(await page.getByText('Sign-in needed').count()).toBe(0)
  }, 600_000)

  test('an account is created with the code of an e-mail, and no page reveals whether an address has one', async () => {
    const email = 'newcomer@example.com'
    const { page, mishaps } = await openTab(browser, `${edge.url}/accounts`)
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByRole('heading', { name: 'Create an account' }).waitFor()
    await review(page, 'register')
    mishaps.expect(/^400 \/api\/v1\/auth\/register$/)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill('abababababababab')
    await page.getByRole('button', { name: 'Send me the code' }).click()
    await page.getByRole('alert').getByText('Must not repeat the same few characters.').waitFor()
    await expectAccessible(page)
    let said = ''
    const code = await codeMailedBy(edge, 'verify_email', async () => {
      said = await askForCode(page, email, goodPassword)
    })
    await review(page, 'register-code')
    mishaps.expect(/^400 \/api\/v1\/auth\/verify-email$/)
    await page.getByLabel('Code from the e-mail').fill(code.replace(/^..../, 'AAAA'))
    await page.getByRole('button', { name: 'Confirm and sign in' }).click()
    await page.getByRole('alert').getByText('This code is wrong, was used before, or is older than 24 hours.').waitFor()
    await expectAccessible(page)
    await page.getByLabel('Code from the e-mail').fill(code)
    await page.getByRole('button', { name: 'Confirm and sign in' }).click()
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()

    await page.getByRole('link', { name: 'Create an account' }).click()
    const mailed = await codeMailedBy(edge, 'address_in_use', async () => {
      expect(await askForCode(page, email, goodPassword)).toBe(said)
    })
    expect(mailed).toBe('')
    await page.goto(`${edge.url}/register`)
    mishaps.expect(/^429 \/api\/v1\/auth\/register$/)
    const body = JSON.stringify({ code: 'rate_limited', title: 'Too many', detail: 'Too many.', status: 429 })
    const headers = { 'retry-after': '900', 'content-type': 'application/problem+json' }
    await page.route('**/api/v1/auth/register', (route) => route.fulfill({ status: 429, headers, body }))
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Send me the code' }).click()
    await page.getByRole('alert').getByText('Try again in 15 minutes.').waitFor()
    await expectAccessible(page)
  })

  test('the link of an e-mail opens its page without leaving the code in the address', async () => {
    const email = 'mailed@example.com'
    const code = await askForMail(edge, '/api/v1/auth/register', { email, password: goodPassword })
    const { page, mishaps } = await openTab(browser, `${edge.url}/#verify-email=${code}`)
    mishaps.expect(/^401 \/api\/v1\/auth\/verify-email$/)
    await page.getByText('Enter the password that you chose when you registered.').waitFor()
    expect(page.url()).toBe(`${edge.url}/register/confirm`)
    await page.getByLabel('Password').fill('not the one that was chosen')
    await page.getByRole('button', { name: 'Confirm and sign in' }).click()
    await page.getByRole('alert').getByText('This is not the password').waitFor()
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Confirm and sign in' }).click()
    await showsHeading(page, 'Overview')
    // Also for a person who is signed in.
    await page.goto(`${edge.url}/#verify-email=${code}`)
    await page.getByRole('heading', { name: 'Confirm your e-mail address' }).waitFor()
    expect(await page.getByLabel('Code from the e-mail').inputValue()).toBe(code)
    expect(await page.title()).toBe('Confirm your e-mail address · WealthNavigator')
    await page.getByRole('link', { name: 'Back to the console' }).click()
    await showsHeading(page, 'Overview')
    await page.getByRole('button', { name: 'Sign out' }).click()

    await page.getByRole('link', { name: 'Forgot the password?' }).click()
    await page.getByRole('heading', { name: 'Set a new password' }).waitFor()
    await review(page, 'new-password')
    let [known, unknown] = ['', '']
    const reset = await codeMailedBy(edge, 'reset_password', async () => {
      known = await askForCode(page, email, null)
    })
    await page.goto(`${edge.url}/new-password`)
    await codeMailedBy(edge, 'no_account', async () => {
      unknown = await askForCode(page, 'nobody@example.com', null)
    })
    expect(unknown).toBe(known)
    await review(page, 'new-password-code')
    // In the same tab, only the fragment changes.
    await page.goto(`${edge.url}/new-password/set#reset-password=${reset}`)
    await expect.poll(() => page.url()).toBe(`${edge.url}/new-password/set`)
    const next = `${goodPassword} that is new`
    const set = async (): Promise<void> => {
      await page.getByLabel('New password').fill(next)
      await page.getByRole('button', { name: 'Set the password' }).click()
    }
    await set()
    const done = page.getByText('The new password is set. Sign in with it.')
    await done.waitFor()
    await expect.poll(() => done.evaluate((notice) => notice === document.activeElement)).toBe(true)
    await expectAccessible(page)
    // A used code is not shown to the next person.
    await page.getByRole('link', { name: 'Enter the code for a new password' }).click()
    expect(await page.getByLabel('Code from the e-mail').inputValue()).toBe('')
    mishaps.expect(/^400 \/api\/v1\/auth\/password\/reset$/)
    await page.goto(`${edge.url}/#reset-password=${reset}`)
    await page.getByRole('heading', { name: 'Set a new password' }).waitFor()
    await set()
    await page.getByRole('alert').getByText('This code is wrong, was used before, or is older than one hour.').waitFor()
    await page.getByRole('link', { name: 'Sign in' }).click()
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('email')
    expect(await page.title()).toBe('Sign in · WealthNavigator')
    await signInWith(page, email, next)
    await showsHeading(page, 'Overview')

    // A person who is signed in reads what happened, and not that the session has ended.
    const again = await askForMail(edge, '/api/v1/auth/password/forgot', { email })
    await page.goto(`${edge.url}/#reset-password=${again}`)
    await page.getByRole('link', { name: 'Back to the console' }).waitFor()
    await page.getByLabel('New password').fill(`${next} again`)
    await page.getByRole('button', { name: 'Set the password' }).click()
    await done.waitFor()
    expect(new URL(page.url()).pathname).toBe('/')
    await signInWith(page, email, `${next} again`)
    await showsHeading(page, 'Overview')
  })
})
