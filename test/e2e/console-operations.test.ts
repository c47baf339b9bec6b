// The console for operators in a real browser: a broken bank in its timeline, a dead letter that is replayed, every id in one box,
// and none of it for an ordinary user.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { callFor } from '../support/administrator.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { demoUser, openTab, review, showsHeading, startConsole } from '../support/console-page.ts'
import { type Edge, expectStatus, type Linked } from '../support/edge.ts'
import { expectImpersonal, expectState, filterLists, personal, section } from '../support/operations-pages.ts'

const browserPath = browserOrReason()

describe.skipIf(browserPath === null)('The console for operators', () => {
  let edge: Edge
  let browser: Browser
  let linked: Linked

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    edge = await startConsole({ variables: { PLAID_PRICES: '{"/accounts/get":"0.25"}' } })
    linked = await edge.linkAndSync(demoUser)
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
  })

  const plaidItemId = async (): Promise<string> => {
    const [row] = await edge.sql(`select plaid_item_id from items where id = '${linked.id}'`)
    return z.string().parse(row?.['plaid_item_id'])
  }

  const asOperator = async () => {
    const tab = await openTab(browser, edge.url)
    await tab.page.getByRole('button', { name: 'Continue as demo operator' }).click()
    await showsHeading(tab.page, 'Operations')
    return tab
  }

  test('a broken bank appears in the timeline of its item, and so does its repair', async () => {
    const { page } = await asOperator()
    await review(page, 'operations')
    const id = await plaidItemId()
    await edge.bank.change(id, { login_required: true })
    await edge.settled()
    await page.getByLabel('Id, request id or link token').fill(id)
    await page.getByRole('button', { name: 'Find' }).click()
    await page.getByRole('link', { name: 'item', exact: true }).click()
    await showsHeading(page, 'Item')
    await page.getByText('Webhook: ITEM ERROR').waitFor()
    await page.getByText('Needs update', { exact: true }).waitFor()
    await page.getByText('ITEM_LOGIN_REQUIRED').first().waitFor()
    await review(page, 'operations-item-broken')
    await edge.bank.change(id, { login_repaired: true })
    await edge.settled()
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText('Webhook: ITEM LOGIN_REPAIRED').waitFor({ timeout: 60_000 })
    await page.locator('.card').first().getByText('Healthy', { exact: true }).first().waitFor({ timeout: 60_000 })
    const entry = page.getByRole('listitem').filter({ hasText: 'Webhook: ITEM LOGIN_REPAIRED' })
    await entry.getByText('Ids and JSON').click()
    await entry.getByText('"webhook_code": "LOGIN_REPAIRED"').first().waitFor()
    await page.getByText('Status: Healthy').first().waitFor()
    await page.getByText('from Needs update').first().waitFor()
    await expectImpersonal(page, await personal(edge))
    await review(page, 'operations-item')
    await page.getByLabel('Kind').selectOption('webhook')
    await page.waitForURL(/kind=webhook/)
    await page.getByText('Sync run: Transactions').first().waitFor({ state: 'detached' })
  })

  test('the state page has each alarm with its runbook, the cron jobs, the backups and the verification of the audit trail', async () => {
    await edge.sweep()
    await edge.sql(`insert into backups (id, place, state, started_at, finished_at, rows, bytes, verified_at) values
      ('20260101T000000Z-aaaaaaaa', 'command', 'complete', now() - interval '2 hours', now() - interval '1 hour', 10, 10, now())`)
    const { page } = await asOperator()
    await expectState(page, callFor(edge, { path: '/api/v1/admin/' }, 'operator'))
    await expectImpersonal(page, await personal(edge))
  })

  test('every list opens without an error, and a dead letter is replayed after it says what that does', async () => {
    await edge.sql(`insert into dead_letters (queue, message_id, item_product_id, reason, payload)
      select 'sync', 'letter of the console', id, 'retries_exhausted', jsonb_build_object('item_product_id', id)
      from item_products where item_id = '${linked.id}' and product = 'balances'`)
    const { page } = await asOperator()
    const texts = await personal(edge)
    expect(texts.length).toBeGreaterThan(20)
    for (const [label, title, shown] of [
      ['Items', 'Items', 'ins_109508'],
      ['Runs', 'Sync runs', 'Committed'],
      ['Webhooks', 'Webhooks', 'ITEM LOGIN_REPAIRED'],
      ['Usage', 'Usage of Plaid', '/transactions/sync'],
      ['Audit', 'Audit trail', 'Item linked'],
    ] as const) {
      await section(page, label, title)
      await page.locator('.entry, table').getByText(shown).first().waitFor()
      if (label === 'Usage') await page.getByText(/estimated at [\d.]*[1-9]/).waitFor()
      await expectImpersonal(page, texts)
      await review(page, `operations-${label.toLowerCase()}`)
    }
    await filterLists(page, { plaidItemId: await plaidItemId(), itemId: linked.id })
    await section(page, 'Dead letters', 'Dead letters')
    await page.getByRole('button', { name: 'Replay…' }).click()
    await page.getByRole('dialog').getByText('read from Plaid again').waitFor()
    await review(page, 'operations-replay')
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click()
    await page.getByText('No message waits for a replay').waitFor()
    await review(page, 'operations-dead-letters')
    const [letter] = await edge.sql("select replays from dead_letters where message_id = 'letter of the console'")
    expect(Number(letter?.['replays'])).toBe(1)
  })

  test('limits, refused webhooks and what waits between the deployment and Plaid are shown, each with its filter in the address', async () => {
    await edge.sql(`insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, state, plaid_item_id, attempts,
        last_error, created_at, next_attempt_at)
      select gen_random_uuid(), user_id, 'exchange of the console', false, 'exchanged', 'plaid item of the console', 3,
        'INSTITUTION_DOWN', now() - interval '1 hour', now() + interval '1 hour' from items where id = '${linked.id}'`)
    await edge.sql(`insert into plaid_removals (user_id, plaid_item_id, reason, attempts, last_error, next_attempt_at)
      select user_id, 'orphan of the console', 'orphan', 0, null, now() + interval '1 hour' from items where id = '${linked.id}'`)
    const refused = await fetch(`${edge.url}/api/v1/plaid/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'plaid-verification': 'not a token' },
      body: '{}',
    })
    expect(refused.status).toBe(401)
    // The metrics of an isolate are stored every few seconds.
    const operator = callFor(edge, { path: '/api/v1/admin/' }, 'operator')
    await expect
      .poll(async () => (await operator('GET', '/api/v1/admin/webhooks/refusals')).text, { timeout: 60_000 })
      .toContain('malformed_jwt')
    const { page } = await asOperator()
    for (const [label, title, shown] of [
      ['Refused', 'Refused webhooks', 'Malformed jwt'],
      ['Exchanges', 'Open exchanges', 'last error INSTITUTION_DOWN'],
      ['Removals', 'Removals at Plaid', 'Orphan: no row here'],
      ['Quota', 'Quota', 'Investment transactions'],
    ] as const) {
      await section(page, label, title)
      await page.locator('.entry, table').getByText(shown).first().waitFor()
      await expectImpersonal(page, await personal(edge))
      await review(page, `operations-${label.toLowerCase()}`)
    }
    await page.goto(`${edge.url}/operations/exchanges?state=started`)
    await page.getByText('No exchange is open').waitFor()
    await page.getByLabel('State').selectOption('exchanged')
    await page.waitForURL(/state=exchanged/)
    await page.getByText('last error INSTITUTION_DOWN').waitFor()
    await page.goto(`${edge.url}/operations/removals?reason=orphan`)
    await page.getByText('Orphan: no row here').waitFor()
    await page.getByLabel('Reason').selectOption('revoked')
    await page.getByText('No removal waits').waitFor()
  })

  test('a link token finds its session and is never in the address; a secret is not sent', async () => {
    const created = expectStatus(await edge.as(demoUser)('POST', '/api/v1/plaid/link/token/create', { body: {} }), 200)
    const { link_token: token } = z.object({ link_token: z.string() }).parse(created.json())
    const { page } = await asOperator()
    const sent: string[] = []
    page.on('request', (request) => void sent.push(`${request.url()} ${request.postData() ?? ''}`))
    const box = page.getByLabel('Id, request id or link token')
    await box.fill(token)
    await box.press('Enter')
    await page.getByText('link session').waitFor()
    expect(page.url()).not.toContain(token)
    expect(sent.filter((text) => text.split(' ')[0]?.includes(token))).toEqual([])
    await box.fill('access-sandbox-secret')
    await box.press('Enter')
    await page.getByText('This is a secret').waitFor()
    expect(sent.filter((text) => text.includes('access-sandbox-secret'))).toEqual([])
  })

  test('a frozen deployment is read-only on every page, says so, and an administrator ends that', async () => {
    const person = await openTab(browser, edge.url)
    await person.page.getByRole('button', { name: 'Continue as demo user' }).click()
    await showsHeading(person.page, 'Overview')
    await person.page.goto(`${edge.url}/banks`)
    await person.page.getByRole('button', { name: 'Refresh' }).waitFor()

    const { page } = await asOperator()
    await page.getByRole('button', { name: 'Freeze…' }).click()
    await review(page, 'operations-freeze')
    await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click()
    const notice = (of: Page) => of.getByRole('status').filter({ hasText: 'Changes are paused' })
    await notice(page).waitFor()
    await review(page, 'operations-frozen')
    await section(page, 'Dead letters', 'Dead letters')
    await notice(page).waitFor()
    expect(await page.getByRole('button', { name: 'Replay all…' }).isDisabled()).toBe(true)

    // The page of the person was read before the freeze: the refused change says it.
    await person.page.getByRole('button', { name: 'Refresh' }).click()
    await notice(person.page).waitFor()
    person.mishaps.expect(/^503 \/api\/v1\/plaid\/sync\/item\//)
    const sees = async (path: string, ...buttons: string[]): Promise<void> => {
      await person.page.goto(`${edge.url}${path}`)
      await notice(person.page).waitFor()
      for (const name of buttons) {
        const button = person.page.getByRole('button', { name }).first()
        await button.waitFor()
        expect({ path, name, isDisabled: await button.isDisabled() }).toEqual({ path, name, isDisabled: true })
        expect(await button.getAttribute('aria-describedby')).toBe('read-only')
      }
    }
    await sees('/banks', 'Connect a bank', 'Refresh', 'Remove…')
    await review(person.page, 'read-only-banks')
    await sees('/settings', 'Erase everything…')
    const consent = person.page.getByLabel('Add up my accounts and transactions')
    expect(await consent.isDisabled()).toBe(true)
    expect(await person.page.getByRole('button', { name: 'Download as' }).first().isEnabled()).toBe(true)
    await review(person.page, 'read-only-settings')
    await sees('/')

    await section(page, 'State', 'Operations')
    await page.getByRole('button', { name: 'End the freeze…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End the freeze' }).click()
    await page.getByText('The deployment is not frozen.').waitFor()
    await notice(page).waitFor({ state: 'detached' })
    await person.page.goto(`${edge.url}/banks`)
    await person.page.getByRole('button', { name: 'Remove…' }).waitFor()
    await expect.poll(() => person.page.getByRole('button', { name: 'Remove…' }).isEnabled()).toBe(true)
  })

  test('an ordinary user sees none of it, and its routes refuse the user', async () => {
    const { page } = await openTab(browser, edge.url)
    await page.getByRole('button', { name: 'Continue as demo user' }).click()
    await showsHeading(page, 'Overview')
    expect(await page.getByRole('link', { name: 'Operations' }).count()).toBe(0)
    for (const path of ['/operations', '/operations/runs', `/operations/items/${linked.id}`]) {
      await page.goto(`${edge.url}${path}`)
      await showsHeading(page, 'There is no such page')
    }
    const user = edge.as(demoUser)
    for (const path of [
      'items',
      `items/${linked.id}`,
      `items/${linked.id}/timeline`,
      'dead-letters',
      'audit',
      'quota',
      'exchanges',
      'removals',
      'orphans',
      'webhooks/refusals',
    ])
      expect((await user('GET', `/api/v1/admin/${path}`)).status).toBe(403)
    expect((await user('POST', '/api/v1/admin/search', { body: { id: linked.id } })).status).toBe(403)
  })
})
