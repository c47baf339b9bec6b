// Two times: the real one, for signatures, tokens and limits, and the bank's day, which a test may push ahead.

import type { Day } from './bank/model.ts'

export interface Clock {
  /** Real time, in milliseconds since 1970. */
  nowMs(): number
  /** Real time as Plaid writes it: RFC 3339, UTC. */
  timestamp(): string
  /** The bank's calendar day. */
  today(): Day
  /** Pushes the bank ahead by so many milliseconds, never back. */
  advance(ms: number): void
}

export function bankClock(): Clock {
  let aheadMs = 0
  return {
    nowMs: () => Date.now(),
    timestamp: () => new Date().toISOString(),
    today: () => new Date(Date.now() + aheadMs).toISOString().slice(0, 10),
    advance(ms) {
      aheadMs += ms
    },
  }
}
