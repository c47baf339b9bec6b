// Whose bank a public token links: who holds a public token need not be who went through Link. Plaid knows, and is asked:
// by its list of the user's items where the link token carried Plaid's id of the user, else by the link token's sessions.
import type { Ctx, User } from '../context.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import type { Exchange } from '../db/link/exchanges.ts'
import { AppError } from '../errors.ts'
import { toAppError } from '../plaid/app-error.ts'

/** Before the second and the third look at Plaid's list: it may lag behind the exchange. */
const pausesMs = [300, 900]

/**
 * Asks Plaid, before a public token is used, whether it came of the link token's sessions. Refused without that proof; where
 * `ENVIRONMENT=development`, logged and allowed, since Plaid's sandbox also makes public tokens without Link.
 * @throws AppError `link_token_refused`; `plaid_unavailable`, `plaid_rejected` where Plaid did not tell
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
  const told = await services.plaid.getLinkToken(linkToken)
  if (told.ok)
    return told.value.link_sessions.some(({ results }) =>
      results.some(({ public_token: added }) => added.reveal() === publicToken),
    )
  if (told.failure.errorCode === 'INVALID_LINK_TOKEN') return false
  throw toAppError(told.failure)
}

/**
 * Whether Plaid lists the exchange's item for the user whom the link token named; true where it named none. In development,
 * a list that Plaid refuses to give is logged and proves nothing.
 * @throws AppError `plaid_unavailable`, `plaid_rejected` where Plaid did not tell
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
