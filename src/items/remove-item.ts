// Removes an item: hides it from its user immediately, removes it at Plaid, and deletes its rows after the retention
// period.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { findOwnItem } from '../db/items/items.ts'
import { purgeItem } from '../db/items/purge.ts'
import { AppError } from '../errors.ts'
import { queueRemoval } from './queue-removal.ts'
import { announceOwn } from '../live/announce.ts'
import { removeAtPlaid } from './remove-at-plaid.ts'

/**
 * Removes a user's item; with `purge`, deletes its rows now. If the removal at Plaid fails, the reconciler retries it
 * and the item stays `removing`. Idempotent.
 * @throws AppError `not_found`
 */
export async function removeItem(ctx: Ctx<User>, id: string, { purge }: { purge: boolean }): Promise<void> {
  const { api, jobs, config } = ctx.services
  const keepDays = purge ? 0 : config.retention.removedDays
  const item = await findOwnItem(api, ctx.actor.identity, id)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  const row = await audit(ctx, { action: purge ? 'item_purged' : 'item_removed', target: id })
  await queueRemoval(ctx, item, { keepDays }, row)
  ctx.log.info('item_removed', { item_id: id })
  await removeAtPlaid(ctx, item.plaidItemId)
  if (purge) await purgeItem(jobs, id)
  await announceOwn(ctx, [id])
}
