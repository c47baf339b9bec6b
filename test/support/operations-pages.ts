// The pages for operators in a browser: what each must show, and what none may show.
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import * as z from 'zod'
import { review, showsHeading } from './console-page.ts'
import { type Call, type Edge, expectStatus } from './edge.ts'

export const section = async (page: Page, label: string, title: string): Promise<void> => {
  await page.getByRole('navigation', { name: 'Operations' }).getByRole('link', { name: label }).click()
  await showsHeading(page, title)
}

/** Names and amounts that are stored about the demo user, as texts that stand alone. */
export const personal = async (edge: Edge): Promise<readonly string[]> => {
  const rows = await edge.sql(`select name as text from accounts union select official_name from accounts
    union select institution_name from items union select name from transactions union select merchant_name from transactions
    union select trim_scale(current_balance)::text from accounts where current_balance <> trunc(current_balance)
    union select trim_scale(amount)::text from transactions where amount <> trunc(amount)`)
  return rows.flatMap(({ text }) => (typeof text === 'string' && text.length > 3 ? [text] : []))
}

/** Neither the page nor the JSON behind its rows has an amount or a name. */
export const expectImpersonal = async (page: Page, texts: readonly string[]): Promise<void> => {
  const shown = (await page.locator('main').textContent()) ?? ''
  const words = new Set(shown.split(/[^\w.]+/))
  const found = texts.filter((text) => (/^-?[\d.]+$/.test(text) ? words.has(text) : shown.includes(text)))
  expect({ url: page.url(), found }).toEqual({ url: page.url(), found: [] })
}

/** The filters of webhooks, usage and the audit trail are in the address, and a reload keeps them. */
export async function filterLists(
  page: Page,
  { plaidItemId: id, itemId }: { readonly plaidItemId: string; readonly itemId: string },
): Promise<void> {
  await section(page, 'Webhooks', 'Webhooks')
  await page.getByLabel('Plaid item', { exact: true }).fill('no such item')
  await page.keyboard.press('Enter')
  await page.getByText('No webhook has arrived').waitFor()
  const plaidItem = page.getByLabel('Plaid item', { exact: true })
  expect(await plaidItem.evaluate((input) => input === document.activeElement)).toBe(true)
  for (const token of ['access-sandbox-secret', 'link-sandbox-secret']) {
    await plaidItem.fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('This is a secret. It was not sent').waitFor()
    expect(new URL(page.url()).searchParams.get('plaid_item_id')).toBe('no such item')
  }
  await page.getByLabel('Plaid item', { exact: true }).fill(id)
  await page.getByRole('button', { name: 'Filter the webhooks' }).click()
  await page.locator('.entry').first().waitFor()
  await page.reload()
  expect(new URL(page.url()).searchParams.get('plaid_item_id')).toBe(id)
  await page.locator('.entry').first().waitFor()
  expect(await page.getByLabel('Plaid item', { exact: true }).inputValue()).toBe(id)

  const requests: string[] = []
  page.on('request', (request) => void requests.push(request.url()))
  await section(page, 'Usage', 'Usage of Plaid')
  for (const days of [7, 90]) {
    await page.getByText(`${days} days`, { exact: true }).click()
    await page.waitForURL(new RegExp(`days=${days}`))
    const from = new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10)
    await expect.poll(() => requests.some((url) => url.endsWith(`/admin/usage?from=${from}`))).toBe(true)
  }
  await page.reload()
  await page.getByRole('radio', { name: '90 days' }).waitFor()
  expect(await page.getByRole('radio', { name: '90 days' }).isChecked()).toBe(true)

  await section(page, 'Audit', 'Audit trail')
  await page.getByLabel('Action').selectOption('item_linked')
  await page.getByLabel('Actor').selectOption('user')
  await page.locator('.entry').first().waitFor()
  // Days that are typed make no read until they are complete.
  const before = requests.length
  await page.getByLabel('From').fill('2026-01-01')
  await page.getByLabel('Target', { exact: true }).fill(itemId)
  expect(requests.slice(before)).toEqual([])
  await page.getByRole('button', { name: 'Filter the audit trail' }).click()
  await expect
    .poll(() => [...new URL(page.url()).searchParams.keys()].toSorted())
    .toEqual(['action', 'actor', 'from', 'target_id'])
  await page.reload()
  await expect.poll(() => page.locator('.entry').count()).toBe(1)
  await page.locator('.entry').getByText('Item linked').waitFor()
  expect(await page.getByLabel('Target', { exact: true }).inputValue()).toBe(itemId)
  await page.getByLabel('User', { exact: true }).fill('not an id')
  await page.getByRole('button', { name: 'Filter the audit trail' }).click()
  expect(
    await page.getByLabel('User', { exact: true }).evaluate((field: HTMLInputElement) => field.validity.valid),
  ).toBe(false)
  expect(new URL(page.url()).searchParams.has('user_id')).toBe(false)
  await review(page, 'operations-audit-filtered')
}

