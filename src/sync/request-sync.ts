// A user's request for new data: marks products dirty and enqueues them. The queue consumer reads the data.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { markDirtyForUser } from '../db/items/items.ts'
import { AppError } from '../errors.ts'

/**
 * Marks the products of one item, or of all items of the user, dirty and enqueues them. Returns their number.
 * @throws AppError `not_found` if the item does not belong to the user
 */
export async function requestSync(ctx: Ctx<User>, itemId: string | null): Promise<number> {
  const ids = await markDirtyForUser(
    ctx.services.api,
    ctx.actor.identity,
    itemId,
    await audit(ctx, { action: 'sync_requested', target: itemId }),
  )
  if (ids === null) throw new AppError('not_found', 'There is no such item.')
  await ctx.services.enqueue(ids, 'user')
  return ids.length
}
