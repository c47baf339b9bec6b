// Restores an item that was marked as lost by mistake, for example while the operator used API keys of another Plaid
// team. No sync would find out, because lost items are not read.
import { audit, recordAlone } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { findItemToRecheck, type RecheckedItem, restoreItem } from '../db/items/recheck.ts'
import { AppError } from '../errors.ts'
import type { FailureClass } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import { openAccessToken } from '../custody/access-token.ts'

export interface Rechecked {
  /** Whether Plaid has the item. */
  readonly isKnown: boolean
  /** Number of products that were marked dirty. */
  readonly queued: number
}

/** Failures of `/item/get` that prove that Plaid has the item. */
const known: ReadonlySet<FailureClass> = new Set(['update_mode', 'at_bank', 'institution_down'])
/** Failures that only a new link can resolve. */
const lost: ReadonlySet<FailureClass> = new Set(['gone', 'revoked', 'relink'])

/**
 * Restores an item that needs a relink if Plaid still has it. Marks the products of any other item dirty.
 * @throws AppError `not_found`; `conflict` if the user withdrew their permission, or the item changed meanwhile;
 * `plaid_unavailable`, `plaid_rejected`, `misconfigured`, `token_undecryptable`. Nothing is changed then.
 */
export async function recheckItem(ctx: Ctx, itemId: string): Promise<Rechecked> {
  const item = await findItemToRecheck(ctx.services.jobs, itemId)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  if (item.status === 'revoked') throw new AppError('conflict', 'The user revoked access. Link the institution again.')
  const row = await audit(ctx, { action: 'item_rechecked', target: itemId, owner: { itemId } })
  if (item.status === 'relink_required' && !(await isKnownToPlaid(ctx, item))) {
    await recordAlone(ctx, row)
    return { isKnown: false, queued: 0 }
  }
  const products = await restoreItem(ctx.services.jobs, item, row)
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
