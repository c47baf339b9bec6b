// Sessions for clients: a short-lived access token and a refresh token.
import { type AccessTokenClaims, signAccessToken } from '../auth/sign-access-token.ts'
import type { Ctx, User } from '../context.ts'
import type { NewSession, SessionKey } from '../db/identity/credentials.ts'
import { accessTokenSeconds, sessionLifetime, sessionsPerAccount } from './policy.ts'
import { newRefreshToken, type RefreshToken } from './refresh-token.ts'
import { sessionEnded } from './errors.ts'
import type { IdentityServices } from './services.ts'

/** A session may do everything, or only read. */
export const sessionScopes = { full: 'read write', read: 'read' } as const
export type SessionScope = keyof typeof sessionScopes

export interface SessionGrant {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: string
  /** Lifetime of an unused refresh token. */
  readonly refreshExpiresInSeconds: number
}

/** A session and a device token, as a sign-in returns them. */
export interface SignedIn extends SessionGrant {
  /** With it, the next sign-in on this device has its own limit. */
  readonly deviceToken: string
  readonly deviceExpiresInSeconds: number
}

/** A session to store, and its refresh token. */
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
 * The account and session of the caller's access token. Does not check that the session is live; the database does.
 * @throws AppError `unauthorized` for a token of this deployment without a session
 */
export function sessionOf({ actor }: Ctx<User>): SessionKey {
  if (actor.sessionId === undefined) throw sessionEnded('the token names no session')
  return { accountId: actor.identity.subject, sessionId: actor.sessionId }
}
