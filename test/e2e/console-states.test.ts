// The console when something is not as usual: the API fails, the browser is offline, a person uses the keyboard alone, or has an
// account instead of the demo user of a laptop.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { goodPassword, signUp } from '../support/accounts-over-http.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, openTab, review, showsHeading, startConsole, type Tab } from '../support/console-page.ts'
import { type Edge, expectStatus } from '../support/edge.ts'

const browserPath = browserOrReason()
const ruleSchema = z.object({ id: z.string() })
const noteSchema = z.object({
  note: z.string().nullable(),
  user_category: z.string().nullable(),
  category_rule_id: z.string().nullable(),
})
const notes = z.object({ data: z.array(noteSchema) })
const unavailable = {
  status: 503,
  contentType: 'application/problem+json',
  body: JSON.stringify({ title: 'Unavailable', detail: 'The database does not respond.', code: 'unavailable' }),
}

describe.skipIf(browserPath === null)('The console', () => {
  let edge: Edge
  let browser: Browser

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    edge = await startConsole({ simulator: { historyDelayMs: 'manual' } })
    await edge.linkAndSync(demoUser)
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
  })

  async function openAsDemo(path: string): Promise<Tab> {
    const tab = await openTab(browser, `${edge.url}${path}`)
    await tab.page.getByRole('button', { name: 'Continue as demo user' }).click()
    return tab
  }

  test('says why a list did not come and what comes next, and shows it at the next attempt', async () => {
    const { page } = await openAsDemo('/banks')
    await showsHeading(page, 'Banks')
    await page.route(/\/api\/v1\/transactions\?/, (route) => route.fulfill(unavailable))
    await page.getByRole('link', { name: 'Transactions' }).click()
    await page.getByRole('alert').getByText('The database does not respond.').waitFor()
    await review(page, 'transactions-failed')
    await page.unroute(/\/api\/v1\/transactions\?/)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('.transaction').first().waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  }, 240_000)

  test('says that the browser is offline, and keeps what it has loaded', async () => {
    const { page } = await openAsDemo('/accounts')
    await page.getByRole('link', { name: 'Plaid Checking' }).waitFor()
    await page.context().setOffline(true)
    await page.getByText('You are offline.').waitFor()
    expect(await page.getByRole('link', { name: 'Plaid Checking' }).count()).toBe(1)
    await review(page, 'accounts-offline')
    await page.context().setOffline(false)
    await page.getByText('You are offline.').waitFor({ state: 'detached' })
  }, 240_000)

  test('takes a note on a transaction by keyboard alone, and leaves the category to the rule that gave it', async () => {
    const call = edge.as(demoUser)
    const rule = { min_amount: '-1000000000', user_category: 'By rule' }
    const { id } = ruleSchema.parse(expectStatus(await call('POST', '/api/v1/rules', { body: rule }), 201).json())
    expectStatus(await call('POST', '/api/v1/rules/apply'), 200)
    const { page, mishaps } = await openTab(browser, `${edge.url}/transactions`)
    const { keyboard } = page
    const focused = async (selector: string): Promise<boolean> =>
      await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)
    const tabTo = async (selector: string): Promise<void> => {
      for (let presses = 0; presses < 40 && !(await focused(selector)); presses += 1) await keyboard.press('Tab')
      expect([selector, await focused(selector)]).toEqual([selector, true])
    }
    await page.getByRole('button', { name: 'Continue as demo user' }).waitFor()
    await tabTo('.button.primary')
    await keyboard.press('Enter')
    await page.locator('.transaction').first().waitFor()
    await tabTo('.transaction summary')
    await keyboard.press('Enter')
    await tabTo('.transaction input[name=note]')
    await keyboard.type('by keyboard')
    await keyboard.press('Enter')
    await page.getByText('Saved', { exact: true }).waitFor()
    const answer = expectStatus(await call('GET', '/api/v1/transactions?q=by%20keyboard'), 200)
    const kept = { user_category: 'By rule', category_rule_id: id }
    expect(notes.parse(answer.json()).data).toEqual([{ note: 'by keyboard', ...kept }])
    expect(mishaps).toEqual([])
  })

  test('signs in with an account, continues after a reload by its cookie alone, and signs out', async () => {
    const email = 'person@wealth.test'
    await signUp(edge, email)
    const { page, mishaps } = await openTab(browser, edge.url)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    const stored = await page.evaluate(() =>
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]),
    )
    expect(JSON.parse(stored)).toEqual([[['wealthnavigator.session', 'account']], [], ''])
    await page.reload()
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('E-mail').waitFor()
    await page.reload()
    await page.getByLabel('E-mail').waitFor()
    expect(mishaps).toEqual([])
  })
})
