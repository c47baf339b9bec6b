// What must not wait until an access token expires asks whether the token's session still is: one indexed read.
import type { Ctx, User } from '../context.ts'
import { sessionLives } from '../db/identity/sessions.ts'
import { sessionOver } from './errors.ts'
import { sessionOf } from './session.ts'
import { identityDatabase } from './services.ts'

/** @throws AppError `unauthorized` when the session that the caller's token names is over */
export async function requireLiveSession(ctx: Ctx<User>): Promise<void> {
  if (!(await sessionLives(await identityDatabase(ctx.services), sessionOf(ctx)))) throw sessionOver('ended')
}
