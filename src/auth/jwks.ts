// The published keys of one OIDC issuer, cached in the isolate. Tokens influence neither the URL nor the rate of
// fetches: one per cool-down.

import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose'
import * as z from 'zod'
import { withTimeout, withDeadline } from '../timeout.ts'
import { readText } from '../body.ts'
import { AppError } from '../errors.ts'

export interface JwksOptions {
  /** `AUTH_JWKS_URL`, from the configuration, never from a token. */
  readonly url: string
  readonly fetch: typeof fetch
  /** Timeout of one fetch, body included. */
  readonly timeoutMs?: number
  /** Least time between two fetches, including failed ones. */
  readonly cooldownMs?: number
  /** Age at which the keys are fetched again; the longest time that a withdrawn key is accepted. */
  readonly maxAgeMs?: number
  readonly maxBytes?: number
}

type KeySet = ReturnType<typeof createLocalJWKSet>
type PublicKey = Awaited<ReturnType<KeySet>>

/** Why keys are fetched: there are none, they are old, or a token names an unknown one. */
export type FetchReason = 'expired' | 'unknown_key'
/** Hooks of the request that causes a fetch. */
export interface FetchHooks {
  /** Called before the fetch. An error of it prevents the fetch and refuses the token. */
  readonly before: (reason: FetchReason) => Promise<void>
  /**
   * Keeps the fetch running if the client of the request disconnects, because other requests also wait for it:
   * `waitUntil`.
   */
  readonly keepAlive: (fetching: Promise<unknown>) => void
}

const noHooks: FetchHooks = { before: () => Promise.resolve(), keepAlive: () => undefined }

/**
 * Finds the key for a token's header.
 * @throws errors of `hooks.before`; AppError `unavailable` if there are no keys; jose's `JWKSNoMatchingKey` if no key
 *   matches
 */
export type JwksSource = (
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
  now: Date,
  hooks?: FetchHooks,
) => Promise<PublicKey>

interface Loaded {
  readonly keySet: KeySet
  readonly loadedAtMs: number
}

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })

function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError('unavailable', 'Access tokens cannot be verified at the moment. Try again later.', {
    reason,
    cause,
    retryAfterSeconds: 10,
  })
}

/** A source of the keys at `url`. Create one for each isolate, because it contains the cache and the cool-down. */
export function createJwksSource(options: JwksOptions): JwksSource {
  const { cooldownMs = 30_000, maxAgeMs = 600_000, timeoutMs = 5000 } = options
  let loaded: Loaded | null = null
  let attemptedAtMs = Number.NEGATIVE_INFINITY
  let pending: Promise<Loaded> | null = null

  const isCooling = (nowMs: number): boolean => nowMs - attemptedAtMs < cooldownMs && pending !== null

  /** Starts a fetch unless one was started within the cool-down. Callers in the same cool-down share it. */
  async function refresh(nowMs: number, reason: FetchReason, { before, keepAlive }: FetchHooks): Promise<Loaded> {
    if (!isCooling(nowMs)) await before(reason)
    // Another request may have started it meanwhile.
    if (!isCooling(nowMs) || pending === null) {
      attemptedAtMs = nowMs
      pending = load(options, nowMs)
      keepAlive(pending)
    }
    // The fetch may belong to another request, which the platform can cancel, so each caller has a separate timeout.
    loaded = await withTimeout(timeoutMs, pending, () => {
      throw unavailable('the JWKS endpoint is slow')
    })
    return loaded
  }

  return async (header, token, now, hooks = noHooks) => {
    const nowMs = now.getTime()
    const isFresh = loaded !== null && nowMs - loaded.loadedAtMs < maxAgeMs
    const current = isFresh && loaded !== null ? loaded : await refresh(nowMs, 'expired', hooks)
    try {
      return await current.keySet(header, token)
    } catch (error) {
      // The issuer may have a new key. `refresh` fetches at most once per cool-down.
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      return await (await refresh(nowMs, 'unknown_key', hooks)).keySet(header, token)
    }
  }
}

async function load(options: JwksOptions, nowMs: number): Promise<Loaded> {
  const { url, fetch, timeoutMs = 5000, maxBytes = 262_144 } = options
  try {
    const text = await withDeadline(timeoutMs, async (signal) => {
      const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } })
      if (!response.ok) throw unavailable(`the JWKS endpoint answered ${response.status}`)
      return await readText(response.body, maxBytes)
    })
    if (text === null) throw unavailable('the JWKS is too large')
    const keys = jwksSchema.parse(JSON.parse(text))
    return { keySet: createLocalJWKSet(keys), loadedAtMs: nowMs }
  } catch (error) {
    throw error instanceof AppError ? error : unavailable('the JWKS could not be read', error)
  }
}
