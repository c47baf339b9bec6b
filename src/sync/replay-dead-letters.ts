// Replays dead letters: enqueues the products and Link sessions that they name. Safe, because a message only identifies
// the row to read.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { type Replayed, replayDeadLetters } from '../db/operations/dead-letters.ts'
import { AppError } from '../errors.ts'

/** Dead letters of one call. */
const mostAtOnce = 1000

/** @throws AppError `not_found` */
export async function replayOne(ctx: Ctx, id: string): Promise<number> {
  const replayed = await replayDeadLetters(
    ctx.services.jobs,
    { id },
    await audit(ctx, { action: 'dead_letters_replayed', target: id }),
  )
  if (replayed === null) throw new AppError('not_found', 'There is no such dead letter.')
  return await enqueueAll(ctx, replayed)
}

/** Replays up to 1,000 dead letters that were not replayed yet, oldest first. Returns the number of messages. */
export async function replayAll(ctx: Ctx): Promise<number> {
  const replayed = await replayDeadLetters(
    ctx.services.jobs,
    { limit: mostAtOnce },
    await audit(ctx, { action: 'dead_letters_replayed', target: null }),
  )
  return replayed === null ? 0 : await enqueueAll(ctx, replayed)
}

async function enqueueAll(ctx: Ctx, { letters, itemProductIds, linkSessionIds }: Replayed): Promise<number> {
  ctx.log.info('dead_letters_replayed', { count: letters, queued: itemProductIds.length })
  await ctx.services.enqueue(itemProductIds, 'replay')
  await ctx.services.enqueueLinkSessions(linkSessionIds)
  return itemProductIds.length + linkSessionIds.length
}
