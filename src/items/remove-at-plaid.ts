// Removes queued items at Plaid. An item stays in the queue until Plaid has confirmed its removal.
import type { Ctx } from '../context.ts'
import type { Secret } from '../crypto/secret.ts'
import { tellRemoval } from '../db/items/removal.ts'
import { claimRemoval, confirmRemoval, noteRemovalFailure, type Removal } from '../db/items/plaid-removals.ts'
import { areLossesStopped } from '../db/operations/safety-switches.ts'
import { AppError } from '../errors.ts'
import type { PlaidResult } from '../plaid/client.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import { openAccessToken } from '../custody/access-token.ts'
import { servingUser } from './serving-user.ts'

/** Tries to end one of Plaid's items now. What fails is tried again by the sweep. */
export async function removeAtPlaid(ctx: Ctx, plaidItemId: string): Promise<void> {
  const removal = await claimRemoval(ctx.services.jobs, plaidItemId)
  if (removal !== null) await processRemoval(servingUser(ctx, removal.userId), removal)
}

/** Ends what was claimed. Answers whether Plaid has confirmed it. Until then, or until the change feed knows, it stays queued. */
export async function processRemoval(ctx: Ctx, removal: Removal): Promise<void> {
  const { jobs } = ctx.services
  const fields = { plaid_item_id: removal.plaidItemId, user_id: removal.userId, attempt: removal.attempts }
  // Plaid first, since it bills for the item.
  const isEnded = await tryRemoval(ctx, removal, fields)
  await tellRemoval(jobs, removal.plaidItemId)
  if (!isEnded) return
  await confirmRemoval(jobs, removal)
  // Plaid billed it although no row here knew it.
  if (removal.reason === 'orphan') ctx.log.error('item_orphaned', fields)
  ctx.log.info('item_ended', fields)
}

/** Whether the item is ended at Plaid; notes and logs why not. */
async function tryRemoval(ctx: Ctx, removal: Removal, fields: Readonly<Record<string, unknown>>): Promise<boolean> {
  const { jobs } = ctx.services
  const token = await openRemovalToken(ctx, removal)
  if (token instanceof AppError) {
    await noteRemovalFailure(jobs, removal, token.code)
    ctx.log.error('item_not_ended', { ...fields, error: token })
    return false
  }
  const result = await askPlaid(ctx, removal, token)
  if (result !== null && (result.ok || (await meansRemoved(ctx, result.failure)))) return true
  const code = result === null || result.ok ? 'TOKEN_AND_USER_UNKNOWN' : result.failure.errorCode
  await noteRemovalFailure(jobs, removal, code)
  ctx.log.error('item_not_ended', { ...fields, plaid_error_code: code })
  return false
}

/** A dead token counts as the end of its item, unless so many are dead that the fault must be on our side. */
async function meansRemoved(ctx: Ctx, failure: PlaidFailure): Promise<boolean> {
  if (failure.class !== 'gone') return false
  return failure.errorCode !== 'INVALID_ACCESS_TOKEN' || !(await areLossesStopped(ctx.services.jobs))
}

/** Null for an item whose token was lost; the failure where it is here and cannot be opened: with that, nothing is asked. */
async function openRemovalToken(ctx: Ctx, { token, userId }: Removal): Promise<Secret | AppError | null> {
  if (token === null) return null
  try {
    return await openAccessToken(ctx.services.keyring, token.sealed, { userId, itemId: token.itemId })
  } catch (error) {
    if (error instanceof AppError && error.code === 'token_undecryptable') return error
    throw error
  }
}

/** Null where there is nothing to ask with. */
async function askPlaid(ctx: Ctx, removal: Removal, token: Secret | null): Promise<PlaidResult<unknown> | null> {
  const { plaid } = ctx.services
  const byUser = async () =>
    removal.plaidUserId === null ? null : await plaid.removeUserItems(removal.plaidUserId, [removal.plaidItemId])
  if (token === null) return await byUser()
  const result = await plaid.removeItem(token)
  if (result.ok || result.failure.errorCode !== 'INVALID_ACCESS_TOKEN') return result
  // The token can be dead and the item alive: a new token was made, and never got here.
  const second = await byUser()
  return second === null || (!second.ok && second.failure.class === 'ours') ? result : second
}
