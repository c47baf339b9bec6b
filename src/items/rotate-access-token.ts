// Rotates an item's access token. Plaid invalidates the old one immediately, so until the commit only this process has
// the new one. The intent is stored before, so that the next read of the item finds a loss; the item then needs a
// relink. Runs in the queue, where no client can cancel it.
import { audit } from '../audit/audit.ts'
import { recordTokenUse } from '../audit/token-use.ts'
import { aboutUser, type Ctx } from '../context.ts'
import { cancelRotation, claimRotation, type ClaimedRotation, endRotation } from '../db/items/rotations.ts'
import { AppError } from '../errors.ts'
import { retryWhileUnavailable } from '../retry.ts'
import { isOutcomeUnknown } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import type { Priority } from '../plaid/rate-limit/window.ts'
import { openAccessToken, sealAccessToken } from '../custody/access-token.ts'

/** Attempts to store the new token. After the last one, the item is lost. */
const storeAttempts = 6

/**
 * Rotates the token of the request. Returns `busy` while another delivery of the message rotates it, and `done` also if
 * the item already has another token.
 * @throws AppError `plaid_unavailable`, `plaid_rejected`, `item_needs_attention` if Plaid did not rotate it;
 *   `unavailable` if the database did not respond
 */
export async function rotateAccessToken(
  given: Ctx,
  { itemId, tokenDigest }: Pick<ClaimedRotation, 'itemId' | 'tokenDigest'>,
  priority: Priority = 'interactive',
): Promise<'done' | 'busy'> {
  const { jobs, plaidFor, keyring, newId } = given.services
  const item = await claimRotation(jobs, itemId, tokenDigest, newId())
  if (item === null) return 'done'
  if (item === 'busy') return 'busy'
  const ctx = aboutUser(given, item.userId)
  await recordTokenUse(ctx, item)
  const old = await openAccessToken(keyring, item.sealed, item)
  const result = await plaidFor({ priority, itemId: null, userId: item.userId }).invalidateAccessToken(old)
  if (!result.ok) {
    if (isOutcomeUnknown(result.failure))
      ctx.log.error('rotation_unanswered', { item_id: itemId, plaid_error_code: result.failure.errorCode })
    // An invalid token was lost before. The intent stays, so that the next read of the item finds the loss.
    else if (result.failure.class !== 'gone') await cancelRotation(jobs, item)
    throw toAppError(result.failure)
  }
  const products = await store(ctx, item, await sealAccessToken(keyring, result.value.new_access_token, item))
  ctx.log.info('access_token_rotated', { item_id: itemId })
  await ctx.services.enqueue(products, 'raised')
  return 'done'
}

async function store(ctx: Ctx, item: ClaimedRotation, sealed: string): Promise<readonly string[]> {
  const { jobs, wait, random } = ctx.services
  const { itemId, userId } = item
  const row = await audit(ctx, { action: 'token_rotated', target: itemId, owner: { userId } })
  try {
    const products = await retryWhileUnavailable({ attempts: storeAttempts, firstPauseMs: 200, wait, random }, () =>
      endRotation(jobs, item, sealed, row),
    )
    if (products !== null) return products
    throw new AppError('conflict', 'The access token was replaced meanwhile.', { reason: 'access token replaced' })
  } catch (error) {
    ctx.log.error('access_token_lost', { item_id: item.itemId, error })
    throw error
  }
}
