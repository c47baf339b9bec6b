// Reads everything of an item again from the start and reconciles: for when what is stored is in doubt.
import type { Ctx } from '../context.ts'
import { restartItem } from '../db/sync/work.ts'
import { AppError } from '../errors.ts'

/**
 * Marks and wakes all products of an item, whoever it belongs to. Answers how many.
 * @throws AppError `not_found`
 */
export async function fullResync(ctx: Ctx, itemId: string): Promise<number> {
  const ids = await restartItem(ctx.services.jobs, itemId)
  if (ids === null) throw new AppError('not_found', 'There is no such item.')
  await ctx.services.enqueue(ids, 'user')
  return ids.length
}
