// Caches Plaid's webhook keys in an isolate and shares them with other isolates. Bounds the requests and the entries
// for any sequence of key ids, and distinguishes "unavailable" from "does not exist".

import type { SharedKey } from '../../db/operations/webhook-keys.ts'
import { withTimeout } from '../../timeout.ts'
import { createBudget, createNetworkBudget, type KeyBudgetLimits, type Refund } from './budget.ts'
import { type PublicKey, readPublicKey } from './jwk.ts'

export type KeyResult =
  | { readonly status: 'found'; readonly publicKey: CryptoKey }
  | { readonly status: 'unknown' | 'expired' | 'unavailable' }

/** The endpoint's unparsed `key` object, or that there is no such key. Throws if the fetch fails. */
export type FetchedKey = { readonly found: unknown } | { readonly notFound: true }
export type FetchKey = (kid: string) => Promise<FetchedKey>

/** The keys that all isolates share. If a call fails, keys are found without it. */
export interface SharedKeys {
  read(): Promise<readonly SharedKey[]>
  save(key: SharedKey): Promise<void>
  remove(kid: string): Promise<void>
}

export interface KeyCacheLimits extends KeyBudgetLimits {
  /** Age at which a key is fetched again: the longest time until its expiry is noticed. */
  readonly refreshMs: number
  /** How long a key is used while Plaid is unavailable. */
  readonly ttlMs: number
  /** Pause before a failed refresh of a key in use is retried. */
  readonly retryMs: number
  /** How long "no such key" is cached. */
  readonly negativeTtlMs: number
  /** Least time between two reads of the shared keys. */
  readonly sharedReadMs: number
  /** Cached keys, and cached "no such key" results. */
  readonly maxEntries: number
  /** How long one delivery waits for a fetch. */
  readonly waitMs: number
}

const minuteMs = 60_000

export const defaultKeyCacheLimits: KeyCacheLimits = {
  refreshMs: 60 * minuteMs,
  ttlMs: 24 * 60 * minuteMs,
  retryMs: minuteMs,
  negativeTtlMs: 5 * minuteMs,
  sharedReadMs: 5000,
  maxRequests: 10,
  maxRequestsByNetwork: 2,
  windowMs: minuteMs,
  maxEntries: 100,
  waitMs: 5000,
}

export interface KeyCacheOptions {
  readonly fetchKey: FetchKey
  /** If absent, keys are not shared. */
  readonly shared?: SharedKeys
  /** Called with the cause of `unavailable`: what `fetchKey` threw, or a malformed key. */
  readonly onFailure?: (kid: string, error: unknown) => void
  /** Called if the shared keys could not be read or written. */
  readonly onSharedFailure?: (error: unknown) => void
  readonly limits?: Partial<KeyCacheLimits>
}

/** The public key of a kid at that time, for a delivery from that network. Does not throw for an unknown kid. */
export type FindKeyFor = (kid: string, now: Date, network?: string) => Promise<KeyResult>

const unshared: SharedKeys = {
  read: () => Promise.resolve([]),
  save: () => Promise.resolve(),
  remove: () => Promise.resolve(),
}

interface KeyEntry extends PublicKey {
  readonly fetchedAtMs: number
  /** When the key is fetched again. */
  readonly refreshAtMs: number
}

interface Pending {
  readonly startedAtMs: number
  readonly result: Promise<KeyResult>
}

const unavailable = (): KeyResult => ({ status: 'unavailable' })

/**
 * Finds keys in memory, then among the shared ones, then at Plaid. Returns `unavailable` (503, so that Plaid sends
 * again) if the endpoint fails, is slow or returns a malformed key, and if the budget is used up. Only keys that are
 * not cached use the budget.
 */
