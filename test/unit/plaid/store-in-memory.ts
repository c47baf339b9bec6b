// The storage of a rate limiter as a Map, which outlives the limiter and counts writes. Also rate limiters in Node in
// place of their Durable Objects.
import { createAdmissionControl, type AdmissionStore } from '../../../src/plaid/rate-limit/admission.ts'
import type { PlaidLimiterObjects } from '../../../src/plaid/rate-limit/limiter.ts'

export function storeInMemory(): AdmissionStore & { readonly entries: ReadonlyMap<string, unknown>; writes: number } {
  const entries = new Map<string, Parameters<AdmissionStore['put']>[1]>()
  return {
    entries,
    writes: 0,
    get: (key) => entries.get(key),
    put(key, value) {
      this.writes += 1
      entries.set(key, structuredClone(value))
    },
    delete: (key) => entries.delete(key),
    list: ({ prefix, limit }) => [...entries].filter(([key]) => key.startsWith(prefix)).slice(0, limit),
  }
}

export function limiterObjectsInMemory(now: () => number = Date.now): PlaidLimiterObjects {
  const controls = new Map<string, ReturnType<typeof createAdmissionControl>>()
  return {
    getByName(name) {
      const control = controls.get(name) ?? createAdmissionControl(storeInMemory(), now())
      controls.set(name, control)
      return {
        admit: (call) => Promise.resolve(control.admit(call, now())),
        refused: (refusal) => Promise.resolve(control.recordRejection(refusal, now())),
      }
    },
  }
}
