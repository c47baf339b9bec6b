// Meters by key, of items or of users: as many as were busy in the last two windows. An idle one is dropped without a search.
import { isIdle, type Meter, windowSeconds } from './window.ts'

export interface Meters {
  /** The meter of the key, made where there is none; it is kept for another window. */
  of(key: string, make: () => Meter): Meter
  /** To be called before each count. */
  age(nowMs: number): void
  count(): number
}

export function createMeters(startedAtMs: number): Meters {
  let [young, old] = [new Map<string, Meter>(), new Map<string, Meter>()]
  let turnsAtMs = startedAtMs + windowSeconds * 1000
  return {
    of(key, make) {
      const meter = young.get(key) ?? old.get(key) ?? make()
      young.set(key, meter)
      old.delete(key)
      return meter
    },
    age(nowMs) {
      if (nowMs < turnsAtMs) return
      const kept = [...old].filter(([, meter]) => !isIdle(meter, nowMs))
      ;[old, young] = [new Map([...kept, ...young]), new Map()]
      turnsAtMs = nowMs + windowSeconds * 1000
    },
    count: () => young.size + old.size,
  }
}
