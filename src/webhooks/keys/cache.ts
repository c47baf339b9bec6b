// Plaid's webhook keys by kid, for one isolate, which shares what it finds with the others. Whatever kids come in, it asks
// for a bounded number of keys and holds a bounded number of answers; it never takes "could not ask" for "does not exist".

import type { SharedKey } from '../../db/operations/webhook-keys.ts'
import { withTimeout } from '../../timeout.ts'
import { createBudget, createNetworkBudget, type KeyBudgetLimits, type Refund } from './budget.ts'
import { type PublicKey, readPublicKey } from './jwk.ts'

export type KeyAnswer =
  | { readonly status: 'found'; readonly publicKey: CryptoKey }
  | { readonly status: 'unknown' | 'expired' | 'unavailable' }

/** What the key endpoint said: its `key` object unparsed, or that there is no such key. Throws when it did not answer. */
export type FetchedKey = { readonly found: unknown } | { readonly notFound: true }
export type FetchKey = (kid: string) => Promise<FetchedKey>

/** The keys that all isolates share. Each of its calls may fail; keys are then found without it. */
export interface SharedKeys {
  read(): Promise<readonly SharedKey[]>
  save(key: SharedKey): Promise<void>
  remove(kid: string): Promise<void>
}

export interface KeyCacheLimits extends KeyBudgetLimits {
  /** After how long Plaid is asked again for a key: the bound on noticing its expiry while Plaid answers. */
  readonly refreshMs: number
  /** How long a key is used while Plaid cannot be asked. */
  readonly ttlMs: number
  /** How long to wait before asking again for a key that is still used. */
  readonly retryMs: number
  /** How long "no such key" is believed. */
  readonly negativeTtlMs: number
  /** The shared keys are read at most once in this time, however many unknown kids come in. */
  readonly sharedReadMs: number
  /** Keys held, and "no such key" answers held. */
  readonly maxEntries: number
  /** How long one delivery waits for a request, its own or another's. */
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
  /** Without it, nothing is shared. */
  readonly shared?: SharedKeys
  /** Told why an answer was `unavailable`: what `fetchKey` threw, or that it answered nonsense. */
  readonly onFailure?: (kid: string, error: unknown) => void
  /** Told that the shared keys could not be read or written. */
  readonly onSharedFailure?: (error: unknown) => void
  readonly limits?: Partial<KeyCacheLimits>
}

/** The public key of a kid at that time, for a delivery from that network. Does not throw for an unknown kid. */
export type FindKeyFor = (kid: string, now: Date, network?: string) => Promise<KeyAnswer>

const unshared: SharedKeys = {
  read: () => Promise.resolve([]),
  save: () => Promise.resolve(),
  remove: () => Promise.resolve(),
}

interface KeyEntry extends PublicKey {
  readonly fetchedAtMs: number
  /** When Plaid is asked again. */
  readonly refreshAtMs: number
}

interface Pending {
  readonly startedAtMs: number
  readonly answer: Promise<KeyAnswer>
}

const unavailable = (): KeyAnswer => ({ status: 'unavailable' })

/**
 * Finds keys in memory, then among the shared ones, then at Plaid. Answers `unavailable` (503, so that Plaid sends again) when
 * the endpoint fails, answers nonsense or is slow, and when the window's requests are spent. Only kids that are in no list
 * spend requests.
 */
