// Heals what was lost on the way: wakes work that is dirty and due, and asks Plaid whether a webhook went missing.
import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import { clearStaging } from '../db/records/transactions-staging.ts'
import { claimDue, markStale, releaseDue } from '../db/sync/work.ts'
import { type Freshness, freshness, type SyncProduct, syncProducts } from './products.ts'

const minute = 60
/** The time between two sweeps. */
const sweepSeconds = 5 * minute
/** As many as one call of the queue takes. */
const batchSize = 100
/** A woken row is left alone until its message has come and been worked on; one that was lost is sent again after it. */
const enqueuedSeconds = 2 * sweepSeconds
/** `/item/get` calls in one sweep for the items that were not looked at for longest: 2 % of the client's limit. */
const mostProbed = 500
/** Two probes of an item are never closer than this: 15 a minute are allowed. */
const probeSeconds = 5
const stagingSeconds = 60 * minute

/**
 * Rows of a product that are marked in an hour at most, wherever they come from: 500 a minute when they become due, half
 * of the tightest of Plaid's limits. Marked in steps, each a statement that a database answers soon.
 */
const mostMarked = 30_000
const markStep = 5000

/** A queue that refuses batch after batch must not hold up the sweep: what is not sent by then is due for the next one. */
const longestSendMs = 120_000

/** The part of a use case's context that a sweep uses. */
export interface SweepCtx {
  readonly services: Pick<Ctx['services'], 'jobs' | 'enqueue'> & { readonly config: Pick<Config, 'sweep'> }
  readonly now: Ctx['now']
  readonly log: Pick<Ctx['log'], 'info' | 'error'>
}

/**
 * Wakes at a pace that the queue keeps up with: the first at once, the last just before the next sweep. Returns the ids
 * that were not woken.
 */
async function enqueueSpread({ services, now }: SweepCtx, ids: readonly string[]): Promise<readonly string[]> {
  const endMs = now().getTime() + longestSendMs
  const { wakesPerSecond } = services.config.sweep
  const refused: string[] = []
  for (let start = 0; start < ids.length; start += batchSize) {
    if (now().getTime() >= endMs) return [...refused, ...ids.slice(start)]
    const batch = ids.slice(start, start + batchSize)
    refused.push(...(await services.enqueue(batch, 'sweep', Math.floor(start / wakesPerSecond))))
  }
  return refused
}

export interface Swept {
  readonly queued: number
  /** Due rows whose message the queue did not take; due for the next sweep. */
  readonly notQueued: number
  readonly probed: number
}

/** Marks the items to probe, wakes what is due, and cleans up after runs that died. Safe to run twice at once. */
export async function sweep(ctx: SweepCtx): Promise<Swept> {
  const { jobs, config } = ctx.services
  const probed = await markStale(jobs, 'item', { olderThanSeconds: probeSeconds, spreadSeconds: 0, limit: mostProbed })
  const due = await claimDue(jobs, config.sweep.wakesPerSecond * sweepSeconds, enqueuedSeconds)
  const refused = await enqueueSpread(ctx, due.ids)
  await releaseDue(jobs, due, refused)
  await clearStaging(jobs, stagingSeconds)
  const swept = { queued: due.ids.length - refused.length, notQueued: refused.length, probed }
  const level = swept.notQueued > 0 ? 'error' : 'info'
  ctx.log[level]('sweep', { queued: swept.queued, failed: swept.notQueued, count: probed })
  return swept
}

/** Marks one product's rows that are about to be stale, due at random until they are. */
async function markProduct(ctx: SweepCtx, { staleAfterSeconds, spreadSeconds }: Freshness, product: SyncProduct) {
  const olderThanSeconds = staleAfterSeconds - spreadSeconds
  let marked = 0
  while (marked < mostMarked) {
    const step = await markStale(ctx.services.jobs, product, { olderThanSeconds, spreadSeconds, limit: markStep })
    marked += step
    if (step < markStep) break
  }
  return marked
}

/** Marks what its product's freshness asks for; the sweeps then wake it. */
export async function markStaleProducts(ctx: SweepCtx): Promise<number> {
  let marked = 0
  for (const product of syncProducts) marked += await markProduct(ctx, freshness[product], product)
  ctx.log.info('freshness', { count: marked })
  return marked
}
