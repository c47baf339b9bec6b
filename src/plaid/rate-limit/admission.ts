// Decides whether a call of a Plaid client may be made now: by the limits of the endpoint, the item and the user's
// share, by Plaid's own 429s, and by the daily budget of a paid call. After an eviction, counts are restored from
// storage as an upper bound; users' shares start from zero. Gets time and storage as arguments; knows no platform.
import type { PlaidLimit, PlaidLimitName } from './limits.ts'
import { largest, mostRead } from './largest.ts'
import { createWindows } from './windows.ts'
import {
  capOf,
  count,
  emptyWindow,
  type Fill,
  fillOf,
  isExpired,
  type SlidingWindow,
  type Priority,
  type StoredBlocks,
  restore,
  type StoragePolicy,
  take,
  waitFor,
  waitForShare,
  windowSeconds,
} from './window.ts'

export interface LimitedCall {
  readonly path: string
  /** Null for an endpoint without a limit. */
  readonly limit: (PlaidLimit & { readonly name: PlaidLimitName }) | null
  readonly itemId: string | null
  /** The user whose share an interactive call counts against. Absent in calls from older Worker versions. */
  readonly userId?: string | null
  readonly priority: Priority
}

/** A call that Plaid refused with 429. */
export interface RejectedCall extends LimitedCall {
  readonly errorCode: string
  readonly retryAfterSeconds: number | null
}

type LimitedBy = 'client' | 'item' | 'user' | 'plaid' | 'day'

/** Whether a call may be made now; if not, which limit prevents it, and for how long. */
export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly waitMs: number; readonly by: LimitedBy }

/** A stored value: the blocks of a window, the end of a block by Plaid (ms since 1970), or the calls of a day. */
type Stored = StoredBlocks | number

/** The part of a Durable Object's storage that is used. */
export interface AdmissionStore {
  get(key: string): Stored | undefined
  put(key: string, value: Stored): void
  delete(key: string): unknown
  list(options: { prefix: string; limit?: number }): Iterable<[string, Stored]>
}

/** What a limit has used. Lists have the ten largest values of the first 10,000 entries, the largest first. */
export interface LimitState {
  readonly client: Fill
  /** After an eviction, without items whose few calls are not stored. */
  readonly items: readonly (Fill & { readonly itemId: string })[]
  /** Paid calls of this UTC day. */
  readonly days: readonly { readonly path: string; readonly itemId: string | null; readonly calls: number }[]
  /** What Plaid refused with 429; without an item, for every item. */
  readonly closed: readonly { readonly path: string; readonly itemId: string | null; readonly untilMs: number }[]
}

export interface AdmissionControl {
  /** Reads a limit. Counts and stores nothing. */
  look(name: string, nowMs: number): LimitState
  admit(call: LimitedCall, nowMs: number): Admission
  /** Blocks calls until the time that Plaid's 429 named. */
  recordRejection(rejected: RejectedCall, nowMs: number): void
  /** Deletes expired entries. Returns how many are left. */
  clean(nowMs: number): number
  /** Number of items and users in memory. */
  remembered(): number
}

const dayMs = 86_400_000
/** The longest block that a 429 causes. */
const longestRefusalSeconds = 3600
/** The same for a call without an item or a limit: one caller's 429 must not block all callers for long. */
const longestBlindRefusalSeconds = 60
/** Used if Plaid names no time; its limits apply per minute. */
const unsaidSeconds = { item: 60, endpoint: 30 } as const

const prefixes = { client: 'client ', item: 'item ', closed: 'closed ', day: 'day ' } as const

/** An item's first calls in a minute are usually all, and are not stored: see `restore`. */
const itemStorage = (quota: number): StoragePolicy => ({
  unstored: Math.floor(quota / 3),
  chunk: Math.max(1, Math.floor(quota / 10)),
})
/** About sixty writes cover a minute's calls of a client. */
const clientStorage = (quota: number): StoragePolicy => ({ unstored: 0, chunk: Math.max(1, Math.floor(quota / 60)) })

interface CallWindows {
  readonly client: SlidingWindow
  readonly item: SlidingWindow | null
  readonly user: SlidingWindow | null
}

const numberIn = (stored: Stored | undefined): number => (typeof stored === 'number' ? stored : 0)
const blocksIn = (stored: Stored | undefined): StoredBlocks =>
  stored === undefined || typeof stored === 'number' ? [] : stored

