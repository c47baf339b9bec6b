// Sliding windows by key (items or users). Keeps those that were used in the last two periods; drops idle ones without
// a search.
import { isIdle, type SlidingWindow, windowSeconds } from './window.ts'

export interface SlidingWindows {
  /** The window of the key, created if there is none; kept for another period. */
  of(key: string, make: () => SlidingWindow): SlidingWindow
  has(key: string): boolean
  /** The windows in memory, each with its key. */
  entries(): Iterable<readonly [key: string, window: SlidingWindow]>
  /** Must be called before each count. */
  age(nowMs: number): void
  count(): number
}

export function createWindows(startedAtMs: number): SlidingWindows {
  let [young, old] = [new Map<string, SlidingWindow>(), new Map<string, SlidingWindow>()]
  let rotatesAtMs = startedAtMs + windowSeconds * 1000
  return {
    of(key, make) {
      const window = young.get(key) ?? old.get(key) ?? make()
      young.set(key, window)
      old.delete(key)
      return window
    },
    has: (key) => young.has(key) || old.has(key),
    *entries() {
      yield* young
      yield* old
    },
    age(nowMs) {
      if (nowMs < rotatesAtMs) return
      const kept = [...old].filter(([, window]) => !isIdle(window, nowMs))
      ;[old, young] = [new Map([...kept, ...young]), new Map()]
      rotatesAtMs = nowMs + windowSeconds * 1000
    },
    count: () => young.size + old.size,
  }
}
