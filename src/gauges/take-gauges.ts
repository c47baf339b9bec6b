// Measures the state of the database for the metrics, every five minutes. The alarms and Prometheus read the stored values,
// so that neither of them loads the database.
import { readAuditState } from '../audit/last-verification.ts'
import type { Ctx } from '../context.ts'
import { type DatabaseGauges, readGauges } from '../db/operations/gauges.ts'
import { switchStates } from '../db/operations/safety-switches.ts'
import { removalReasons } from '../db/items/plaid-removals.ts'
import { itemStatusTable, stoppedStatuses } from '../item-status.ts'
import type { Metrics } from '../monitoring/metrics/collector.ts'
import { syncProducts } from '../sync/products.ts'

const everyMinutes = 5
/** Of every five, a minute in which no other cron fires. */
const inMinute = 4
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
  const synced = Math.max(0, Math.min(live - staleItems, freshItems ?? live))
  metrics.gauge('wn_items_synced_day_ratio', live === 0 ? 1 : synced / live)
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

function measureOperations(metrics: Metrics, state: DatabaseGauges): void {
  const { connections, lastBackup, lastVerifiedRestore } = state
  metrics.gauge('wn_database_connections', connections.used)
  metrics.gauge('wn_database_connections_limit', Math.floor(connections.most * poolShare))
  if (lastBackup !== null) metrics.gauge('wn_backup_last_success_timestamp_seconds', inSeconds(lastBackup))
  if (lastVerifiedRestore !== null)
    metrics.gauge('wn_backup_last_verified_timestamp_seconds', inSeconds(lastVerifiedRestore))
  const current = new Map(state.switches.map((row) => [row.name, row.state]))
  for (const [name, states] of Object.entries(switchStates))
    for (const one of states)
      metrics.gauge('wn_safety_switch', Number(current.get(name) === one), { switch: name, state: one })
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
  measureOperations(metrics, state)
  await measureAudit(ctx)
  metrics.gauge('wn_cron_last_success_timestamp_seconds', inSeconds(ctx.now()), { job: 'gauges' })
}

/** A part of the job of each minute. A failure is not one of that job: it has a separate heartbeat. */
export async function takeGaugesWhenDue(ctx: Ctx): Promise<void> {
  if (ctx.now().getUTCMinutes() % everyMinutes !== inMinute) return
  try {
    await takeGauges(ctx)
  } catch (error) {
    ctx.log.warn('gauges_not_taken', { error })
  }
}