export function createAdmissionControl(store: AdmissionStore, startedAtMs: number): AdmissionControl {
  const clients = new Map<string, { window: SlidingWindow; wasBusy: boolean }>()
  const closed = new Map([...store.list({ prefix: prefixes.closed })].map(([key, until]) => [key, numberIn(until)]))
  const [items, users] = [createWindows(startedAtMs), createWindows(startedAtMs)]

  const clientWindow = (name: string, nowMs: number) => {
    const known = clients.get(name)
    if (known !== undefined) return known
    const window = restore(blocksIn(store.get(prefixes.client + name)), 0, nowMs)
    const made = { window, wasBusy: window.total > 0 }
    clients.set(name, made)
    return made
  }

  const itemWindow = (key: string, quota: number, wasBusy: boolean, nowMs: number): SlidingWindow =>
    items.of(key, () => {
      const forgets = wasBusy && nowMs < startedAtMs + (windowSeconds + 1) * 1000
      const stored = wasBusy ? store.get(prefixes.item + key) : undefined
      return restore(blocksIn(stored), forgets ? itemStorage(quota).unstored : 0, nowMs)
    })

  /** The window of the user of an interactive call; null for other calls. */
  const userWindow = ({ userId = null, priority }: LimitedCall, limitName: string): SlidingWindow | null =>
    userId === null || priority !== 'interactive' ? null : users.of(`${limitName} ${userId}`, emptyWindow)

  const closedFor = (keys: readonly string[], nowMs: number): number =>
    Math.max(0, ...keys.map((key) => Math.min((closed.get(key) ?? 0) - nowMs, longestRefusalSeconds * 1000)))

  const close = (key: string, untilMs: number): void => {
    if (untilMs <= (closed.get(key) ?? 0)) return
    closed.set(key, untilMs)
    store.put(key, untilMs)
  }

  const endpointKey = (call: LimitedCall): string => `${prefixes.closed}${call.path}`
  const itemKey = (call: LimitedCall): string => `${prefixes.closed}${call.path} ${call.itemId ?? ''}`

  /** The daily count of a paid call, and its key. */
  const daily = (call: LimitedCall, nowMs: number) => {
    const key = `${prefixes.day}${Math.floor(nowMs / dayMs)} ${call.path} ${call.itemId ?? ''}`
    return { key, calls: numberIn(store.get(key)) }
  }

  const windowsOf = (call: LimitedCall, limit: NonNullable<LimitedCall['limit']>, nowMs: number) => {
    const { window, wasBusy } = clientWindow(limit.name, nowMs)
    const key = `${limit.name} ${call.itemId ?? ''}`
    return {
      client: window,
      item: call.itemId === null ? null : itemWindow(key, limit.item, wasBusy, nowMs),
      user: userWindow(call, limit.name),
      key,
    }
  }

  const refusedBy = (by: LimitedBy, waitMs: number): Admission => ({ admitted: false, waitMs, by })

  /** The limit with the longest wait; null if the call fits now. */
  const longestWait = (
    call: LimitedCall,
    limit: PlaidLimit,
    nowMs: number,
    { client, item, user }: CallWindows,
  ): Admission | null => {
    const waits = [
      ['client', waitFor(client, capOf(limit.client, call.priority), nowMs)],
      ['item', item === null ? 0 : waitFor(item, capOf(limit.item, call.priority), nowMs)],
      ['user', user === null ? 0 : waitForShare(user, client, limit.client, nowMs)],
    ] as const
    const longest = Math.max(...waits.map(([, waitMs]) => waitMs))
    const by = waits.find(([, waitMs]) => waitMs === longest)?.[0] ?? 'client'
    return longest === 0 ? null : refusedBy(by, longest)
  }

  /** An endpoint, and an item unless the entry is of all items. */
  const placeOf = (text: string) => {
    const [path = '', itemId = ''] = text.split(' ')
    return { path, itemId: itemId === '' ? null : itemId }
  }

  /** Those in memory, and those that storage alone has. */
  function* busyItems(ofLimit: string, nowMs: number) {
    for (const [key, window] of items.entries())
      if (key.startsWith(ofLimit) && key !== ofLimit)
        yield { itemId: key.slice(ofLimit.length), ...fillOf(window, nowMs) }
    for (const [stored, blocks] of store.list({ prefix: prefixes.item + ofLimit, limit: mostRead })) {
      const key = stored.slice(prefixes.item.length)
      if (key !== ofLimit && !items.has(key))
        yield { itemId: key.slice(ofLimit.length), ...fillOf(restore(blocksIn(blocks), 0, nowMs), nowMs) }
    }
  }
  function* paidCalls(nowMs: number) {
    const today = `${prefixes.day}${Math.floor(nowMs / dayMs)} `
    for (const [key, calls] of store.list({ prefix: today, limit: mostRead }))
      yield { ...placeOf(key.slice(today.length)), calls: numberIn(calls) }
  }

  return {
    look: (name, nowMs) => ({
      client: fillOf(clientWindow(name, nowMs).window, nowMs),
      items: largest(busyItems(`${name} `, nowMs), ({ used }) => used),
      days: largest(paidCalls(nowMs), ({ calls }) => calls),
      closed: largest(closed, ([, untilMs]) => (untilMs > nowMs ? untilMs : 0)).map(([key, untilMs]) => ({
        ...placeOf(key.slice(prefixes.closed.length)),
        untilMs,
      })),
    }),

    admit(call, nowMs) {
      items.age(nowMs)
      users.age(nowMs)
      const closedMs = closedFor([endpointKey(call), itemKey(call)], nowMs)
      if (closedMs > 0) return refusedBy('plaid', closedMs)
      const { limit } = call
      if (limit === null) return { admitted: true }
      const spent = limit.day === null ? null : daily(call, nowMs)
      if (spent !== null && spent.calls >= (limit.day ?? 0)) return refusedBy('day', dayMs - (nowMs % dayMs))
      const windows = windowsOf(call, limit, nowMs)
      const refused = longestWait(call, limit, nowMs, windows)
      if (refused !== null) return refused
      const { client, item, user, key } = windows
      const clientBlocks = take(client, clientStorage(limit.client), nowMs)
      if (clientBlocks !== null) store.put(prefixes.client + limit.name, clientBlocks)
      const itemBlocks = item === null ? null : take(item, itemStorage(limit.item), nowMs)
      if (itemBlocks !== null) store.put(prefixes.item + key, itemBlocks)
      if (user !== null) count(user, nowMs)
      if (spent !== null) store.put(spent.key, spent.calls + 1)
      return { admitted: true }
    },

    recordRejection(rejected, nowMs) {
      const { limit, itemId, retryAfterSeconds, errorCode } = rejected
      const until = (unsaid: number, longestSeconds = longestRefusalSeconds): number =>
        nowMs + Math.min(retryAfterSeconds ?? unsaid, longestSeconds) * 1000
      if (itemId !== null) close(itemKey(rejected), until(unsaidSeconds.item))
      // The limit of the item's bank does not affect other items.
      if (errorCode === 'INSTITUTION_RATE_LIMIT' && itemId !== null) return
      // Plaid does not name the limit. If the item is far from its own, it was the client's.
      const isBlind = limit === null || itemId === null
      const asked = isBlind ? 0 : (windowsOf(rejected, limit, nowMs).item?.total ?? 0)
      const longestSeconds = isBlind ? longestBlindRefusalSeconds : longestRefusalSeconds
      if (limit === null || asked <= limit.item / 2)
        close(endpointKey(rejected), until(unsaidSeconds.endpoint, longestSeconds))
    },

    clean(nowMs) {
      let left = 0
      const drop = (prefix: string, isOver: (value: Stored, key: string) => boolean): void => {
        const entries = Array.from(store.list({ prefix }))
        for (const [key, value] of entries)
          if (isOver(value, key)) store.delete(key)
          else left += 1
      }
      drop(prefixes.item, (blocks) => isExpired(blocksIn(blocks), nowMs))
      drop(prefixes.closed, (untilMs) => numberIn(untilMs) <= nowMs)
      drop(prefixes.day, (_, key) => Number(key.split(' ')[1]) < Math.floor(nowMs / dayMs))
      for (const [key, untilMs] of closed) if (untilMs <= nowMs) closed.delete(key)
      return left
    },

    remembered: () => items.count() + users.count(),
  }
}
