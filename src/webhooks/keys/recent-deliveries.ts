// Remembers the deliveries that this isolate has processed recently, so that copies cost nothing.
import { withTimeout } from '../../timeout.ts'

/** A signature is valid for five minutes, and its time may be five minutes ahead of this clock. */
const keepMs = 10 * 60_000
const waitMs = 5000

export interface RecentDeliveries {
  /** Runs `take` unless it has already succeeded for this delivery. Returns false for such a copy. */
  once(replayKey: string, nowMs: number, take: () => Promise<void>): Promise<boolean>
}

/** @param max the most deliveries that are remembered; evicts the oldest */
export function createRecentDeliveries(max = 5000): RecentDeliveries {
  const takenAtMs = new Map<string, number>()
  const running = new Map<string, Promise<boolean>>()

  const isTaken = (replayKey: string, nowMs: number): boolean =>
    nowMs - (takenAtMs.get(replayKey) ?? Number.NEGATIVE_INFINITY) < keepMs

  function remember(replayKey: string, nowMs: number): void {
    takenAtMs.delete(replayKey)
    takenAtMs.set(replayKey, nowMs)
    const oldest = takenAtMs.keys().next()
    if (takenAtMs.size > max && oldest.done !== true) takenAtMs.delete(oldest.value)
  }

  return {
    async once(replayKey, nowMs, take) {
      if (isTaken(replayKey, nowMs)) return false
      const first = running.get(replayKey)
      // The first delivery may have failed or been cancelled. Then this one is processed.
      if (first !== undefined && (await withTimeout(waitMs, first, () => false))) return false
      const { promise, resolve } = Promise.withResolvers<boolean>()
      running.set(replayKey, promise)
      try {
        await take()
        remember(replayKey, nowMs)
        resolve(true)
        return true
      } finally {
        resolve(false)
        if (running.get(replayKey) === promise) running.delete(replayKey)
      }
    },
  }
}
