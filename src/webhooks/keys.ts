// Plaid's webhook keys by kid, for one isolate. Whatever kids come in, it asks for a bounded number of keys and holds a
// bounded number of answers; it never takes "could not ask" for "does not exist".

import * as z from 'zod'
import { within } from '../deadline.ts'
import { AppError } from '../errors.ts'
import type { FindKey, KeyAnswer } from './verify.ts'

/** What the key endpoint said: its `key` object unparsed, or that there is no such key. Throws when it did not answer. */
export type FetchedKey = { readonly found: unknown } | { readonly notFound: true }
export type FetchKey = (kid: string) => Promise<FetchedKey>

export interface KeyCacheLimits {
  /** How long a key is used before it is asked for again: the bound on noticing its expiry. */
  readonly ttlMs: number
  /** How long "no such key" is believed. */
  readonly negativeTtlMs: number
  /** Key requests an isolate makes in one window for new kids, and as many for known ones. */
  readonly maxRequests: number
  readonly windowMs: number
  /** Keys held, and "no such key" answers held. */
  readonly maxEntries: number
  /** How long one delivery waits for a request, its own or another's. */
  readonly waitMs: number
}

export const defaultKeyCacheLimits: KeyCacheLimits = {
  ttlMs: 24 * 60 * 60 * 1000,
  negativeTtlMs: 5 * 60 * 1000,
  maxRequests: 10,
  windowMs: 60 * 1000,
  maxEntries: 100,
  waitMs: 5000,
}

export interface KeyCacheOptions {
  readonly fetchKey: FetchKey
  /** Told why an answer was `unavailable`: what `fetchKey` threw, or that it answered nonsense. */
  readonly onFailure?: (kid: string, error: unknown) => void
  readonly limits?: Partial<KeyCacheLimits>
}

/** Plaid's JWK. Other members are ignored; `alg` and `use` may be absent (RFC 7517 §4), but say nothing else. */
const plaidKey = z.object({
  alg: z.literal('ES256').optional(),
  crv: z.literal('P-256'),
  kid: z.string(),
  kty: z.literal('EC'),
  use: z.literal('sig').optional(),
  x: z.string().length(43),
  y: z.string().length(43),
  /** Seconds since 1970; text where the answer was read with exact numbers. */
  expired_at: z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,15}(?:\.\d{1,9})?$/)
        .transform(Number),
    ])
    .nullish(),
})

type Entry =
  | {
      readonly kind: 'key'
      readonly publicKey: CryptoKey
      readonly expiresAtMs: number | null
      readonly staleAtMs: number
    }
  | { readonly kind: 'unknown'; readonly staleAtMs: number }

interface Pending {
  readonly startedAtMs: number
  readonly answer: Promise<KeyAnswer>
}

const unavailable = (): KeyAnswer => ({ status: 'unavailable' })

/**
 * A `FindKey` over `fetchKey`. Answers `unavailable` (503, so that Plaid sends again) when the endpoint fails, answers
 * nonsense or is slow, and when the window's requests are spent: a flood of junk kids must not cost a genuine new one.
 */
export function createKeyCache({ fetchKey, onFailure, limits: given = {} }: KeyCacheOptions): FindKey {
  const limits = { ...defaultKeyCacheLimits, ...given }
  const keys = new Map<string, Entry>()
  const unknown = new Map<string, Entry>()
  const pending = new Map<string, Pending>()
  // Apart, so that a flood of new kids cannot keep a known key from being asked for again.
  const mayAskNew = createBudget(limits)
  const mayAskAgain = createBudget(limits)

  function cached(kid: string, nowMs: number): KeyAnswer | null {
    const entry = keys.get(kid) ?? unknown.get(kid)
    if (entry === undefined || entry.staleAtMs <= nowMs) return null
    return toAnswer(entry, nowMs)
  }

  async function request(kid: string, nowMs: number): Promise<KeyAnswer> {
    try {
      const entry = await readEntry(kid, await fetchKey(kid), nowMs, limits)
      remember(entry.kind === 'key' ? keys : unknown, kid, entry, limits.maxEntries)
      if (entry.kind === 'unknown') keys.delete(kid)
      return toAnswer(entry, nowMs)
    } catch (error) {
      // Whatever went wrong is the endpoint's state, not the kid's, so nothing is remembered.
      onFailure?.(kid, error)
      return unavailable()
    }
  }

  return async (kid, now) => {
    const nowMs = now.getTime()
    const known = cached(kid, nowMs)
    if (known !== null) return known
    const running = pending.get(kid)
    // A request whose delivery was cut off never ends; after the wait it counts as gone.
    if (running !== undefined && nowMs - running.startedAtMs < limits.waitMs) {
      return await within(limits.waitMs, running.answer, unavailable)
    }
    const mayAsk = keys.has(kid) ? mayAskAgain : mayAskNew
    if (!mayAsk(nowMs)) return unavailable()
    const started: Pending = { startedAtMs: nowMs, answer: request(kid, nowMs) }
    pending.set(kid, started)
    try {
      return await within(limits.waitMs, started.answer, unavailable)
    } finally {
      if (pending.get(kid) === started) pending.delete(kid)
    }
  }
}

/** Says yes `maxRequests` times in any window. */
function createBudget({ maxRequests, windowMs }: KeyCacheLimits): (nowMs: number) => boolean {
  let spentAtMs: number[] = []
  return (nowMs) => {
    spentAtMs = spentAtMs.filter((time) => time > nowMs - windowMs)
    if (spentAtMs.length >= maxRequests) return false
    spentAtMs.push(nowMs)
    return true
  }
}

function toAnswer(entry: Entry, nowMs: number): KeyAnswer {
  if (entry.kind === 'unknown') return { status: 'unknown' }
  if (entry.expiresAtMs !== null && entry.expiresAtMs <= nowMs) return { status: 'expired' }
  return { status: 'found', publicKey: entry.publicKey }
}

/** An entry to remember; throws for an answer that is no key of that kid. */
async function readEntry(kid: string, fetched: FetchedKey, nowMs: number, limits: KeyCacheLimits): Promise<Entry> {
  if ('notFound' in fetched) return { kind: 'unknown', staleAtMs: nowMs + limits.negativeTtlMs }
  const parsed = plaidKey.safeParse(fetched.found)
  if (!parsed.success || parsed.data.kid !== kid) {
    throw new AppError('plaid_rejected', 'The key endpoint gave no such key.', { reason: 'malformed or foreign JWK' })
  }
  const { kty, crv, x, y, expired_at: expiredAt } = parsed.data
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const publicKey = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, algorithm, false, ['verify'])
  const expiresAtMs = typeof expiredAt === 'number' ? expiredAt * 1000 : null
  return { kind: 'key', publicKey, expiresAtMs, staleAtMs: nowMs + limits.ttlMs }
}

/** Oldest out first. Keys and "no such key" live apart, so junk never drives out a key. */
function remember(entries: Map<string, Entry>, kid: string, entry: Entry, maxEntries: number): void {
  entries.delete(kid)
  const oldest = entries.keys().next()
  if (entries.size >= maxEntries && oldest.done !== true) entries.delete(oldest.value)
  entries.set(kid, entry)
}
