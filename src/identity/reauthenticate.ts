// Asks a signed-in user for the password again. Counts attempts by session: a stolen access token allows few guesses,
// and other people's failures do not lock out the owner.
import { recordRefusal } from './audit.ts'
import type { Ctx, User } from '../context.ts'
import { beginReauthentication } from '../db/identity/passwords.ts'
import type { Bucket } from '../db/identity/credentials.ts'
import { invalidCredentials, requireAttempt, sessionEnded } from './errors.ts'
import { sessionOf } from './session.ts'
import { reauthentication } from './throttles.ts'
import { identityServices } from './services.ts'

type Reauthenticated = NonNullable<Awaited<ReturnType<typeof beginReauthentication>>> & {
  /** The buckets that counted the check. */
  readonly admitted: readonly Bucket[]
}

/**
 * Returns the account if the password is right.
 * @throws AppError `unauthorized` (the session has ended), `invalid_credentials`, `rate_limited`
 */
export async function reauthenticate(ctx: Ctx<User>, password: string): Promise<Reauthenticated> {
  const { database, passwords } = await identityServices(ctx.services)
  const key = sessionOf(ctx)
  const admitted = reauthentication(key.sessionId)
  const account = await beginReauthentication(database, key, admitted)
  if (account === null) throw sessionEnded('ended')
  ctx.note?.({ email: account.email })
  requireAttempt(account.retryAfterSeconds, 'too many password checks')
  const { matches } = await passwords.verify(password, account.passwordHash)
  if (!matches) {
    await recordRefusal(ctx, key.accountId)
    throw invalidCredentials('wrong password')
  }
  return { ...account, admitted }
}
