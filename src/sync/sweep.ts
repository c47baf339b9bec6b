// Recovers lost messages and webhooks: enqueues products that are dirty and due, and reads the state of items to find
// missed webhooks.
import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import { clearStaging } from '../db/records/transactions-staging.ts'
import { claimDue, markStale, releaseDue } from '../db/sync/due.ts'
import { limitsWith, type PlaidLimitName, type PlaidLimits } from '../plaid/rate-limit/limits.ts'
import { type Freshness, freshness, type SyncProduct, syncProducts } from './products.ts'

const minute = 60
/** The time between two sweeps. */
const sweepSeconds = 5 * minute
/** Cloudflare's limit for one `sendBatch`. */
const batchSize = 100
/** How long sweeps skip an enqueued row. After that, its message counts as lost and is sent again. */
const enqueuedSeconds = 2 * sweepSeconds
/** Items whose state one sweep reads, those read longest ago first: 2 % of the limit of `/item/get`. */
const mostProbed = 500
/** Least time between two reads of an item's state: Plaid allows 15 a minute. */
const probeSeconds = 5
const stagingSeconds = 60 * minute

/** Rows are marked in steps, so that each statement stays short. */
const markStep = 5000
/** The share of Plaid's limit of a product that its regular reads may use; webhooks and users need the rest. */
const regularShare = 0.5
/** Plaid's limit that a read of the product counts against first. */
const limitOf: Readonly<Record<SyncProduct, PlaidLimitName>> = {
  item: 'item_get',
  balances: 'accounts',
  transactions: 'sync',
  recurring: 'recurring',
  holdings: 'holdings',
  investment_transactions: 'investment_transactions',
  liabilities: 'liabilities',
}

/** Rows of a product that one hourly run marks at most, all of which become due within the hour at the earliest. */
export const mostMarkedOf = (limits: PlaidLimits, product: SyncProduct): number =>
  Math.floor(limits[limitOf[product]].client * regularShare * 60)

/** A failing queue must not hold up the sweep: rows that are not sent by then are due for the next one. */
const longestSendMs = 120_000

/** The part of a use case's context that a sweep uses. */
export interface SweepCtx {
  readonly services: Pick<Ctx['services'], 'jobs' | 'enqueue'> & {
    readonly config: Pick<Config, 'sweep'> & { readonly plaid: Pick<Config['plaid'], 'limits'> }
  }
  readonly now: Ctx['now']
  readonly log: Pick<Ctx['log'], 'info' | 'error'>
}

/**
 * Enqueues products, the first immediately and the last just before the next sweep, so that the consumers keep up.
 * Returns the ids that the queue did not accept.
 */
async function enqueueSpread({ services, now }: SweepCtx, ids: readonly string[]): Promise<readonly string[]> {
  const endMs = now().getTime() + longestSendMs
  const { messagesPerSecond } = services.config.sweep
  const refused: string[] = []
  for (let start = 0; start < ids.length; start += batchSize) {
    if (now().getTime() >= endMs) return [...refused, ...ids.slice(start)]
    const batch = ids.slice(start, start + batchSize)
    refused.push(...(await services.enqueue(batch, 'sweep', Math.floor(start / messagesPerSecond))))
  }
  return refused
}

export interface Swept {
  readonly queued: number
  /** Due rows whose message the queue did not accept; due for the next sweep. */
  readonly notQueued: number
  readonly probed: number
}

/**
 * Marks items to read, enqueues due products, and deletes the staged rows of crashed runs. Safe to run concurrently.
 */
export async function sweep(ctx: SweepCtx): Promise<Swept> {
  const { jobs, config } = ctx.services
  const probed = await markStale(jobs, 'item', { olderThanSeconds: probeSeconds, spreadSeconds: 0, limit: mostProbed })
  const due = await claimDue(jobs, config.sweep.messagesPerSecond * sweepSeconds, enqueuedSeconds)
  const refused = await enqueueSpread(ctx, due.ids)
  await releaseDue(jobs, due, refused)
  await clearStaging(jobs, stagingSeconds)
  const swept = { queued: due.ids.length - refused.length, notQueued: refused.length, probed }
  const level = swept.notQueued > 0 ? 'error' : 'info'
  ctx.log[level]('sweep', { queued: swept.queued, failed: swept.notQueued, count: probed })
  return swept
}

/** Marks the rows of one product that are about to be stale. They become due at random times until then. */
async function markProduct(ctx: SweepCtx, { staleAfterSeconds, spreadSeconds }: Freshness, product: SyncProduct) {
  const olderThanSeconds = staleAfterSeconds - spreadSeconds
  const most = mostMarkedOf(limitsWith(ctx.services.config.plaid.limits), product)
  let marked = 0
  while (marked < most) {
    const limit = Math.min(markStep, most - marked)
    const step = await markStale(ctx.services.jobs, product, { olderThanSeconds, spreadSeconds, limit })
    marked += step
    if (step < limit) break
  }
  return marked
}

/** Marks the products that are about to be stale; the sweeps then enqueue them. Returns their number. */
export async function markStaleProducts(ctx: SweepCtx): Promise<number> {
  let marked = 0
  for (const product of syncProducts) marked += await markProduct(ctx, freshness[product], product)
  ctx.log.info('freshness', { count: marked })
  return marked
}
