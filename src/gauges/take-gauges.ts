// Measures the state of the database for the metrics, every five minutes. The alarms and Prometheus read the stored values,
// so that neither of them loads the database.
import { readAuditState } from '../audit/last-verification.ts'
import type { Ctx } from '../context.ts'
import { type DatabaseGauges, readGauges } from '../db/operations/gauges.ts'
import { readFreeze } from '../db/operations/freeze.ts'
import { switchStates } from '../db/operations/safety-switches.ts'
import { removalReasons } from '../db/items/plaid-removals.ts'
import { itemStatusTable, stoppedStatuses } from '../item-status.ts'
import type { Metrics } from '../monitoring/metrics/collector.ts'
import { syncProducts } from '../sync/products.ts'

const minuteMs = 60_000
const everyMinutes = 5
/** Of every five, a minute in which no other cron fires. */
const inMinute = 4
/** A run that the chain delayed can miss that minute: at this age, the measurement is repeated in any other. */
const overdueMs = 5.5 * minuteMs
/** In its minute, it is not repeated so soon. */
const recentMs = 2 * minuteMs
const heartbeatMetric = 'wn_cron_last_success_timestamp_seconds'
const job = 'gauges'
/** Neon's pooler opens at most this share of the server's connections for one login. */
const poolShare = 0.9

/** Products that are read once a day; the item's own state is read more often. */
const dailyProducts = syncProducts.filter((product) => product !== 'item')

const inSeconds = (time: Date): number => time.getTime() / 1000

function measureItems(metrics: Metrics, { itemsByStatus, staleItems, freshItems }: DatabaseGauges): void {
  const counts = new Map(itemsByStatus.map(({ status, count }) => [status, count]))
  let live = 0
  for (const status of Object.keys(itemStatusTable)) {
    const count = counts.get(status) ?? 0
    metrics.gauge('wn_items', count, { status })
    if (!stoppedStatuses.some((stopped) => stopped === status)) live += count
  }
  metrics.gauge('wn_items_live', live)
  const reachable = live - (counts.get('institution_down') ?? 0)
  const synced = Math.max(0, Math.min(reachable - staleItems, freshItems ?? reachable))
  metrics.gauge('wn_items_synced_day_ratio', reachable === 0 ? 1 : synced / reachable)
}

/** Every series has a value each time: an absent one would look like a measurement that failed. */
function measureWork(metrics: Metrics, state: DatabaseGauges): void {
  for (const { product, products, seconds } of state.overdueByProduct) {
    metrics.gauge('wn_sync_overdue_seconds', Math.max(0, seconds), { product })
    metrics.gauge('wn_sync_stale_products', products, { product })
  }
  metrics.gauge('wn_sync_due_products', state.dueProducts)
  metrics.gauge('wn_dead_letters_open', state.openDeadLetters)
  metrics.gauge('wn_link_exchanges_open', state.openExchanges.count)
  metrics.gauge('wn_link_exchange_oldest_age_seconds', state.openExchanges.seconds)
  for (const reason of new Set<string>([...removalReasons, ...state.removals.map((removal) => removal.reason)])) {
    const waiting = state.removals.find((removal) => removal.reason === reason)
    metrics.gauge('wn_removals_pending', waiting?.count ?? 0, { reason })
    metrics.gauge('wn_removal_oldest_age_seconds', waiting?.seconds ?? 0, { reason })
  }
}

/** @param takesKeys whether the deployment accepts API keys; otherwise nothing is sent to applications, on purpose */
function measureEvents(metrics: Metrics, { dueDeliveries }: DatabaseGauges, takesKeys: boolean): void {
  const due = dueDeliveries.filter(({ applications }) => takesKeys || !applications)
  metrics.gauge(
    'wn_event_deliveries_due',
    due.reduce((sum, { count }) => sum + count, 0),
  )
  metrics.gauge('wn_event_delivery_oldest_due_seconds', Math.max(0, ...due.map(({ seconds }) => seconds)))
}

function measureOperations(metrics: Metrics, state: DatabaseGauges): void {
  const { connections, lastBackup, lastVerifiedRestore } = state
  metrics.gauge('wn_database_connections', connections.used)
  metrics.gauge('wn_database_connections_limit', Math.floor(connections.most * poolShare))
  if (lastBackup !== null) metrics.gauge('wn_backup_last_success_timestamp_seconds', inSeconds(lastBackup))
  if (lastVerifiedRestore !== null)
    metrics.gauge('wn_backup_last_verified_timestamp_seconds', inSeconds(lastVerifiedRestore))
  const current = new Map(state.switches.map((row) => [row.name, row.state]))
  for (const [name, states] of Object.entries(switchStates)) measureSwitch(metrics, name, states, current.get(name))
}

function measureSwitch(metrics: Metrics, name: string, states: readonly string[], current: string | undefined): void {
  for (const state of states) metrics.gauge('wn_safety_switch', Number(current === state), { switch: name, state })
}

async function measureAudit(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.services
  const { last, waiting } = await readAuditState(ctx)
  if (last !== null) {
    metrics.gauge('wn_audit_last_verification_timestamp_seconds', inSeconds(last.at))
    metrics.gauge('wn_audit_valid', Number(last.fault === null))
  }
  const since = waiting.oldestAt === null ? 0 : (ctx.now().getTime() - waiting.oldestAt.getTime()) / 1000
  metrics.gauge('wn_audit_unchained_rows', waiting.count)
  metrics.gauge('wn_audit_unchained_age_seconds', Math.max(0, since))
}

/** @throws AppError if the database did not respond; gauges that are not measured are absent after a quarter of an hour */
export async function takeGauges(ctx: Ctx): Promise<void> {
  const { metrics, jobs } = ctx.services
  const state = await readGauges(jobs, dailyProducts)
  measureItems(metrics, state)
  measureWork(metrics, state)
  measureEvents(metrics, state, ctx.services.config.apiKeys !== null)
  measureOperations(metrics, state)
  await measureAudit(ctx)
  metrics.gauge(heartbeatMetric, inSeconds(ctx.now()), { job })
}

/** When the gauges were last measured, by any isolate; null if that is not known. */
async function lastMeasuredMs({ services, log }: Ctx): Promise<number | null> {
  try {
    const totals = (await services.metricsStore?.totals({ names: [heartbeatMetric] })) ?? []
    const found = totals.find(({ name, labels }) => name === heartbeatMetric && labels['job'] === job)
    return found === undefined ? null : found.last * 1000
  } catch (error) {
    log.warn('gauges_age_unknown', { error })
    return null
  }
}

async function isDue(ctx: Ctx): Promise<boolean> {
  const lastMs = await lastMeasuredMs(ctx)
  const now = ctx.now()
  const isItsMinute = now.getUTCMinutes() % everyMinutes === inMinute
  if (lastMs === null) return isItsMinute
  return now.getTime() - lastMs >= (isItsMinute ? recentMs : overdueMs)
}

/** Each minute: a freeze that begins now must fire no alarm for the requests that it refuses. */
async function measureFreeze({ services }: Ctx): Promise<void> {
  const { state } = await readFreeze(services.jobs)
  measureSwitch(services.metrics, 'freeze', switchStates.freeze, state)
}

/** A part of the job of each minute. A failure is not one of that job: it has a separate heartbeat. */
export async function takeGaugesWhenDue(ctx: Ctx): Promise<void> {
  try {
    await ((await isDue(ctx)) ? takeGauges(ctx) : measureFreeze(ctx))
  } catch (error) {
    ctx.log.warn('gauges_not_taken', { error })
  }
}
