// A user asks for fresh data: the marks are raised and the wake-up calls sent; the reading is the queue's.
import type { Ctx, User } from '../context.ts'
import { markDirtyForUser } from '../db/items/items.ts'
import { AppError } from '../errors.ts'

/**
 * Marks the products of one item, or of all the user's items, and wakes them. Answers how many.
 * @throws AppError `not_found` when the item is not the user's
 */
export async function requestSync(ctx: Ctx<User>, itemId: string | null): Promise<number> {
  const ids = await markDirtyForUser(ctx.services.api, ctx.actor.identity, itemId)
  if (ids === null) throw new AppError('not_found', 'There is no such item.')
  await ctx.services.enqueue(ids, 'user')
  return ids.length
}
