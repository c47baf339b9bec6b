// A session at the provider: access tokens for the page, and the end.
import { type VerifiedClaims, verifyAccessToken } from '../auth/access-token.ts'
import { sha256 } from '../crypto/digest.ts'
import { encodeHex, lengthPrefixed } from '../crypto/encoding.ts'
import { openSession, type StoredSession } from '../custody/console-cookies.ts'
import { AppError } from '../errors.ts'
import { withTimeout } from '../timeout.ts'
import type { Tokens } from './client.ts'
import { failureOf, SignInFailed, type SignInProblem } from './failure.ts'
import type { SignInOptions } from './sign-in.ts'

/** The cookies of a session. */
export interface SessionCookies {
  readonly sealed: string
  /** Names the browser that the session was sealed for. */
  readonly browser: string
}

export interface Continued {
  readonly accessToken: string
  readonly claims: VerifiedClaims
  /** Replaces the stored session; null if the provider's refresh token is still the same. */
  readonly renewed: StoredSession | null
}

/**
 * How long the tokens of a refresh are kept for a second request with the same refresh token: its cookie is older, or the first
 * request could not replace it, because the keys that verify the access token could not be read.
 */
const keptMs = 30_000
/** Longer than the provider may take for its document and the tokens (bounded-fetch.ts). */
const waitMs = 20_000
/** Only a new sign-in helps. */
const ends: ReadonlySet<SignInProblem> = new Set(['expired', 'denied', 'interaction'])

/** Runs one refresh for all requests that come with the same cookie at the same time, and shortly after. */
export function createSingleFlight<Result>(
  now: () => Date,
): (key: string, run: () => Promise<Result>) => Promise<Result> {
  const flights = new Map<string, { readonly result: Promise<Result>; readonly atMs: number }>()
  return async (key, run) => {
    const nowMs = now().getTime()
    for (const [other, { atMs }] of flights) if (nowMs - atMs > keptMs) flights.delete(other)
    const known = flights.get(key)
    const result = known?.result ?? run()
    if (known === undefined) {
      flights.set(key, { result, atMs: nowMs })
      void result.catch(() => flights.delete(key))
    }
    // It may belong to another request, which the platform can cancel.
    return await withTimeout(waitMs, result, () => {
      throw new SignInFailed('provider', 'the provider is slow')
    })
  }
}

const ended = (reason: string): AppError =>
  new AppError('unauthorized', 'The session has ended. Sign in again.', { reason })

export type Flight = ReturnType<typeof createSingleFlight<Tokens>>

/** @throws AppError `unauthorized` if the provider has ended the session; `unavailable` */
async function refreshedTokens(
  { client }: SignInOptions,
  flight: Flight,
  { sealed, browser }: SessionCookies,
  token: string,
): Promise<Tokens> {
  const key = encodeHex(await sha256(lengthPrefixed([sealed, browser])))
  try {
    return await flight(key, () => client.refresh(token))
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null) throw error
    if (ends.has(failure.problem)) throw ended('the provider does not accept the refresh token')
    throw new AppError('unavailable', 'The identity provider fails at the moment. Try again later.', {
      reason: failure.message,
      retryAfterSeconds: 10,
    })
  }
}

/**
 * An access token for the page, which the API accepts.
 * @throws AppError `unauthorized` if the session has ended; `unavailable` if the provider fails
 */
export async function continueSession(
  options: SignInOptions,
  flight: Flight,
  cookies: SessionCookies,
): Promise<Continued> {
  const { keyring, clientId, auth, now } = options
  const session = await openSession(keyring, cookies.sealed, clientId, cookies.browser)
  if (session === null) throw ended('the cookie is not valid')
  if (session.endsAtMs <= now().getTime()) throw ended('the session is too old')
  if (session.kind === 'access') {
    const claims = await verifyAccessToken(session.token, auth, now())
    return { accessToken: session.token, claims, renewed: null }
  }
  const tokens = await refreshedTokens(options, flight, cookies, session.token)
  const claims = await verifyAccessToken(tokens.accessToken, auth, now())
  if (claims.subject !== session.subject) throw ended('the access token is of another person')
  const { accessToken, refreshToken } = tokens
  const isSame = refreshToken === null || refreshToken === session.token
  return { accessToken, claims, renewed: isSame ? null : { ...session, token: refreshToken } }
}

export interface Ended {
  /** The provider's page that ends its own session; null if there is none. */
  readonly location: string | null
  /** Why the provider did not learn of it, for the log. */
  readonly failure: string | null
}

/** Ends the session at the provider, as far as the provider can. The cookies end in any case. */
export async function endSession(options: SignInOptions, { sealed, browser }: SessionCookies): Promise<Ended> {
  const { keyring, clientId, client } = options
  const session = await openSession(keyring, sealed, clientId, browser)
  if (session === null) return { location: null, failure: null }
  const revoking = session.kind === 'refresh' ? client.revoke(session.token) : Promise.resolve()
  const [revoked, location] = await Promise.allSettled([revoking, client.endSessionUrl(session.idToken)])
  const failed = [revoked, location].find((result) => result.status === 'rejected')
  return {
    location: location.status === 'fulfilled' ? location.value : null,
    failure: failed === undefined ? null : (failureOf(failed.reason)?.message ?? 'unknown'),
  }
}
