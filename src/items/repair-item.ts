// The end of update mode as the client reports it.
import type { Ctx, User } from '../context.ts'
import { getItem, type Item } from '../db/items.ts'
import { AppError } from '../errors.ts'
import { requestSync } from '../sync/request-sync.ts'

/** Looks at everything of the item again; whether it is repaired, Plaid says. */
export async function markRepaired(ctx: Ctx<User>, id: string): Promise<Item> {
  await requestSync(ctx, id)
  const item = await getItem(ctx.services.api, ctx.actor.identity, id)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  return item
}
