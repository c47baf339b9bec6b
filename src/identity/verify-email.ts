// Verifies an address and creates the account. Requires the code, which proves the address, and the password, which
// proves the registration: someone who registered another person's address, or who follows the link of someone else's
// registration, lacks one.
import { auditByAccount } from './audit.ts'
import type { Ctx } from '../context.ts'
import { encodeHex } from '../crypto/encoding.ts'
import { beginVerification, finishVerification } from '../db/identity/passwords.ts'
import { readCode } from './codes.ts'
import { issueDeviceToken } from './device-token.ts'
import { rememberNetwork, spendHash } from './hash-budget.ts'
import { invalidCredentials, invalidToken, requireAttempt } from './errors.ts'
import { grant, prepareSession, sessionScopes, type SignedIn } from './session.ts'
import { verification } from './throttles.ts'
import { identityServices } from './services.ts'

/**
 * Creates the account and returns its first session.
 * @throws AppError `invalid_token`, `invalid_credentials` (the password), `rate_limited`
 */
export async function verifyEmail(
  ctx: Ctx,
  { code, password }: { readonly code: string; readonly password: string },
): Promise<SignedIn> {
  const { services, now, note } = ctx
  const identity = await identityServices(services)
  const tokenHash = await readCode('verify-email', code)
  if (tokenHash === null) throw invalidToken('malformed')
  const buckets = verification(encodeHex(tokenHash))
  const { retryAfterSeconds, email, passwordHash } = await beginVerification(identity.database, tokenHash, buckets)
  requireAttempt(retryAfterSeconds, 'too many password checks')
  if (email === null || passwordHash === null) throw invalidToken('unknown or expired')
  note?.({ email })
  await spendHash(ctx)
  const { matches } = await identity.passwords.verify(password, passwordHash)
  if (!matches) throw invalidCredentials('not the password of the registration')
  const accountId = services.newId()
  const { session, token } = await prepareSession(services.newId(), 'full')
  const isCreated = await finishVerification(
    identity.database,
    { tokenHash, passwordHash, accountId },
    session,
    await auditByAccount(ctx, 'account_created', accountId),
  )
  if (!isCreated) throw invalidToken('used meanwhile, or the address has an account')
  await rememberNetwork(ctx)
  note?.({ accountId })
  const claims = { subject: accountId, sessionId: session.id, scope: sessionScopes.full, role: 'user' } as const
  const given = await grant(identity, claims, token.text, now())
  return { ...given, ...(await issueDeviceToken(identity.secret, email, now())) }
}
