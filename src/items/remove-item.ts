// Ends an item: at Plaid first, since its subscription is billed until then, then here.
import type { Ctx, User } from '../context.ts'
import { getSealedToken, hideItem, purgeItem } from '../db/items.ts'
import { AppError } from '../errors.ts'
import { refusalOf } from '../plaid/refusal.ts'
import { openAccessToken } from './access-token.ts'

/**
 * Removes a user's item at Plaid and hides it at once; `purge` deletes what it brought. Doing it again is no error.
 * @throws AppError `not_found`; `plaid_unavailable` when Plaid could not be told: then nothing has changed
 */
export async function removeItem(ctx: Ctx<User>, id: string, { purge }: { purge: boolean }): Promise<void> {
  const { api, plaid, keyring } = ctx.services
  const { identity } = ctx.actor
  const stored = await getSealedToken(api, identity, id)
  if (stored === null) throw new AppError('not_found', 'There is no such item.')
  if (!stored.removed) {
    const token = await openAccessToken(keyring, stored.sealed, stored)
    const result = await plaid.removeItem(token)
    if (!result.ok && result.failure.class !== 'gone') throw refusalOf(result.failure)
    ctx.log.info('item_removed', { item_id: id })
  }
  await (purge ? purgeItem(api, identity, id) : hideItem(api, identity, id))
}
