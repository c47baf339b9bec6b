// What a link, its syncs and its webhooks count, and the gauges of the same state. Labels are names of the code: no id,
// no amount, no name of a person.
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import type { Services } from '../../../src/context.ts'
import { connect } from '../../../src/db/core/client.ts'
import { takeGauges, takeGaugesWhenDue } from '../../../src/gauges/take-gauges.ts'
import { catalog, isMetric, metricNames } from '../../../src/monitoring/metrics/catalog.ts'
import { createMetrics } from '../../../src/monitoring/metrics/collector.ts'
import { operationMetrics } from '../../../src/monitoring/metrics/observe-operations.ts'
import type { Point } from '../../../src/monitoring/metrics/types.ts'
import { observeOperations } from '../../../src/monitoring/operation.ts'
import { receiveWebhook } from '../../../src/webhooks/receive.ts'
import { codeOf, linkAndSyncSmallBank, linkSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { addAndCatchWebhook } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

let points: Point[]
const store = { add: (added: readonly Point[]) => Promise.resolve(void points.push(...added)) }
const metrics = createMetrics({ store, wait: () => Promise.resolve(), newId: () => crypto.randomUUID() })
beforeEach(() => {
  points = []
  Reflect.set(world.services, 'metrics', metrics)
})

/** What is counted while something happens: `name label,label` → sum. */
async function countedBy(work: () => Promise<unknown>): Promise<Record<string, number>> {
  points = []
  await observeOperations([operationMetrics(metrics)], work)
  await metrics.flush()
  return Object.fromEntries(points.map(({ name, labels, sum }) => [[name, ...Object.values(labels)].join(' '), sum]))
}

it('the metrics count a link and its syncs, with labels that the catalog declares', async () => {
  const item = { id: '', plaidItemId: '' }
  const counted = await countedBy(async () => {
    Object.assign(item, await linkAndSyncSmallBank(world, 'counted'))
    await world.drain()
  })
  expect(counted).toMatchObject({
    'wn_sync_runs_total transactions committed none': expect.any(Number),
    'wn_sync_runs_total balances committed none': 1,
    'wn_plaid_calls_total /item/public_token/exchange ok': 1,
    'wn_plaid_calls_total /liabilities/get NO_LIABILITY_ACCOUNTS': 1,
    'wn_sync_runs_total liabilities absent none': 1,
    'wn_encryption_duration_seconds seal access_token': expect.any(Number),
  })
  for (const { name, labels } of points)
    expect(Object.keys(labels).toSorted()).toEqual(isMetric(name) ? [...catalog[name].labels].toSorted() : null)
  const values = points.flatMap(({ labels }) => Object.values(labels)).join('\n')
  for (const secret of [item.id, item.plaidItemId, 'counted', 'access-']) expect(values).not.toContain(secret)
  expect(values).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/)
})

it('the metrics count a failed sync by product and code', async () => {
  await linkSmallBank(world, 'failing')
  await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'INSTITUTION_DOWN' })
  expect(await countedBy(() => world.drain())).toMatchObject({
    'wn_sync_runs_total transactions later INSTITUTION_DOWN': 1,
    'wn_plaid_calls_total /transactions/sync INSTITUTION_DOWN': 1,
  })
})

it('the metrics count webhooks by outcome, and refusals by reason', async () => {
  const item = await linkAndSyncSmallBank(world, 'news')
  const delivery = await addAndCatchWebhook(world, item)
  expect(await countedBy(() => world.deliver(delivery))).toMatchObject({ 'wn_webhooks_total accepted': 1 })
  expect(await countedBy(() => world.deliver(delivery))).toMatchObject({ 'wn_webhooks_total replay': 1 })
  const forged = { plaidVerification: null, webhookSignature: null, body: new Uint8Array() }
  expect(
    await countedBy(() => codeOf(receiveWebhook({ ...world.job(), actor: { kind: 'anonymous' } }, forged))),
  ).toEqual({ 'wn_webhook_refusals_total missing_header': 1 })
})

