// The client reports that update mode has ended.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { type Item, repairItem } from '../db/items/items.ts'
import { AppError } from '../errors.ts'

/**
 * Marks all products of the item dirty; the sync finds out whether the login works. Also clears announced
 * disconnections. For these the client's report is the only source, because Plaid sends no webhook after update mode in
 * the operator's own application.
 * @throws AppError `not_found` if the item does not belong to the user
 */
export async function markRepaired(ctx: Ctx<User>, id: string): Promise<Item> {
  const repaired = await repairItem(
    ctx.services.api,
    ctx.actor.identity,
    id,
    await audit(ctx, { action: 'item_repaired', target: id }),
  )
  if (repaired === null) throw new AppError('not_found', 'There is no such item.')
  await ctx.services.enqueue(repaired.itemProductIds, 'user')
  return repaired.item
}
