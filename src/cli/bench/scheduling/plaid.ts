// Plaid in the simulation. A call has no response: only whether our rate limiter admits it and whether Plaid accepts it at
// that hour. Records the time of each call, so that the calls are counted independently of the rate limiter.
import type { FailureClass } from '../../../plaid/errors.ts'
import { createAdmissionControl, type LimitedCall, type AdmissionStore } from '../../../plaid/rate-limit/admission.ts'
import { limitNameOf, type PlaidLimits } from '../../../plaid/rate-limit/limits.ts'
import type { Priority } from '../../../plaid/rate-limit/window.ts'
import type { SyncProduct } from '../../../sync/products.ts'

export interface Trouble {
  /** Every call fails. */
  readonly outage: readonly [fromMs: number, untilMs: number]
  /** Plaid refuses /transactions/sync although the calls are within its limits. */
  readonly refusals: readonly [fromMs: number, untilMs: number]
}

/** The result of a run of a product: done after `tookMs`, or postponed. */
export type Ran =
  | { readonly kind: 'done'; readonly tookMs: number }
  | { readonly kind: 'deferred'; readonly tookMs: number; readonly afterSeconds: number }
  | {
      readonly kind: 'failed'
      readonly tookMs: number
      readonly failure: FailureClass
      readonly retryAfterSeconds: number
    }

const pathsOf: Readonly<Record<SyncProduct, readonly string[]>> = {
  item: ['/item/get'],
  balances: ['/accounts/get'],
  transactions: ['/transactions/sync'],
  recurring: ['/transactions/recurring/get', '/accounts/get'],
  holdings: ['/investments/holdings/get'],
  investment_transactions: ['/investments/transactions/get'],
  liabilities: ['/liabilities/get'],
}
export const paths: readonly string[] = [...new Set(Object.values(pathsOf).flat())]

/** The waits of src/plaid/rate-limit/limiter.ts. */
const maxWaitMs: Readonly<Record<Priority, number>> = { interactive: 3000, background: 5000 }
const refusedForSeconds = 20

export function limitOfPath(path: string, limits: PlaidLimits): number {
  const name = limitNameOf(path)
  return name === null ? Infinity : limits[name].client
}

function memory(): AdmissionStore {
  const entries = new Map<string, Parameters<AdmissionStore['put']>[1]>()
  return {
    get: (key) => entries.get(key),
    put: (key, value) => void entries.set(key, value),
    delete: (key) => entries.delete(key),
    list: ({ prefix }) => [...entries].filter(([key]) => key.startsWith(prefix)),
  }
}

const isWithin = ([from, until]: readonly [number, number], ms: number): boolean => from <= ms && ms < until

export function createSimulatedPlaid(startMs: number, trouble: Trouble, limits: PlaidLimits, random: () => number) {
  const store = memory()
  let control = createAdmissionControl(store, startMs)
  const calls = new Map(paths.map((path) => [path, [] as number[]]))

  const call = (path: string, itemId: string, priority: Priority, fromMs: number): Ran => {
    const name = limitNameOf(path)
    const asked: LimitedCall = { path, itemId, priority, limit: name === null ? null : { name, ...limits[name] } }
    let leftMs = maxWaitMs[priority]
    for (let nowMs = fromMs; ;) {
      const admission = control.admit(asked, nowMs)
      if (!admission.admitted) {
        const tookMs = nowMs - fromMs
        if (admission.waitMs > leftMs)
          return { kind: 'deferred', tookMs, afterSeconds: Math.ceil(admission.waitMs / 1000) }
        leftMs -= admission.waitMs
        nowMs += admission.waitMs
        continue
      }
      calls.get(path)?.push(nowMs)
      const tookMs = nowMs - fromMs + 400 + random() * 1200
      if (isWithin(trouble.outage, nowMs)) return { kind: 'failed', tookMs, failure: 'retry', retryAfterSeconds: 0 }
      if (path === '/transactions/sync' && isWithin(trouble.refusals, nowMs)) {
        const retryAfterSeconds = refusedForSeconds
        control.recordRejection({ ...asked, errorCode: 'TRANSACTIONS_SYNC_LIMIT', retryAfterSeconds }, nowMs)
        return { kind: 'failed', tookMs, failure: 'rate_limited', retryAfterSeconds }
      }
      return { kind: 'done', tookMs }
    }
  }

  return {
    /** All calls of a run, one after the other. */
    run(product: SyncProduct, itemId: string, priority: Priority, fromMs: number): Ran {
      let tookMs = 50
      for (const path of pathsOf[product]) {
        const ran = call(path, itemId, priority, fromMs + tookMs)
        tookMs += ran.tookMs
        if (ran.kind !== 'done') return { ...ran, tookMs }
      }
      return { kind: 'done', tookMs }
    },
    /** Replaces the rate limiter by one from its stored state, as when a Durable Object is evicted. */
    evict(nowMs: number): void {
      control = createAdmissionControl(store, nowMs)
    },
    /** The times of the calls, in ms since 1970. */
    calls: calls as ReadonlyMap<string, readonly number[]>,
  }
}

/** The most of these calls within any minute, both ends included. */
export function busiestMinute(times: readonly number[]): number {
  const sorted = Float64Array.from(times).sort()
  let most = 0
  for (let last = 0, first = 0; last < sorted.length; last += 1) {
    while ((sorted[first] ?? 0) < (sorted[last] ?? 0) - 60_000) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
