// Two times: the real one, for signatures, tokens and limits, and the bank's day, which a test can advance.
import type { Day } from '../bank/values.ts'

export interface Clock {
  /** Real time, in milliseconds since 1970. */
  nowMs(): number
  /** Real time as Plaid writes it: RFC 3339, UTC. */
  timestamp(): string
  /** The bank's calendar day. */
  today(): Day
  /** Advances the bank by so many milliseconds, never back. */
  advance(ms: number): void
  /** Stops the clock at a past moment while a journal is replayed; null lets it run. */
  pin(ms: number | null): void
}

export function bankClock(): Clock {
  let aheadMs = 0
  let pinnedMs: number | null = null
  const nowMs = (): number => pinnedMs ?? Date.now()
  return {
    nowMs,
    timestamp: () => new Date(nowMs()).toISOString(),
    today: () => new Date(nowMs() + aheadMs).toISOString().slice(0, 10),
    pin(ms) {
      pinnedMs = ms
    },
    advance(ms) {
      aheadMs += ms
    },
  }
}
