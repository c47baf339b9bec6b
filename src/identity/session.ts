// A session as the client gets it: a short access token that says who, and a refresh token that gets the next one.
import { type AccessTokenClaims, signAccessToken } from '../auth/sign-access-token.ts'
import type { Ctx, User } from '../context.ts'
import type { NewSession, SessionKey } from '../db/identity/credentials.ts'
import { accessTokenSeconds, sessionLifetime, sessionsPerAccount } from './policy.ts'
import { newRefreshToken, type RefreshToken } from './refresh-token.ts'
import { sessionOver } from './errors.ts'
import type { IdentityServices } from './services.ts'

/** What a session may do: everything, or look. */
export const sessionScopes = { full: 'read write', read: 'read' } as const
export type SessionScope = keyof typeof sessionScopes

export interface SessionGrant {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: string
  /** How long the refresh token lives unused. */
  readonly refreshExpiresInSeconds: number
}

/** What a sign-in gives beside the session. */
export interface SignedIn extends SessionGrant {
  /** By which the next sign-in on this device has a limit of its own. */
  readonly deviceToken: string
  readonly deviceExpiresInSeconds: number
}

/** A session that is to be stored, and its refresh token. */
export async function prepareSession(
  id: string,
  scope: SessionScope,
): Promise<{ session: NewSession; token: RefreshToken }> {
  const token = await newRefreshToken()
  const { selectorHash, verifierHash } = token
  const session = {
    id,
    selectorHash,
    verifierHash,
    scope: sessionScopes[scope],
    ...sessionLifetime,
    most: sessionsPerAccount,
  }
  return { session, token }
}

export async function grant(
  { secret }: IdentityServices,
  claims: AccessTokenClaims,
  refreshToken: string,
  now: Date,
): Promise<SessionGrant> {
  return {
    accessToken: await signAccessToken(secret, claims, accessTokenSeconds, now),
    expiresInSeconds: accessTokenSeconds,
    refreshToken,
    refreshExpiresInSeconds: sessionLifetime.idleSeconds,
  }
}

/**
 * The account and session that the caller's access token names. That the session still is, the database checks.
 * @throws AppError `unauthorized` for a token of this deployment that no sign-in gave
 */
export function sessionOf({ actor }: Ctx<User>): SessionKey {
  if (actor.sessionId === undefined) throw sessionOver('the token names no session')
  return { accountId: actor.identity.subject, sessionId: actor.sessionId }
}
