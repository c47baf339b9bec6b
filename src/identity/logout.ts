// Ending sessions. An access token that is out lives on to its end, 15 minutes at most, except for what concerns the
// account, links, access tokens at Plaid, removals and administrators' routes: these ask whether the session still is.
import type { Ctx, User } from '../context.ts'
import * as identity from '../db/identity/sessions.ts'
import { AppError, assertNever } from '../errors.ts'
import { readRefreshToken } from './refresh-token.ts'
import { sessionOver } from './errors.ts'
import { sessionOf } from './session.ts'
import { identityDatabase } from './services.ts'

/** Ends the session of a refresh token, used ones included; anything else is a session that has ended. */
export async function logOut({ services }: Ctx, refreshToken: string | null): Promise<void> {
  const token = refreshToken === null ? null : await readRefreshToken(refreshToken)
  if (token !== null) await identity.logOut(await identityDatabase(services), token.selectorHash)
}

/**
 * Ends all of the account's sessions, this one too, and forgets its devices.
 * @throws AppError `unauthorized` when the caller's own is over
 */
export async function logOutEverywhere(ctx: Ctx<User>): Promise<void> {
  const isEnded = await identity.logOutEverywhere(await identityDatabase(ctx.services), sessionOf(ctx))
  if (!isEnded) throw sessionOver('ended')
}

/**
 * The account's sessions, oldest first.
 * @throws AppError `unauthorized` when the caller's own is over
 */
export async function listSessions(ctx: Ctx<User>): Promise<(identity.Session & { current: boolean })[]> {
  const key = sessionOf(ctx)
  const sessions = await identity.listSessions(await identityDatabase(ctx.services), key)
  if (sessions.length === 0) throw sessionOver('ended')
  return sessions.map((session) => ({ ...session, current: session.id === key.sessionId }))
}

/** @throws AppError `not_found` for another's or an ended one, `unauthorized` when the caller's own is over */
export async function endSession(ctx: Ctx<User>, id: string): Promise<void> {
  const outcome = await identity.endSession(await identityDatabase(ctx.services), sessionOf(ctx), id)
  switch (outcome) {
    case 'done':
      return
    case 'unknown':
      throw new AppError('not_found', 'There is no such session.')
    case 'over':
      throw sessionOver('ended')
    default:
      assertNever(outcome)
  }
}
