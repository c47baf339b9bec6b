// Heals what was lost on the way: wakes work that is dirty and due, and asks Plaid whether a webhook went missing.
import type { Ctx } from '../context.ts'
import { claimDue, clearStaging, markStale } from '../db/sync-work.ts'
import { type Freshness, freshness, type SyncProduct, syncProducts } from './products.ts'

const minute = 60
/** The time between two sweeps. */
const sweepSeconds = 5 * minute
/**
 * Wake-up calls that a sweep sends in a second: half of what the 50 consumers of the queue do when each takes a second,
 * so that a click does not stand in line behind it. Plaid's limits are the quota's to keep.
 */
const wokenPerSecond = 25
const mostWoken = wokenPerSecond * sweepSeconds
/** As many as one call of the queue takes. */
const wakeBatch = 100
/** A woken row is left alone until its message has come and been worked on; one that was lost is sent again after it. */
const wokenSeconds = 2 * sweepSeconds
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

/** As much of what a verb is given as these use. */
export interface SweepCtx {
  readonly services: Pick<Ctx['services'], 'jobs' | 'wake'>
  readonly log: Pick<Ctx['log'], 'info'>
}

/** Wakes at a pace that the queue keeps up with: the first at once, the last just before the next sweep. */
async function wakeSpread(ctx: SweepCtx, ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += wakeBatch)
    await ctx.services.wake(ids.slice(start, start + wakeBatch), 'sweep', Math.floor(start / wokenPerSecond))
}

/** Marks the items to probe, wakes what is due, and cleans up after runs that died. Safe to run twice at once. */
export async function sweep(ctx: SweepCtx): Promise<{ woken: number; probed: number }> {
  const { jobs } = ctx.services
  const probed = await markStale(jobs, 'item', { olderThanSeconds: probeSeconds, spreadSeconds: 0, limit: mostProbed })
  const due = await claimDue(jobs, mostWoken, wokenSeconds)
  await wakeSpread(ctx, due)
  await clearStaging(jobs, stagingSeconds)
  ctx.log.info('sweep', { queued: due.length, count: probed })
  return { woken: due.length, probed }
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
