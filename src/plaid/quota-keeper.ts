// Decides for a whole Plaid client which call is made now: by the endpoint's limit, by the item's, by what Plaid itself
// refused, and by the day's budget where a call costs money. Whatever it forgets when it ends is restored from its store
// as more than it was. Gets time and store; knows no platform.
import type { PlaidLimit, PlaidLimitName } from './quota-limits.ts'
import {
  isIdle,
  isSpent,
  type Meter,
  type Priority,
  type Reserve,
  restore,
  type Storing,
  take,
  waitFor,
  windowSeconds,
} from './quota-window.ts'

export interface QuotaCall {
  readonly path: string
  /** Null where Plaid limits nothing that we could come near. */
  readonly limit: (PlaidLimit & { readonly name: PlaidLimitName }) | null
  readonly itemId: string | null
  readonly priority: Priority
}

/** A call that Plaid refused with 429. */
export interface QuotaRefusal extends QuotaCall {
  readonly errorCode: string
  readonly retryAfterSeconds: number | null
}

/** Whether a call may be made now; if not, what stands in its way, and for how long. */
export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly waitMs: number; readonly by: 'client' | 'item' | 'plaid' | 'day' }

/** Of a meter its reserve, of a refusal its end (ms since 1970), of a day the calls. */
type Stored = Reserve | number

/** What survives: as much of a Durable Object's storage as is used. */
export interface QuotaStore {
  get(key: string): Stored | undefined
  put(key: string, value: Stored): void
  delete(key: string): unknown
  list(options: { prefix: string }): Iterable<[string, Stored]>
}

export interface QuotaKeeper {
  admit(call: QuotaCall, nowMs: number): Admission
  /** Closes what Plaid refused for, until Plaid said. */
  refuse(refusal: QuotaRefusal, nowMs: number): void
  /** Deletes what counts no more; answers how many entries of items are left. */
  clean(nowMs: number): number
}

const dayMs = 86_400_000
/** Plaid's word is taken up to here: a longer one is asked about again after it. */
const longestRefusalSeconds = 3600
/** The same for an endpoint where neither an item nor a limit of ours is known: one caller's 429 must not stop all for long. */
const longestBlindRefusalSeconds = 60
/** Where Plaid did not say how long: its limits are by the minute. */
const unsaidSeconds = { item: 60, endpoint: 30 } as const

const prefixes = { client: 'client ', item: 'item ', closed: 'closed ', day: 'day ' } as const

/** An item's first calls in a minute are nearly all there are, and not stored: see `restore`. */
const storingOfItem = (quota: number): Storing => ({
  unstored: Math.floor(quota / 3),
  chunk: Math.max(1, Math.floor(quota / 10)),
})
/** Some sixty writes cover a minute's calls of a whole client. */
const storingOfClient = (quota: number): Storing => ({ unstored: 0, chunk: Math.max(1, Math.floor(quota / 60)) })

const numberIn = (stored: Stored | undefined): number => (typeof stored === 'number' ? stored : 0)
const reserveIn = (stored: Stored | undefined): Reserve =>
  stored === undefined || typeof stored === 'number' ? [] : stored

