// The console when something is not as usual: the API fails, the browser is offline, a person uses the keyboard alone, or has an
// account instead of the demo user of a laptop.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { goodPassword, signIn, signUp } from '../support/accounts-over-http.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import {
  demoUser,
  expectAccessible,
  openTab,
  review,
  showsHeading,
  startConsole,
  type Tab,
} from '../support/console-page.ts'
import { type Edge, expectStatus } from '../support/edge.ts'
import { holdRequests, openReturn } from '../support/page-states.ts'

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

  test('fails a test with each mishap of its pages that the test has not named', async () => {
    const { page, mishaps } = await openTab(browser, edge.url)
    await page.getByRole('button', { name: 'Continue as demo user' }).waitFor()
    await mishaps.check()
    // oxlint-disable-next-line no-console -- the first kind of mishap
    await page.evaluate(() => console.error('said by the page'))
    await expect(mishaps.check()).rejects.toThrow('said by the page')
    mishaps.expect(/^said by the page$/)
    await mishaps.check()
    const elsewhere = `${edge.simulator.url}/panel`
    await page.evaluate((url) => fetch(url).catch(() => null), elsewhere)
    await expect(mishaps.check()).rejects.toThrow(`policy violation: connect-src ${elsewhere}`)
    // The browser says it too, in its own words.
    mishaps.expect(/^policy violation: connect-src|Content Security Policy/)
    await mishaps.check()

    const lax = await openTab(browser, edge.url, { bypassCSP: true })
    await lax.page.evaluate((url) => fetch(url, { mode: 'no-cors' }).catch(() => null), elsewhere)
    await expect(lax.mishaps.check()).rejects.toThrow(`request to ${edge.simulator.url}`)
    // The browser blocks it in the end, and says so.
    lax.mishaps.expect(/^request to |BLOCKED_BY_RESPONSE/)
    await lax.page.evaluate(() => fetch('/api/v1/nothing').then(({ status }) => status))
    await expect(lax.mishaps.check()).rejects.toThrow('404 /api/v1/nothing')
    lax.mishaps.expect(/^404 \/api\/v1\/nothing$/)
    lax.mishaps.expect(/^404 \/api\/v1\/later$/)
    await expect(lax.mishaps.check()).rejects.toThrow('did not happen: /^404')
    await lax.page.evaluate(() => fetch('/api/v1/later').then(({ status }) => status))
  })

  test('says why a list did not come and what comes next, and shows it at the next attempt', async () => {
    const { page, mishaps } = await openAsDemo('/banks')
    mishaps.expect(/^503 \/api\/v1\/transactions$/)
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
    const { page } = await openTab(browser, `${edge.url}/transactions`)
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
  })

  test('is in order while it waits: for its data, for Link, for the bank', async () => {
    const { page } = await openAsDemo('/banks')
    await showsHeading(page, 'Banks')
    const release = await holdRequests(page, '/api/v1/plaid/link/token/create')
    await page.getByRole('button', { name: 'Connect a bank' }).click()
    await page.getByRole('button', { name: 'Opening…' }).waitFor()
    await expectAccessible(page)
    await page.goto('about:blank')
    await release()
    for (const [path, title, request, loading] of [
      ['/transactions', 'Transactions', '/api/v1/transactions', 'Loading transactions'],
      ['/investments', 'Investments', '/api/v1/holdings', 'Loading your holdings'],
      ['/', 'Overview', '/api/v1/insights/net-worth', 'Loading net worth'],
    ] as const) {
      const end = await holdRequests(page, request)
      await page.goto(`${edge.url}${path}`)
      await showsHeading(page, title)
      await page.getByRole('status').filter({ hasText: loading }).first().waitFor()
      await (path === '/' ? review(page, 'overview-loading') : expectAccessible(page, 'dark'))
      await end()
    }
    const known = await edge.sql('select id from items')
    await openReturn(
      page,
      edge.url,
      known.map(({ id }) => String(id)),
    )
    await showsHeading(page, 'Connecting your bank')
    await review(page, 'connect-waiting')
    await page.getByRole('button', { name: 'Stop waiting' }).click()
    await showsHeading(page, 'No bank was connected')
    await expectAccessible(page)
  })

  test('shows a bank in the tab to which its app returned, which knows nothing of the connection', async () => {
    const { page, mishaps } = await openTab(browser, `${edge.url}/connect/return`)
    await page.getByText('You are back from your bank. The server finishes the connection').waitFor()
    await review(page, 'connect-elsewhere-sign-in')
    await edge.sql("update items set created_at = created_at - interval '1 day'")
    await page.getByRole('button', { name: 'Continue as demo user' }).click()
    await showsHeading(page, 'You are back from your bank')
    await page.getByText('Looking for the bank…').waitFor()
    await review(page, 'connect-elsewhere')
    const { plaidItemId } = await edge.link(demoUser, { institution_id: 'ins_109509' })
    await showsHeading(page, /is almost connected$/)
    await edge.bank.change(plaidItemId, { history: 'historical' })
    await showsHeading(page, /is connected$/)
    await review(page, 'connect-elsewhere-connected')
    expect(await page.getByRole('listitem').filter({ hasText: 'Up to date' }).count()).toBe(1)

    // Nothing comes: the page says what to do, and a bank that still needs the person is there. One of ten minutes ago is another.
    await edge.sql("update items set created_at = created_at - interval '10 minutes'")
    await edge.bank.change(plaidItemId, { login_required: true })
    await edge.delivered()
    await page.clock.install()
    await page.reload()
    await showsHeading(page, 'You are back from your bank')
    await page.clock.fastForward(61_000)
    await showsHeading(page, 'No new bank has arrived')
    await page.getByRole('button', { name: 'Sign in again' }).waitFor()
    await page.getByText('See your banks in a few minutes before you connect again.').waitFor()
    await page.getByRole('button', { name: 'Connect a bank' }).waitFor()
    await review(page, 'connect-elsewhere-nothing')

    // A read that failed says nothing about the bank.
    mishaps.expect(/^503 \/api\/v1\/plaid\/items$/)
    const ofItems = (url: URL): boolean => url.pathname === '/api/v1/plaid/items'
    await page.route(ofItems, (route) => route.fulfill(unavailable))
    await page.reload()
    await page.getByRole('alert').getByText('The database does not respond.').waitFor()
    const asked = page.waitForResponse((response) => ofItems(new URL(response.url())))
    await page.clock.fastForward(61_000)
    await asked
    expect(await page.locator('main:has([role=alert]) h1').innerText()).toBe('You are back from your bank')
    expect(await page.getByRole('button', { name: 'Connect a bank' }).count()).toBe(0)
    await page.unroute(ofItems)

    // It arrived, and needs the person: neither "connected" nor an end.
    await edge.sql(`update items set created_at = now() + interval '2 minutes' where plaid_item_id = '${plaidItemId}'`)
    await page.reload()
    await showsHeading(page, /needs one more step$/)
    expect(await page.getByText('You may close this tab').count()).toBe(0)
  })

  test('says a deadline of a bank in words before it passes', async () => {
    const { page } = await openAsDemo('/banks')
    const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000)
    const words = (day: Date): string => day.toLocaleDateString('en-US', { dateStyle: 'medium', timeZone: 'UTC' })
    for (const [status, column, text, button] of [
      ['pending_disconnect', 'disconnect_at', 'The connection ends on', 'Sign in again'],
      ['pending_expiration', 'consent_expires_at', 'Your consent ends on', 'Renew consent'],
    ] as const) {
      const day = inDays(6)
      await edge.sql(`update items set status = '${status}', ${column} = '${day.toISOString()}'`)
      for (const path of ['/banks', '/']) {
        await page.goto(`${edge.url}${path}`)
        await page
          .getByText(`${text} ${words(day)} unless you`)
          .first()
          .waitFor()
        await page.getByRole('button', { name: button }).first().waitFor()
        await expectAccessible(page)
      }
      await review(page, `overview-${status.replace('_', '-')}`)
    }
    await edge.sql("update items set status = 'healthy', disconnect_at = null, consent_expires_at = null")
    await page.goto(`${edge.url}/banks`)
    await page.getByText('Up to date', { exact: true }).first().waitFor()
    expect(await page.getByText('unless you').count()).toBe(0)
    await page.getByRole('button', { name: 'Remove…' }).first().click()
    await page.getByRole('dialog').getByText('The connection ends at once').waitFor()
    await review(page, 'bank-remove')
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

    // Another device ends every session: the next request leads to the sign-in, and back to the same page.
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    expectStatus(await (await signIn(edge, email)).call('POST', '/api/v1/auth/logout-all'), 204)
    mishaps.expect(/^401 \/api\/v1\/auth\//)
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'Security' }).click()
    await page.getByText('Your session has ended.').waitFor()
    await review(page, 'session-expired')
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await showsHeading(page, 'Security')
  })
})
