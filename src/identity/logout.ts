// Ends sessions. Access tokens that were issued stay valid until they expire, 15 minutes at most, except on routes for
// the account, links, token rotations, removals and administrators, which check that the session is live.
import { audit } from '../audit/audit.ts'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import type { Ctx, User } from '../context.ts'
import * as store from '../db/identity/sessions.ts'
import { AppError, assertNever } from '../errors.ts'
import { closeSockets } from '../live/announce.ts'
import { readRefreshToken } from './refresh-token.ts'
import { sessionEnded } from './errors.ts'
import { sessionOf } from './session.ts'
import { identityDatabase } from './services.ts'

/** Ends the session of a refresh token, even one that was used before. Any other text is ignored. */
export async function logOut(ctx: Ctx, refreshToken: string | null): Promise<void> {
  const token = refreshToken === null ? null : await readRefreshToken(refreshToken)
  if (token === null) {
    // No session to end, and no row.
    ctx.audited?.('signed_out')
    return
  }
  const row = await audit(ctx, { action: 'signed_out', target: null })
  const accountId = await store.logOut(await identityDatabase(ctx.services), token.selectorHash, row)
  if (accountId !== null) await closeSockets(ctx, { issuer: LOCAL_ISSUER, subject: accountId }, 'signed_out')
}

/**
 * Ends all sessions of the account, including this one, and revokes its device tokens.
 * @throws AppError `unauthorized` if the caller's session has ended
 */
export async function logOutEverywhere(ctx: Ctx<User>): Promise<void> {
  const isEnded = await store.logOutEverywhere(
    await identityDatabase(ctx.services),
    sessionOf(ctx),
    await audit(ctx, { action: 'sessions_ended', target: null }),
  )
  if (!isEnded) throw sessionEnded('ended')
  await closeSockets(ctx, ctx.actor.identity, 'signed_out')
}

/**
 * Returns the account's sessions, oldest first.
 * @throws AppError `unauthorized` if the caller's session has ended
 */
export async function listSessions(ctx: Ctx<User>): Promise<(store.Session & { current: boolean })[]> {
  const key = sessionOf(ctx)
  const sessions = await store.listSessions(await identityDatabase(ctx.services), key)
  if (sessions.length === 0) throw sessionEnded('ended')
  return sessions.map((session) => ({ ...session, current: session.id === key.sessionId }))
}

/** @throws AppError `not_found` for an unknown or ended session, `unauthorized` if the caller's session has ended */
export async function endSession(ctx: Ctx<User>, id: string): Promise<void> {
  const outcome = await store.endSession(
    await identityDatabase(ctx.services),
    sessionOf(ctx),
    id,
    await audit(ctx, { action: 'session_ended', target: id }),
  )
  switch (outcome) {
    case 'done':
      // Those of the other sessions too: their clients get a new ticket.
      return await closeSockets(ctx, ctx.actor.identity, 'signed_out')
    case 'unknown':
      throw new AppError('not_found', 'There is no such session.')
    case 'over':
      throw sessionEnded('ended')
    default:
      assertNever(outcome)
  }
}