it('the cron takes every gauge in one run, each with a value for every label', async () => {
  await linkAndSyncSmallBank(world, 'gauged')
  await world.drain()
  const counted = await countedBy(() => takeGauges(world.job()))
  expect(counted).toMatchObject({
    wn_items_synced_day_ratio: 1,
    'wn_sync_stale_products transactions': 0,
    'wn_removals_pending orphan': 0,
    'wn_items removed': 0,
    'wn_safety_switch freeze off': 1,
    'wn_safety_switch freeze frozen': 0,
  })
  expect(counted['wn_items_live']).toBeGreaterThan(0)
  const gauges = metricNames.filter((name) => catalog[name].kind === 'gauge')
  // Only a deployment that has made, restored or verified something has a time for it.
  const absent = gauges.filter((name) => !points.some((point) => point.name === name))
  expect(absent).toEqual([
    'wn_backup_last_success_timestamp_seconds',
    'wn_backup_last_verified_timestamp_seconds',
    'wn_audit_last_verification_timestamp_seconds',
    'wn_audit_valid',
  ])
})

it('the metrics show items that were not read for a day', async () => {
  await linkAndSyncSmallBank(world, 'stale')
  await world.drain()
  await world.elapse()
  await world.elapse()
  const counted = await countedBy(() => takeGauges(world.job()))
  expect(counted['wn_items_synced_day_ratio']).toBe(0)
  expect(counted['wn_sync_overdue_seconds transactions']).toBeGreaterThan(86_000)
})

it('the cron measures the freeze each minute, so that no alarm fires for what it refuses', async () => {
  await world.sql("update safety_switches set state = 'frozen' where name = 'freeze'")
  onTestFinished(async () => void (await world.sql("update safety_switches set state = 'off' where name = 'freeze'")))
  const now = () => new Date(Date.UTC(2031, 0, 1, 12, 1))
  expect(await countedBy(() => takeGaugesWhenDue({ ...world.job(), now }))).toMatchObject({
    'wn_safety_switch freeze off': 0,
    'wn_safety_switch freeze frozen': 1,
  })
})

it('the cron takes the gauges at most seven minutes apart when runs are late', async () => {
  let lastMs = Date.UTC(2031, 0, 1, 12, 4)
  /** Whether a run at this minute measures, and the store remembers it. */
  const measures = async (minute: number): Promise<boolean> => {
    const nowMs = Date.UTC(2031, 0, 1, 12, minute)
    const total = {
      name: 'wn_cron_last_success_timestamp_seconds',
      labels: { job: 'gauges' },
      sum: 0,
      count: 1,
      max: 0,
    }
    const totals = () => Promise.resolve([{ ...total, last: lastMs / 1000, updatedMs: lastMs }])
    const metricsStore: Services['metricsStore'] = {
      ...store,
      totals,
      read: () => Promise.resolve([]),
      readAlarms: () => Promise.resolve(null),
      saveAlarms: () => Promise.resolve(true),
    }
    const services = { ...world.services, metricsStore }
    const counted = await countedBy(() => takeGaugesWhenDue({ ...world.job(services), now: () => new Date(nowMs) }))
    if (!('wn_items_live' in counted)) return false
    lastMs = nowMs
    return true
  }
  // The run of the ninth minute ends its chain in the tenth.
  expect([await measures(5), await measures(8), await measures(10), await measures(11)]).toEqual([
    false,
    false,
    true,
    false,
  ])
  expect(await measures(14)).toBe(true)
})

it('the cron takes the gauges once in five minutes, and fails no job when the database does not respond', async () => {
  const at = (minute: number) => ({
    ...world.job(),
    now: () => new Date(Date.UTC(2031, 0, 1, 12, minute)),
  })
  const minutes: number[] = []
  for (let minute = 0; minute < 15; minute += 1)
    if ('wn_items_live' in (await countedBy(() => takeGaugesWhenDue(at(minute))))) minutes.push(minute)
  expect(minutes).toEqual([4, 9, 14])
  const jobs = connect('wn_jobs', world.database.jobsUrl, 'http://127.0.0.1:1/sql')
  // The endpoint is global to the driver.
  onTestFinished(() => void connect('wn_jobs', world.database.jobsUrl, world.database.endpoint))
  const failing = { ...at(4), services: { ...world.services, jobs } }
  expect(await countedBy(() => takeGaugesWhenDue(failing))).toEqual({
    'wn_database_errors_total NO_ANSWER': 1,
    'wn_database_duration_seconds select items': expect.any(Number),
  })
})
