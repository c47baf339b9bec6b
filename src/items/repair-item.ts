// The end of update mode as the client reports it.
import type { Ctx, User } from '../context.ts'
import { type Item, repairItem } from '../db/items/items.ts'
import { AppError } from '../errors.ts'

/**
 * Looks at everything of the item again; whether its login works, Plaid says. Of announcements it says nothing, and sends no
 * webhook after update mode in one's own application, so of them the client's word is all there is.
 * @throws AppError `not_found` when the item is not the user's
 */
export async function markRepaired(ctx: Ctx<User>, id: string): Promise<Item> {
  const repaired = await repairItem(ctx.services.api, ctx.actor.identity, id)
  if (repaired === null) throw new AppError('not_found', 'There is no such item.')
  await ctx.services.enqueue(repaired.itemProductIds, 'user')
  return repaired.item
}
