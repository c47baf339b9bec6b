// Heals what was lost on the way: wakes work that is dirty and due, and asks Plaid whether a webhook went missing.
import type { Ctx } from '../context.ts'
import { claimDue, clearStaging, markStale } from '../db/sync-work.ts'
import { freshness, syncProducts } from './products.ts'

const minute = 60
/** Wake-up calls in one sweep: fits Plaid's limit of 2,500 syncs a minute over the five minutes to the next sweep. */
const mostWoken = 10_000
/** A woken row is left alone for so long; a message that was lost is sent again after it. */
const wokenSeconds = 5 * minute
/** `/item/get` calls in one sweep for the items that were not looked at for longest: 2 % of the client's limit. */
const mostProbed = 500
/** Two probes of an item are never closer than this: 15 a minute are allowed. */
const probeSeconds = 5
const stagingSeconds = 60 * minute

/** Marks the items to probe, wakes what is due, and cleans up after runs that died. Safe to run twice at once. */
export async function sweep(ctx: Ctx): Promise<{ woken: number; probed: number }> {
  const { jobs, wake } = ctx.services
  const probed = await markStale(jobs, 'item', { olderThanSeconds: probeSeconds, spreadSeconds: 0, limit: mostProbed })
  const due = await claimDue(jobs, mostWoken, wokenSeconds)
  await wake(due, 'sweep')
  await clearStaging(jobs, stagingSeconds)
  ctx.log.info('sweep', { queued: due.length, count: probed })
  return { woken: due.length, probed }
}

/** Marks what is older than its product's freshness, due at random within the hour; the sweeps then wake it. */
export async function markStaleProducts(ctx: Ctx): Promise<number> {
  let marked = 0
  for (const product of syncProducts) {
    const { staleAfterSeconds, hourlyLimit } = freshness[product]
    marked += await markStale(ctx.services.jobs, product, {
      olderThanSeconds: staleAfterSeconds,
      spreadSeconds: 50 * minute,
      limit: hourlyLimit,
    })
  }
  ctx.log.info('freshness', { count: marked })
  return marked
}
