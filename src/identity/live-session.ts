// Checks whether the session of an access token is still live, for routes that cannot rely on the token's expiry. One
// indexed read.
import type { Ctx, User } from '../context.ts'
import { sessionLives } from '../db/identity/sessions.ts'
import { sessionEnded } from './errors.ts'
import { sessionOf } from './session.ts'
import { identityDatabase } from './services.ts'

/** @throws AppError `unauthorized` if the session of the caller's token has ended */
export async function requireLiveSession(ctx: Ctx<User>): Promise<void> {
  if (!(await sessionLives(await identityDatabase(ctx.services), sessionOf(ctx)))) throw sessionEnded('ended')
}