/** The state page: each alarm with its runbook, the cron jobs, the backups, the verification of the audit trail. */
export async function expectState(page: Page, operator: Call): Promise<void> {
  // The metrics of an isolate are stored every few seconds.
  await expect
    .poll(async () => (await operator('GET', '/api/v1/admin/crons')).text, { timeout: 60_000 })
    .toContain('"job":"sweep"')
  const alarms = expectStatus(await operator('GET', '/api/v1/admin/alarms'), 200)
  const { data } = z.object({ data: z.array(z.object({ name: z.string() })) }).parse(alarms.json())
  await page.reload()
  const card = (title: string) =>
    page.locator('section.card').filter({ has: page.getByRole('heading', { name: title, exact: true }) })
  await card('Alarms').getByText('All alarms').click()
  for (const { name } of data) {
    const runbook = card('Alarms')
      .getByRole('link', { name: `Runbook of ${name}, opens in a new tab` })
      .last()
    expect(await runbook.getAttribute('href')).toBe(`https://github.com/example/edge/blob/HEAD/docs/runbook.md#${name}`)
  }
  await card('Cron jobs')
    .getByRole('listitem')
    .filter({ hasText: 'sweep' })
    .getByText(/[1-9]\d* succeeded, 0 failed/)
    .waitFor()
  const backups = card('Backups')
  await backups.getByText('(2 hours ago)').waitFor()
  expect(await backups.locator('div', { hasText: 'Last verified restore' }).last().locator('time').count()).toBe(1)
  const trail = card('Audit trail')
  await trail.getByText('None yet: npm run audit -- verify').waitFor()
  await review(page, 'operations-state')

  // What is hard to reach: an alarm that fires, and results of a verification.
  const alarmsBody = z.looseObject({ data: z.array(z.looseObject({ name: z.string() })) }).parse(alarms.json())
  const firing = alarmsBody.data.map((alarm) =>
    alarm.name === 'sync_lag' ? { ...alarm, state: 'firing', since: new Date().toISOString() } : alarm,
  )
  const last = { rows: 5, chains: 2, waiting: 0, checkpoint: null, verified_at: new Date().toISOString() }
  const fault = {
    what: 'row 7 differs from its signature',
    audit_id: null,
    chain: null,
    number: null,
    checkpoint: null,
  }
  let verification: object = { last: { ...last, valid: true, fault: null }, waiting: 3, waiting_since: null }
  await page.route('**/api/v1/admin/alarms', (route) => route.fulfill({ json: { ...alarmsBody, data: firing } }))
  await page.route('**/api/v1/admin/audit/verify', (route) => route.fulfill({ json: verification }))
  await page.reload()
  await card('Alarms').getByText('Firing').first().waitFor()
  await trail.getByText('Every row is as signed').waitFor()
  await trail.getByText('3', { exact: true }).waitFor()
  await review(page, 'operations-firing')
  verification = { last: { ...last, valid: false, fault }, waiting: 0, waiting_since: null }
  await page.reload()
  await trail.getByText('row 7 differs from its signature').waitFor()
}
