// Ends an item: hidden from its user at once, ended at Plaid as soon as Plaid confirms it, and deleted here after a while.
import type { Ctx, User } from '../context.ts'
import { beginRemoval } from '../db/items/removal.ts'
import { findOwnItem } from '../db/items/items.ts'
import { purgeItem } from '../db/items/purge.ts'
import { AppError } from '../errors.ts'
import { removeAtPlaid } from './remove-at-plaid.ts'

/**
 * Removes a user's item; with `purge` what it brought is deleted now. Where Plaid cannot be told, or the
 * token cannot be opened, the sweep goes on trying: the item is `removing` until then. Doing it again is no error.
 * @throws AppError `not_found`
 */
export async function removeItem(ctx: Ctx<User>, id: string, { purge }: { purge: boolean }): Promise<void> {
  const { api, jobs, config } = ctx.services
  const keepDays = purge ? 0 : config.retention.removedDays
  const item = await findOwnItem(api, ctx.actor.identity, id)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  await beginRemoval(jobs, item, keepDays)
  ctx.log.info('item_removed', { item_id: id })
  await removeAtPlaid(ctx, item.plaidItemId)
  if (purge) await purgeItem(jobs, id)
}
