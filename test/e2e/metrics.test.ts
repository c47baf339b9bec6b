// The metrics of a running Worker, as Prometheus reads them: what requests, syncs and crons count, and nothing about a
// person.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { type Edge, startEdge } from '../support/edge.ts'
import { parseExposition, type Sample } from '../support/prometheus.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'

const path = '/api/v1/admin/metrics'
let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge.stop())

const scrape = () =>
  edge.callTo(
    edge.url,
    mintToken({
      secret: String(edge.variables['SECRET_KEY']),
      claims: { ...goodClaims('prometheus'), role: 'admin', scope: 'metrics' },
    }),
  )('GET', path)

async function samples(): Promise<readonly Sample[]> {
  return parseExposition((await scrape()).text).flatMap((family) => family.samples)
}

const valueOf = (all: readonly Sample[], name: string, labels: Record<string, string> = {}): number =>
  all
    .filter((sample) => sample.name === name)
    .filter(({ labels: own }) => Object.entries(labels).every(([label, value]) => own[label] === value))
    .reduce((sum, { value }) => sum + value, 0)

it('the endpoint of metrics counts requests, calls and syncs of a running Worker, and counters only grow', async () => {
  const item = await edge.linkAndSync('canary-subject')
  await edge.as('canary-subject')('GET', `/api/v1/plaid/items/${item.id}?canary`)
  const read = { route: '/api/v1/plaid/items/{id}', method: 'GET' }
  // An isolate sends what it has counted within five seconds.
  await expect
    .poll(async () => valueOf(await samples(), 'wn_http_request_duration_seconds_count', read), { timeout: 30_000 })
    .toBeGreaterThan(0)
  const all = await samples()
  expect(valueOf(all, 'wn_plaid_calls_total', { endpoint: '/item/public_token/exchange', code: 'ok' })).toBe(1)
  expect(valueOf(all, 'wn_sync_runs_total', { product: 'transactions', outcome: 'committed' })).toBeGreaterThan(0)
  expect(valueOf(all, 'wn_database_duration_seconds_count')).toBeGreaterThan(10)
  expect(valueOf(all, 'wn_encryption_duration_seconds_count', { operation: 'seal access_token' })).toBeGreaterThan(0)
  expect(valueOf(all, 'wn_webhooks_total', { outcome: 'accepted' })).toBeGreaterThan(0)
  const text = (await scrape()).text
  for (const secret of [item.id, item.plaidItemId, 'canary']) expect(text).not.toContain(secret)
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
  const later = await samples()
  const counters = all.filter(({ name }) => /_(?:total|count|bucket)$/.test(name))
  const decreased = counters.filter(({ name, labels, value }) => valueOf(later, name, labels) < value)
  expect(decreased).toEqual([])
})

it('a frozen Worker skips a cron, and the local stack knows it', async () => {
  const freeze = async (state: string) =>
    await edge.sql(`insert into safety_switches (name, state) values ('freeze', '${state}')
      on conflict (name) do update set state = excluded.state, changed_at = now()`)
  expect(await fireCron(edge.url, cronSchedules.sweep)).toBe(true)
  await freeze('frozen')
  expect(await fireCron(edge.url, cronSchedules.sweep)).toBe(false)
  // What an attacker deletes during an incident must leave a trace.
  expect(await fireCron(edge.url, cronSchedules.audit)).toBe(true)
  await freeze('off')
  expect(await fireCron(edge.url, cronSchedules.sweep)).toBe(true)
})

it('the endpoint of metrics shows the crons that ran', async () => {
  await edge.sweep()
  const sweeps = async () => valueOf(await samples(), 'wn_cron_runs_total', { job: 'sweep', outcome: 'ok' })
  await expect.poll(sweeps, { timeout: 30_000 }).toBeGreaterThan(0)
  const last = valueOf(await samples(), 'wn_cron_last_success_timestamp_seconds', { job: 'sweep' })
  expect(Math.abs(Date.now() / 1000 - last)).toBeLessThan(60)
})

it('the endpoint of metrics leaves no row in the audit trail, so that a scrape does not need the database', async () => {
  await scrape()
  const rows = await edge.sql("select target_id from audit_log where action = 'admin_read'")
  expect(rows).toEqual([])
})