export function createQuotaKeeper(store: QuotaStore, startedAtMs: number): QuotaKeeper {
  const clients = new Map<string, { meter: Meter; wasBusy: boolean }>()
  const closed = new Map([...store.list({ prefix: prefixes.closed })].map(([key, until]) => [key, numberIn(until)]))
  // Two generations, so that what is idle is dropped without being looked for.
  let [young, old] = [new Map<string, Meter>(), new Map<string, Meter>()]
  let turnsAtMs = startedAtMs + windowSeconds * 1000

  const clientMeter = (name: string, nowMs: number) => {
    const known = clients.get(name)
    if (known !== undefined) return known
    const meter = restore(reserveIn(store.get(prefixes.client + name)), 0, nowMs)
    const made = { meter, wasBusy: meter.total > 0 }
    clients.set(name, made)
    return made
  }

  const age = (nowMs: number): void => {
    if (nowMs < turnsAtMs) return
    const kept = [...old].filter(([, meter]) => !isIdle(meter, nowMs))
    ;[old, young] = [new Map([...kept, ...young]), new Map()]
    turnsAtMs = nowMs + windowSeconds * 1000
  }

  const itemMeter = (key: string, quota: number, wasBusy: boolean, nowMs: number): Meter => {
    const known = young.get(key) ?? old.get(key)
    const forgets = wasBusy && nowMs < startedAtMs + (windowSeconds + 1) * 1000
    const stored = known === undefined && wasBusy ? store.get(prefixes.item + key) : undefined
    const meter = known ?? restore(reserveIn(stored), forgets ? storingOfItem(quota).unstored : 0, nowMs)
    young.set(key, meter)
    old.delete(key)
    return meter
  }

  const closedFor = (keys: readonly string[], nowMs: number): number =>
    Math.max(0, ...keys.map((key) => Math.min((closed.get(key) ?? 0) - nowMs, longestRefusalSeconds * 1000)))

  const close = (key: string, untilMs: number): void => {
    if (untilMs <= (closed.get(key) ?? 0)) return
    closed.set(key, untilMs)
    store.put(key, untilMs)
  }

  const endpointKey = (call: QuotaCall): string => `${prefixes.closed}${call.path}`
  const itemKey = (call: QuotaCall): string => `${prefixes.closed}${call.path} ${call.itemId ?? ''}`

  /** The day's count of a paid call, and where it is kept. */
  const daily = (call: QuotaCall, nowMs: number) => {
    const key = `${prefixes.day}${Math.floor(nowMs / dayMs)} ${call.path} ${call.itemId ?? ''}`
    return { key, calls: numberIn(store.get(key)) }
  }

  const metersOf = (call: QuotaCall, limit: NonNullable<QuotaCall['limit']>, nowMs: number) => {
    const { meter, wasBusy } = clientMeter(limit.name, nowMs)
    const key = `${limit.name} ${call.itemId ?? ''}`
    return { client: meter, item: call.itemId === null ? null : itemMeter(key, limit.item, wasBusy, nowMs), key }
  }

  const refusedBy = (by: 'client' | 'item' | 'plaid' | 'day', waitMs: number): Admission => ({
    admitted: false,
    waitMs,
    by,
  })

  return {
    admit(call, nowMs) {
      age(nowMs)
      const closedMs = closedFor([endpointKey(call), itemKey(call)], nowMs)
      if (closedMs > 0) return refusedBy('plaid', closedMs)
      const { limit } = call
      if (limit === null) return { admitted: true }
      const spent = limit.day === null ? null : daily(call, nowMs)
      if (spent !== null && spent.calls >= (limit.day ?? 0)) return refusedBy('day', dayMs - (nowMs % dayMs))
      const { client, item, key } = metersOf(call, limit, nowMs)
      const ofItem = item === null ? 0 : waitFor(item, limit.item, call.priority, nowMs)
      const ofClient = waitFor(client, limit.client, call.priority, nowMs)
      if (ofItem > 0 || ofClient > 0)
        return refusedBy(ofItem > ofClient ? 'item' : 'client', Math.max(ofItem, ofClient))
      const clientReserve = take(client, storingOfClient(limit.client), nowMs)
      if (clientReserve !== null) store.put(prefixes.client + limit.name, clientReserve)
      const itemReserve = item === null ? null : take(item, storingOfItem(limit.item), nowMs)
      if (itemReserve !== null) store.put(prefixes.item + key, itemReserve)
      if (spent !== null) store.put(spent.key, spent.calls + 1)
      return { admitted: true }
    },

    refuse(refusal, nowMs) {
      const { limit, itemId, retryAfterSeconds, errorCode } = refusal
      const until = (unsaid: number, longestSeconds = longestRefusalSeconds): number =>
        nowMs + Math.min(retryAfterSeconds ?? unsaid, longestSeconds) * 1000
      if (itemId !== null) close(itemKey(refusal), until(unsaidSeconds.item))
      // Of the item's bank: other items are not concerned.
      if (errorCode === 'INSTITUTION_RATE_LIMIT' && itemId !== null) return
      // Plaid does not say whose limit it was. Where the item is far from its own, it was the client's.
      const isBlind = limit === null || itemId === null
      const asked = isBlind ? 0 : (metersOf(refusal, limit, nowMs).item?.total ?? 0)
      const longestSeconds = isBlind ? longestBlindRefusalSeconds : longestRefusalSeconds
      if (limit === null || asked <= limit.item / 2)
        close(endpointKey(refusal), until(unsaidSeconds.endpoint, longestSeconds))
    },

    clean(nowMs) {
      let left = 0
      const drop = (prefix: string, isOver: (value: Stored, key: string) => boolean): void => {
        const entries = Array.from(store.list({ prefix }))
        for (const [key, value] of entries)
          if (isOver(value, key)) store.delete(key)
          else left += 1
      }
      drop(prefixes.item, (reserve) => isSpent(reserveIn(reserve), nowMs))
      drop(prefixes.closed, (untilMs) => numberIn(untilMs) <= nowMs)
      drop(prefixes.day, (_, key) => Number(key.split(' ')[1]) < Math.floor(nowMs / dayMs))
      for (const [key, untilMs] of closed) if (untilMs <= nowMs) closed.delete(key)
      return left
    },
  }
}