export function createKeyCache(options: KeyCacheOptions): FindKeyFor {
  const { fetchKey, shared = unshared, onFailure, onSharedFailure } = options
  const limits = { ...defaultKeyCacheLimits, ...options.limits }
  const keys = new Map<string, KeyEntry>()
  /** Kid to when "no such key" is no longer believed. */
  const unknown = new Map<string, number>()
  const pending = new Map<string, Pending>()
  // Apart, so that a flood of new kids cannot keep a known key from being asked for again.
  const mayAskNew = createNetworkBudget(limits)
  const mayAskAgain = createBudget(limits)
  const readShared = createSharedReader()

  /** @throws AppError `plaid_rejected` for what is no key of that kid */
  async function hold(kid: string, jwk: unknown, fetchedAtMs: number): Promise<KeyEntry> {
    const key = await readPublicKey(kid, jwk)
    const entry: KeyEntry = { ...key, fetchedAtMs, refreshAtMs: fetchedAtMs + limits.refreshMs }
    remember(keys, kid, entry, limits.maxEntries)
    return entry
  }

  function cached(kid: string, nowMs: number): KeyAnswer | null {
    const entry = keys.get(kid)
    if (entry !== undefined) return entry.refreshAtMs > nowMs ? toAnswer(entry, nowMs) : null
    return (unknown.get(kid) ?? 0) > nowMs ? { status: 'unknown' } : null
  }

  /** A key whose refresh failed is used for as long as a stored key is. */
  function believed(kid: string, nowMs: number): KeyAnswer {
    const entry = keys.get(kid)
    const untilMs = (entry?.fetchedAtMs ?? 0) + limits.ttlMs
    if (entry === undefined || untilMs <= nowMs) return unavailable()
    keys.set(kid, { ...entry, refreshAtMs: Math.min(nowMs + limits.retryMs, untilMs) })
    return toAnswer(entry, nowMs)
  }

  /** Reads the shared keys unless that was done a moment ago; resolves when they are in memory, or could not be read. */
  function createSharedReader(): (nowMs: number) => Promise<void> {
    let readAtMs = Number.NEGATIVE_INFINITY
    let running: Promise<void> = Promise.resolve()
    const read = async (): Promise<void> => {
      for (const { kid, jwk, fetchedAtMs } of await shared.read()) {
        const held = keys.get(kid)
        if (held === undefined || held.fetchedAtMs < fetchedAtMs) await hold(kid, jwk, fetchedAtMs)
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
    if (!keys.has(kid)) return mayAskNew(network, nowMs)
    return mayAskAgain(nowMs) ? () => undefined : null
  }

  async function request(kid: string, nowMs: number, refund: Refund): Promise<KeyAnswer> {
    try {
      const fetched = await fetchKey(kid)
      if ('notFound' in fetched) {
        remember(unknown, kid, nowMs + limits.negativeTtlMs, limits.maxEntries)
        if (keys.delete(kid)) await share(shared.remove(kid))
        return { status: 'unknown' }
      }
      const entry = await hold(kid, fetched.found, nowMs)
      await share(shared.save({ kid, jwk: fetched.found, fetchedAtMs: nowMs }))
      return toAnswer(entry, nowMs)
    } catch (error) {
      // Whatever went wrong is the endpoint's state, not the kid's, so nothing is remembered.
      refund()
      onFailure?.(kid, error)
      return unavailable()
    }
  }

  async function ask(kid: string, nowMs: number, network: string): Promise<KeyAnswer> {
    const running = pending.get(kid)
    // A request whose delivery was cut off never ends; after the wait it counts as gone.
    if (running !== undefined && nowMs - running.startedAtMs < limits.waitMs) {
      return await withTimeout(limits.waitMs, running.answer, unavailable)
    }
    const refund = spend(kid, nowMs, network)
    if (refund === null) return unavailable()
    const started: Pending = { startedAtMs: nowMs, answer: request(kid, nowMs, refund) }
    pending.set(kid, started)
    try {
      return await withTimeout(limits.waitMs, started.answer, unavailable)
    } finally {
      if (pending.get(kid) === started) pending.delete(kid)
    }
  }

  return async (kid, now, network = '') => {
    const nowMs = now.getTime()
    const held = cached(kid, nowMs)
    if (held !== null) return held
    await readShared(nowMs)
    const found = cached(kid, nowMs) ?? (await ask(kid, nowMs, network))
    return found.status === 'unavailable' ? believed(kid, nowMs) : found
  }
}

function toAnswer({ publicKey, expiresAtMs }: KeyEntry, nowMs: number): KeyAnswer {
  return expiresAtMs !== null && expiresAtMs <= nowMs ? { status: 'expired' } : { status: 'found', publicKey }
}

/** Oldest out first. Keys and "no such key" live apart, so junk never drives out a key. */
function remember<Entry>(entries: Map<string, Entry>, kid: string, entry: Entry, maxEntries: number): void {
  entries.delete(kid)
  const oldest = entries.keys().next()
  if (entries.size >= maxEntries && oldest.done !== true) entries.delete(oldest.value)
  entries.set(kid, entry)
}