export function createKeyCache(options: KeyCacheOptions): FindKeyFor {
  const { fetchKey, shared = unshared, onFailure, onSharedFailure } = options
  const limits = { ...defaultKeyCacheLimits, ...options.limits }
  const keys = new Map<string, KeyEntry>()
  /** Kid to when "no such key" is no longer cached. */
  const unknown = new Map<string, number>()
  const pending = new Map<string, Pending>()
  // Separate, so that a flood of new key ids cannot block the refresh of a known key.
  const mayFetchNew = createNetworkBudget(limits)
  const mayRefresh = createBudget(limits)
  const readShared = createSharedReader()

  /** @throws AppError `plaid_rejected` if it is not a key with that kid */
  async function cacheKey(kid: string, jwk: unknown, fetchedAtMs: number): Promise<KeyEntry> {
    const key = await readPublicKey(kid, jwk)
    const entry: KeyEntry = { ...key, fetchedAtMs, refreshAtMs: fetchedAtMs + limits.refreshMs }
    remember(keys, kid, entry, limits.maxEntries)
    return entry
  }

  function cached(kid: string, nowMs: number): KeyResult | null {
    const entry = keys.get(kid)
    if (entry !== undefined) return entry.refreshAtMs > nowMs ? toResult(entry, nowMs) : null
    return (unknown.get(kid) ?? 0) > nowMs ? { status: 'unknown' } : null
  }

  /** A key whose refresh failed stays in use until `ttlMs`. */
  function staleKey(kid: string, nowMs: number): KeyResult {
    const entry = keys.get(kid)
    const untilMs = (entry?.fetchedAtMs ?? 0) + limits.ttlMs
    if (entry === undefined || untilMs <= nowMs) return unavailable()
    keys.set(kid, { ...entry, refreshAtMs: Math.min(nowMs + limits.retryMs, untilMs) })
    return toResult(entry, nowMs)
  }

  /** Reads the shared keys unless they were read recently. Resolves when they are in memory, or could not be read. */
  function createSharedReader(): (nowMs: number) => Promise<void> {
    let readAtMs = Number.NEGATIVE_INFINITY
    let running: Promise<void> = Promise.resolve()
    const read = async (): Promise<void> => {
      for (const { kid, jwk, fetchedAtMs } of await shared.read()) {
        const held = keys.get(kid)
        if (held === undefined || held.fetchedAtMs < fetchedAtMs) await cacheKey(kid, jwk, fetchedAtMs)
      }
    }
    return async (nowMs) => {
      if (nowMs - readAtMs >= limits.sharedReadMs) {
        readAtMs = nowMs
        running = read().catch((error: unknown) => onSharedFailure?.(error))
      }
      await withTimeout(limits.waitMs, running, () => undefined)
    }
  }

  async function share(change: Promise<void>): Promise<void> {
    try {
      await change
    } catch (error) {
      onSharedFailure?.(error)
    }
  }

  function spend(kid: string, nowMs: number, network: string): Refund | null {
    if (!keys.has(kid)) return mayFetchNew(network, nowMs)
    return mayRefresh(nowMs) ? () => undefined : null
  }

  async function request(kid: string, nowMs: number, refund: Refund): Promise<KeyResult> {
    try {
      const fetched = await fetchKey(kid)
      if ('notFound' in fetched) {
        remember(unknown, kid, nowMs + limits.negativeTtlMs, limits.maxEntries)
        if (keys.delete(kid)) await share(shared.remove(kid))
        return { status: 'unknown' }
      }
      const entry = await cacheKey(kid, fetched.found, nowMs)
      await share(shared.save({ kid, jwk: fetched.found, fetchedAtMs: nowMs }))
      return toResult(entry, nowMs)
    } catch (error) {
      // The failure is the endpoint's, not the key's, so it is not cached.
      refund()
      onFailure?.(kid, error)
      return unavailable()
    }
  }

  async function fetchOnce(kid: string, nowMs: number, network: string): Promise<KeyResult> {
    const running = pending.get(kid)
    // A fetch whose delivery was cancelled never ends. After `waitMs` it is ignored.
    if (running !== undefined && nowMs - running.startedAtMs < limits.waitMs) {
      return await withTimeout(limits.waitMs, running.result, unavailable)
    }
    const refund = spend(kid, nowMs, network)
    if (refund === null) return unavailable()
    const started: Pending = { startedAtMs: nowMs, result: request(kid, nowMs, refund) }
    pending.set(kid, started)
    try {
      return await withTimeout(limits.waitMs, started.result, unavailable)
    } finally {
      if (pending.get(kid) === started) pending.delete(kid)
    }
  }

  return async (kid, now, network = '') => {
    const nowMs = now.getTime()
    const held = cached(kid, nowMs)
    if (held !== null) return held
    await readShared(nowMs)
    const found = cached(kid, nowMs) ?? (await fetchOnce(kid, nowMs, network))
    return found.status === 'unavailable' ? staleKey(kid, nowMs) : found
  }
}

function toResult({ publicKey, expiresAtMs }: KeyEntry, nowMs: number): KeyResult {
  return expiresAtMs !== null && expiresAtMs <= nowMs ? { status: 'expired' } : { status: 'found', publicKey }
}

/** Evicts the oldest entry. Keys and "no such key" results are separate, so made-up key ids never evict a key. */
function remember<Entry>(entries: Map<string, Entry>, kid: string, entry: Entry, maxEntries: number): void {
  entries.delete(kid)
  const oldest = entries.keys().next()
  if (entries.size >= maxEntries && oldest.done !== true) entries.delete(oldest.value)
  entries.set(kid, entry)
}
