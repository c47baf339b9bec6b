// Runs one password hash at a time in an isolate, with pauses between them. A hash blocks the isolate's only thread,
// and the platform runs what waits for it in order: twenty hashes in a row would delay every other request by all
// twenty. Callers poll for their turn, so that other requests run in between.
import type { Scrypt } from './scrypt.ts'

/** The pause before a hash when no other one is waiting. */
const shortPauseMs = 2
/**
 * The pause between two hashes, and between two polls: long enough to serve another request.
 */
const pauseMs = 20
/** A caller that has not polled for this long belongs to a cancelled request. */
const goneMs = 5000

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

export interface TurnOptions {
  readonly pause?: (milliseconds: number) => Promise<void>
  readonly now?: () => number
}

/**
 * Returns the function with calls in turns, in their order. Holds no lock across a pause, and each caller waits with
 * its own timers, because a cancelled request never releases what it holds.
 */
export function inTurns(scrypt: Scrypt, { pause = sleep, now = Date.now }: TurnOptions = {}): Scrypt {
  /** The waiting callers in order, with the time of their last poll. */
  const waiting = new Map<symbol, number>()
  let ended = 0

  /** Whether no earlier caller is still waiting. */
  const isFirst = (own: symbol): boolean => {
    const at = now()
    waiting.set(own, at)
    for (const [other, lookedAt] of waiting) {
      if (other === own) return true
      if (at - lookedAt < goneMs) return false
      waiting.delete(other)
    }
    return true
  }

  /** Resolves after a pause in which no hash ran, so that other requests run first. */
  const quietPause = async (firstMs: number): Promise<void> => {
    let [before, nextMs] = [ended, firstMs]
    for (;;) {
      await pause(nextMs)
      if (before === ended) return
      before = ended
      nextMs = pauseMs
    }
  }

  return async (...parameters) => {
    const own = Symbol('waiting')
    waiting.set(own, now())
    try {
      await quietPause(shortPauseMs)
      while (!isFirst(own)) await quietPause(pauseMs)
      return await scrypt(...parameters)
    } finally {
      waiting.delete(own)
      ended += 1
    }
  }
}
