// Ends items at Plaid that are on the list of what is to be ended. An item is on it until Plaid has confirmed its end.
import type { Ctx } from '../context.ts'
import { claimRemoval, confirmRemoval, noteRemovalFailure, type Removal } from '../db/plaid-removals.ts'
import type { PlaidResult } from '../plaid/client.ts'
import { openAccessToken } from './access-token.ts'

/** Tries to end one of Plaid's items now. What fails is tried again by the sweep. */
export async function endAtPlaid(ctx: Ctx, plaidItemId: string): Promise<void> {
  const removal = await claimRemoval(ctx.services.jobs, plaidItemId)
  if (removal !== null) await endClaimed(ctx, removal)
}

/** Ends what was claimed. Answers whether Plaid has confirmed it. */
export async function endClaimed(ctx: Ctx, removal: Removal): Promise<boolean> {
  const { jobs } = ctx.services
  const fields = { plaid_item_id: removal.plaidItemId, user_id: removal.userId, attempt: removal.attempts }
  const result = await askPlaid(ctx, removal)
  if (result === null || (!result.ok && result.failure.class !== 'gone')) {
    const code = result === null || result.ok ? 'TOKEN_AND_USER_UNKNOWN' : result.failure.errorCode
    await noteRemovalFailure(jobs, removal, code)
    ctx.log.error('item_not_ended', { ...fields, plaid_error_code: code })
    return false
  }
  await confirmRemoval(jobs, removal)
  // Plaid held and billed it, and nobody here knew.
  if (removal.reason === 'orphan') ctx.log.error('item_orphaned', fields)
  ctx.log.info('item_ended', fields)
  return true
}

/** Null where there is nothing to ask with. */
async function askPlaid(ctx: Ctx, removal: Removal): Promise<PlaidResult<unknown> | null> {
  const { plaid, keyring } = ctx.services
  const byUser = async () =>
    removal.plaidUserId === null ? null : await plaid.removeUserItems(removal.plaidUserId, [removal.plaidItemId])
  if (removal.token === null) return await byUser()
  const { sealed, itemId } = removal.token
  const result = await plaid.removeItem(await openAccessToken(keyring, sealed, { userId: removal.userId, itemId }))
  if (result.ok || result.failure.errorCode !== 'INVALID_ACCESS_TOKEN') return result
  // The token can be dead and the item alive: a new token was made, and never got here.
  const second = await byUser()
  return second === null || (!second.ok && second.failure.class === 'ours') ? result : second
}
