// Looks again at an item that was taken for lost: after a slip of the operator's (keys of another Plaid team, a wrong
// environment) Plaid still knows it, and no sync would ever find that out.
import type { Ctx } from '../context.ts'
import { findItemToRecheck, type RecheckedItem, restoreItem } from '../db/items/recheck.ts'
import { AppError } from '../errors.ts'
import type { FailureClass } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import { openAccessToken } from '../custody/access-token.ts'

export interface Rechecked {
  /** Whether Plaid knows the item. */
  readonly isKnown: boolean
  /** Products that were marked for reading. */
  readonly queued: number
}

/** Failures of `/item/get` that say that Plaid knows the item. */
const known: ReadonlySet<FailureClass> = new Set(['update_mode', 'at_bank', 'institution_down'])
/** Failures that say that only a new link helps. */
const lost: ReadonlySet<FailureClass> = new Set(['gone', 'revoked', 'relink'])

/**
 * Asks Plaid for an item that needs a relink, and takes it back into service where Plaid knows it. Any other item is read again.
 * @throws AppError `not_found`; `conflict` for an item whose user withdrew their permission, or that changed meanwhile;
 * `plaid_unavailable`, `plaid_rejected`, `misconfigured`, `token_undecryptable`: then nothing was changed
 */
export async function recheckItem(ctx: Ctx, itemId: string): Promise<Rechecked> {
  const item = await findItemToRecheck(ctx.services.jobs, itemId)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  if (item.status === 'revoked') throw new AppError('conflict', 'The user revoked access. Link the institution again.')
  if (item.status === 'relink_required' && !(await isKnownToPlaid(ctx, item))) return { isKnown: false, queued: 0 }
  const products = await restoreItem(ctx.services.jobs, item)
  if (products === null)
    throw new AppError('conflict', 'The item changed meanwhile. Try again.', { retryAfterSeconds: 1 })
  ctx.log.info('item_rechecked', { item_id: itemId })
  await ctx.services.enqueue(products, 'user')
  return { isKnown: true, queued: products.length }
}

async function isKnownToPlaid(ctx: Ctx, item: RecheckedItem): Promise<boolean> {
  const { keyring, plaidFor } = ctx.services
  const token = await openAccessToken(keyring, item.sealed, item)
  const { itemId, userId } = item
  const result = await plaidFor({ priority: 'interactive', itemId, userId }).getItem(token)
  if (result.ok || known.has(result.failure.class)) return true
  if (lost.has(result.failure.class)) return false
  throw toAppError(result.failure)
}
