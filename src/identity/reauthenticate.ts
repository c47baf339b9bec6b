// The password once more, from somebody who is signed in. Counts by the session: a stolen access
// token buys few guesses, and other people's failures do not refuse the owner.
import type { Ctx, User } from '../context.ts'
import { beginReauthentication } from '../db/identity/passwords.ts'
import type { Bucket } from '../db/identity/credentials.ts'
import { invalidCredentials, requirePlace, sessionOver } from './errors.ts'
import { sessionOf } from './session.ts'
import { reauthentication } from './throttles.ts'
import { identityServices } from './services.ts'

type Reauthenticated = NonNullable<Awaited<ReturnType<typeof beginReauthentication>>> & {
  /** What the check was counted in. */
  readonly admitted: readonly Bucket[]
}

/**
 * What the account is, for whoever knows its password.
 * @throws AppError `unauthorized` (the session is over), `invalid_credentials`, `rate_limited`
 */
export async function reauthenticate(ctx: Ctx<User>, password: string): Promise<Reauthenticated> {
  const { database, passwords } = await identityServices(ctx.services)
  const key = sessionOf(ctx)
  const admitted = reauthentication(key.sessionId)
  const account = await beginReauthentication(database, key, admitted)
  if (account === null) throw sessionOver('ended')
  ctx.note?.({ email: account.email })
  requirePlace(account.retryAfterSeconds, 'too many password checks')
  const { matches } = await passwords.verify(password, account.passwordHash)
  if (!matches) throw invalidCredentials('wrong password')
  return { ...account, admitted }
}
