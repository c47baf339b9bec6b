// What a quota keeper stores, as a Map: it outlives the keeper, and counts the writes. And keepers where Node stands in for
// their Durable Objects.
import { createQuotaKeeper, type QuotaStore } from '../../../src/plaid/rate-limit/admission.ts'
import type { QuotaObjects } from '../../../src/plaid/rate-limit/limiter.ts'

export function storeInMemory(): QuotaStore & { readonly entries: ReadonlyMap<string, unknown>; writes: number } {
  const entries = new Map<string, Parameters<QuotaStore['put']>[1]>()
  return {
    entries,
    writes: 0,
    get: (key) => entries.get(key),
    put(key, value) {
      this.writes += 1
      entries.set(key, structuredClone(value))
    },
    delete: (key) => entries.delete(key),
    list: ({ prefix }) => [...entries].filter(([key]) => key.startsWith(prefix)),
  }
}

export function quotaInMemory(now: () => number = Date.now): QuotaObjects {
  const keepers = new Map<string, ReturnType<typeof createQuotaKeeper>>()
  return {
    getByName(name) {
      const keeper = keepers.get(name) ?? createQuotaKeeper(storeInMemory(), now())
      keepers.set(name, keeper)
      return {
        admit: (call) => Promise.resolve(keeper.admit(call, now())),
        refused: (refusal) => Promise.resolve(keeper.refuse(refusal, now())),
      }
    },
  }
}
