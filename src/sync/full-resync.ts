// Reads all data of an item again from the start. For operators who doubt the stored data.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { restartItem } from '../db/sync/work.ts'
import { AppError } from '../errors.ts'

/**
 * Marks all products of any user's item dirty and enqueues them. Returns their number.
 * @throws AppError `not_found`
 */
export async function fullResync(ctx: Ctx, itemId: string): Promise<number> {
  const ids = await restartItem(
    ctx.services.jobs,
    itemId,
    await audit(ctx, { action: 'item_resynced', target: itemId, owner: { itemId } }),
  )
  if (ids === null) throw new AppError('not_found', 'There is no such item.')
  await ctx.services.enqueue(ids, 'user')
  return ids.length
}
