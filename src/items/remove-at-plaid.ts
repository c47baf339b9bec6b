// Removes queued items at Plaid. An item stays in the queue until Plaid has confirmed its removal.
import { recordTokenUse } from '../audit/token-use.ts'
import type { Ctx } from '../context.ts'
import type { Secret } from '../crypto/secret.ts'
import { publishRemoval } from '../db/items/removal.ts'
import { claimRemoval, confirmRemoval, noteRemovalFailure, type Removal } from '../db/items/plaid-removals.ts'
import { areLossesStopped } from '../db/operations/safety-switches.ts'
import { AppError } from '../errors.ts'
import type { PlaidResult } from '../plaid/client.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import { openAccessToken } from '../custody/access-token.ts'
import { servingUser } from './serving-user.ts'

/** Tries to remove an item at Plaid now. The reconciler retries a failed removal. */
export async function removeAtPlaid(ctx: Ctx, plaidItemId: string): Promise<void> {
  const removal = await claimRemoval(ctx.services.jobs, plaidItemId)
  if (removal !== null) await processRemoval(servingUser(ctx, removal.userId), removal)
}

/** Processes a claimed removal. It stays queued until Plaid has confirmed it and the change feed contains it. */
export async function processRemoval(ctx: Ctx, removal: Removal): Promise<void> {
  const { jobs } = ctx.services
  const fields = { plaid_item_id: removal.plaidItemId, user_id: removal.userId, attempt: removal.attempts }
  // First at Plaid, which bills for the item.
  const isRemoved = await tryRemoval(ctx, removal, fields)
  await publishRemoval(jobs, removal.plaidItemId)
  if (!isRemoved) return
  await confirmRemoval(jobs, removal)
  // Plaid billed an item that was not stored here.
  if (removal.reason === 'orphan') ctx.log.error('item_orphaned', fields)
  ctx.log.info('item_ended', fields)
}

/** Returns whether the item is removed at Plaid. Records and logs a failure. */
async function tryRemoval(ctx: Ctx, removal: Removal, fields: Readonly<Record<string, unknown>>): Promise<boolean> {
  const { jobs } = ctx.services
  const token = await openRemovalToken(ctx, removal)
  if (token instanceof AppError) {
    await noteRemovalFailure(jobs, removal, token.code)
    ctx.log.error('item_not_ended', { ...fields, error: token })
    return false
  }
  const result = await requestRemoval(ctx, removal, token)
  if (result !== null && (result.ok || (await meansRemoved(ctx, result.failure)))) return true
  const code = result === null || result.ok ? 'TOKEN_AND_USER_UNKNOWN' : result.failure.errorCode
  await noteRemovalFailure(jobs, removal, code)
  ctx.log.error('item_not_ended', { ...fields, plaid_error_code: code })
  return false
}

/**
 * An invalid token means that the item is gone, unless so many tokens are invalid that the cause must be on our side.
 */
async function meansRemoved(ctx: Ctx, failure: PlaidFailure): Promise<boolean> {
  if (failure.class !== 'gone') return false
  return failure.errorCode !== 'INVALID_ACCESS_TOKEN' || !(await areLossesStopped(ctx.services.jobs))
}

/** Null for an item whose token was lost; the error if the stored token cannot be opened. */
async function openRemovalToken(ctx: Ctx, { token, userId }: Removal): Promise<Secret | AppError | null> {
  if (token === null) return null
  await recordTokenUse(ctx, { userId, itemId: token.itemId })
  try {
    return await openAccessToken(ctx.services.keyring, token.sealed, { userId, itemId: token.itemId }, token.table)
  } catch (error) {
    if (error instanceof AppError && error.code === 'token_undecryptable') return error
    throw error
  }
}

/** Returns null if neither a token nor Plaid's id of the user is known. */
async function requestRemoval(ctx: Ctx, removal: Removal, token: Secret | null): Promise<PlaidResult<unknown> | null> {
  const { plaid } = ctx.services
  const byUser = async () =>
    removal.plaidUserId === null ? null : await plaid.removeUserItems(removal.plaidUserId, [removal.plaidItemId])
  if (token === null) return await byUser()
  const result = await plaid.removeItem(token)
  if (result.ok || result.failure.errorCode !== 'INVALID_ACCESS_TOKEN') return result
  // The item may still exist: a rotated token may have been lost before it was stored.
  const second = await byUser()
  return second === null || (!second.ok && second.failure.class === 'ours') ? result : second
}
