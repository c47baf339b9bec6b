// Access tokens: one that is in use, and at most one renewal at a time, however many calls need it.
import { problemOf } from './problem.ts'
import { retryAfterSeconds } from './wait.ts'

/** An access token. With `expiresIn` (seconds), the client renews it before it expires. */
export type AccessToken = string | { readonly token: string; readonly expiresIn?: number | undefined }

/**
 * Returns an access token. `refused` is the token that the API has refused, or null. Never runs twice at the same time
 * for one client.
 */
export type GetToken = (request: { readonly refused: string | null }) => AccessToken | Promise<AccessToken>

export interface Tokens {
  /** The token in use. */
  get(): Promise<string>
  /** A token other than `refused`. Calls that were refused with the same token share one renewal. */
  replace(refused: string): Promise<string>
}

/** How long before its end a token is renewed: longer than a request takes, and than clocks differ in a minute. */
const earlyMs = 30_000

interface Held {
  readonly token: string
  readonly renewAtMs: number
}

export function createTokens(getToken: GetToken, now: () => number = Date.now): Tokens {
  let held: Held | null = null
  let renewal: Promise<Held> | null = null

  const renew = (refused: string | null): Promise<Held> => {
    renewal ??= (async () => {
      const given = await getToken({ refused })
      const { token, expiresIn } = typeof given === 'string' ? { token: given } : given
      // A token for less than a minute is used for half of its time, and never renewed for each call.
      const earlier = expiresIn === undefined ? 0 : Math.min(earlyMs, expiresIn * 500)
      held = { token, renewAtMs: expiresIn === undefined ? Infinity : now() + expiresIn * 1000 - earlier }
      return held
    })().finally(() => {
      renewal = null
    })
    return renewal
  }
  const usable = (): Held | null => (held !== null && now() < held.renewAtMs ? held : null)

  return {
    get: async () => (renewal === null ? (usable() ?? (await renew(null))) : await renewal).token,
    async replace(refused) {
      // Another call has renewed it meanwhile.
      const current = renewal === null ? usable() : await renewal
      return (current !== null && current.token !== refused ? current : await renew(refused)).token
    },
  }
}

export interface SessionOptions {
  readonly baseUrl: string
  readonly fetch?: ((input: string, init: RequestInit) => Promise<Response>) | undefined
}

interface SessionBody {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token?: string
}

async function refresh(options: SessionOptions, init: RequestInit): Promise<SessionBody> {
  const url = `${options.baseUrl.replace(/\/+$/, '')}/api/v1/auth/refresh`
  const response = await (options.fetch ?? fetch)(url, { method: 'POST', redirect: 'manual', ...init })
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problemOf(response, body, retryAfterSeconds(response.headers, Date.now()))
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the response that the API description has
  return body as SessionBody
}

// oxlint-disable-next-line typescript/consistent-type-assertions -- the types of Workers lack this option of browsers
const withCookie = { credentials: 'include' } as RequestInit

/**
 * For pages on the same site as the API, after a sign-in with `"transport": "cookie"`: the browser keeps the refresh token
 * in a cookie that no script can read.
 */
export function cookieSession(options: SessionOptions): GetToken {
  return async () => {
    const { access_token: token, expires_in: expiresIn } = await refresh(options, withCookie)
    return { token, expiresIn }
  }
}

/** For apps that keep the refresh token themselves, such as in the keychain. */
export interface RefreshTokenStore {
  load(): string | null | Promise<string | null>
  /** Replaces the stored one: a refresh token works once. */
  save(refreshToken: string): void | Promise<void>
}

/** For mobile apps, after a sign-in with `"transport": "body"`. */
export function storedSession(options: SessionOptions & { readonly store: RefreshTokenStore }): GetToken {
  return async () => {
    const stored = await options.store.load()
    if (stored === null) throw new Error('No refresh token is stored: the user must sign in.')
    const {
      access_token: token,
      expires_in: expiresIn,
      refresh_token: next,
    } = await refresh(options, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: stored }),
    })
    if (next !== undefined) await options.store.save(next)
    return { token, expiresIn }
  }
}
