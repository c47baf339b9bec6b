// The password once more, from somebody who is signed in. Counts like a sign-in: a stolen access token buys no guesses.
import type { Ctx, User } from '../context.ts'
import { beginReauthentication } from '../db/identity-passwords.ts'
import { passwordThrottle } from './policy.ts'
import { invalidCredentials, requirePlace, sessionOver } from './refusals.ts'
import { sessionOf } from './session.ts'
import { toolsOf } from './tools.ts'

type Reauthenticated = NonNullable<Awaited<ReturnType<typeof beginReauthentication>>>

/**
 * What the account is, for whoever knows its password.
 * @throws AppError `unauthorized` (the session is over), `invalid_credentials`, `rate_limited`
 */
export async function reauthenticate(ctx: Ctx<User>, password: string): Promise<Reauthenticated> {
  const { passwords } = await toolsOf(ctx.services)
  const account = await beginReauthentication(ctx.services.api, sessionOf(ctx), passwordThrottle)
  if (account === null) throw sessionOver('ended')
  requirePlace(account.retryAfterSeconds, 'too many password checks')
  const { matches } = await passwords.verify(password, account.passwordHash)
  if (!matches) throw invalidCredentials('wrong password')
  return account
}
