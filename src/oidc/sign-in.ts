// A sign-in with the provider: authorization code with PKCE (RFC 7636, RFC 9700). Its secrets are sealed in a cookie of the
// browser that began it, so that a callback in another browser fails.
import { type AuthConfig, type VerifiedClaims, verifyAccessToken } from '../auth/access-token.ts'
import { verifyIdToken } from '../auth/id-token.ts'
import { equalConstantTime } from '../crypto/constant-time.ts'
import { sha256 } from '../crypto/digest.ts'
import { encodeBase64Url, encodeHex, utf8 } from '../crypto/encoding.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { openAttempt, sealAttempt, type StoredAttempt, type StoredSession } from '../custody/console-cookies.ts'
import type { OidcClient, Tokens } from './client.ts'
import { failureOf, SignInFailed } from './failure.ts'
import { returnPathOf } from './return-path.ts'

/** The time for the provider's pages. */
export const attemptSeconds = 600
/** The session ends then, however long the provider's own is. */
const sessionMs = 30 * 24 * 3_600_000
/** A longer one is left out: cookies are small. */
const mostIdToken = 2048

export interface SignInOptions {
  readonly clientId: string
  readonly client: OidcClient
  readonly auth: Extract<AuthConfig, { mode: 'oidc' }>
  readonly keyring: Keyring
  readonly now: () => Date
}

export interface Begun {
  /** The provider's page. */
  readonly location: string
  /** In the name of the cookie: tabs do not share one. */
  readonly id: string
  readonly sealed: string
}

export interface Completed {
  readonly session: StoredSession
  readonly claims: VerifiedClaims
  /** A page of the console. */
  readonly returnTo: string
}

/** 256 random bits, in the characters of RFC 7636 §4.1. */
const newSecret = (): string => encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)))

/** The id of the cookie of a sign-in. It does not reveal the state. */
export const attemptId = async (state: string): Promise<string> =>
  encodeHex((await sha256(utf8(state))).subarray(0, 16))

/** @throws SignInFailed if the provider's addresses cannot be read */
export async function beginSignIn(options: SignInOptions, returnTo: string | null): Promise<Begun> {
  const { client, clientId, keyring, now } = options
  const attempt: StoredAttempt = {
    state: newSecret(),
    nonce: newSecret(),
    verifier: newSecret(),
    returnTo: returnPathOf(returnTo),
    expiresAtMs: now().getTime() + attemptSeconds * 1000,
  }
  try {
    const [location, id] = await Promise.all([client.authorizationUrl(attempt), attemptId(attempt.state)])
    return { location, id, sealed: await sealAttempt(keyring, attempt, clientId, id) }
  } catch (error) {
    throw failureOf(error) ?? error
  }
}

/** The sign-in that this browser began with this state. @throws SignInFailed `expired` */
async function attemptOf(
  { keyring, clientId, now }: SignInOptions,
  state: string | null,
  sealedOf: (id: string) => string | null,
): Promise<StoredAttempt> {
  if (state === null) throw new SignInFailed('expired', 'there is no state')
  const id = await attemptId(state)
  const sealed = sealedOf(id)
  if (sealed === null) throw new SignInFailed('expired', 'this browser did not begin the sign-in')
  const attempt = await openAttempt(keyring, sealed, clientId, id)
  if (attempt === null || !equalConstantTime(utf8(attempt.state), utf8(state)))
    throw new SignInFailed('expired', 'the cookie is of another sign-in')
  if (attempt.expiresAtMs <= now().getTime()) throw new SignInFailed('expired', 'the sign-in took too long')
  return attempt
}

/**
 * Redeems the code of a callback.
 * @param sealedOf the cookie of a sign-in by its id
 * @throws SignInFailed
 */
export async function completeSignIn(
  options: SignInOptions,
  callback: URLSearchParams,
  sealedOf: (id: string) => string | null,
): Promise<Completed> {
  try {
    const attempt = await attemptOf(options, callback.get('state'), sealedOf)
    const { client, clientId, auth, now } = options
    const tokens = await client.redeem(callback, attempt)
    if (tokens.idToken === null) throw new SignInFailed('provider', 'there is no ID token')
    await verifyIdToken(tokens.idToken, auth, { clientId, nonce: attempt.nonce }, now()).catch((error: unknown) => {
      throw new SignInFailed('provider', failureOf(error)?.message ?? 'the ID token cannot be verified')
    })
    const claims = await verifyAccessToken(tokens.accessToken, auth, now())
    const session = sessionOf(tokens, claims, now().getTime() + sessionMs)
    return { session, claims, returnTo: returnPathOf(attempt.returnTo) }
  } catch (error) {
    throw failureOf(error) ?? error
  }
}

/** What the cookie keeps: never both tokens. */
export function sessionOf(tokens: Tokens, { subject, expiresAt }: VerifiedClaims, endsAtMs: number): StoredSession {
  const { idToken, refreshToken, accessToken } = tokens
  const common = { subject, idToken: idToken !== null && idToken.length <= mostIdToken ? idToken : null }
  return refreshToken === null
    ? { ...common, kind: 'access', token: accessToken, endsAtMs: Math.min(endsAtMs, expiresAt.getTime()) }
    : { ...common, kind: 'refresh', token: refreshToken, endsAtMs }
}
