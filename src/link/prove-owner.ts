// Proves that a public token belongs to the user who presents it. The proof comes from Plaid: its list of the user's
// items if the link token was created with Plaid's id of the user, else the sessions of the link token.
import type { Ctx, User } from '../context.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import type { Exchange } from '../db/link/exchanges.ts'
import { AppError } from '../errors.ts'
import { toAppError } from '../plaid/app-error.ts'

/** Pauses before the second and the third read of Plaid's list, which may lag behind the exchange. */
const pausesMs = [300, 900]

/**
 * Requires that a public token is a result of the link token's sessions, before it is used. In development, a missing
 * proof is logged and allowed, because Plaid's sandbox also creates public tokens without Link.
 * @throws AppError `link_token_refused`; `plaid_unavailable`, `plaid_rejected` if Plaid returned no sessions
 */
export async function requireOwnSession(
  ctx: Ctx<User>,
  { publicToken, linkToken }: { readonly publicToken: string; readonly linkToken: string | null },
): Promise<void> {
  if (linkToken !== null && (await isOfSession(ctx, createSecret(linkToken), publicToken))) return
  const { strict } = ctx.services.config
  ctx.log.warn('exchange_without_proof', { reason: linkToken === null ? 'no link token' : 'not of its sessions' })
  if (strict)
    throw new AppError('link_token_refused', 'This public token does not belong to a Link session of this user.', {
      reason: 'no proof of ownership',
    })
}

async function isOfSession({ services }: Ctx, linkToken: Secret, publicToken: string): Promise<boolean> {
  const result = await services.plaid.getLinkToken(linkToken)
  if (result.ok)
    return result.value.link_sessions.some(({ results }) =>
      results.some(({ public_token: added }) => added.reveal() === publicToken),
    )
  if (result.failure.errorCode === 'INVALID_LINK_TOKEN') return false
  throw toAppError(result.failure)
}

/**
 * Whether Plaid lists the exchanged item for the user of the link token; true if the link token has no Plaid user. In
 * development, a list that Plaid refuses to return is logged and counts as true.
 * @throws AppError `plaid_unavailable`, `plaid_rejected` if Plaid returned no list
 */
export async function isListedForUser(
  { services, log }: Ctx,
  { id, plaidUserId, plaidItemId }: Exchange,
): Promise<boolean> {
  if (plaidUserId === null) return true
  for (const pauseMs of [...pausesMs, null]) {
    const listed = await services.plaid.getUserItems(plaidUserId)
    if (!listed.ok) {
      const error = toAppError(listed.failure)
      if (services.config.strict || error.code === 'plaid_unavailable') throw error
      log.warn('exchange_without_proof', { exchange_id: id, plaid_error_code: listed.failure.errorCode })
      return true
    }
    if (listed.value.items.some(({ item_id: listedId }) => listedId === plaidItemId)) return true
    if (pauseMs !== null) await services.wait(pauseMs)
  }
  return false
}
