// One password hash at a time in an isolate, with a pause between two of them. A hash blocks the isolate's only thread,
// and the platform serves what waits for it in order: twenty hashes in a row would delay every other request by all
// twenty. Here those that wait look again from time to time, so that other requests come in between.
import type { Scrypt } from './scrypt.ts'

/** Before a hash that nobody holds up. */
const shortPauseMs = 2
/**
 * Between two hashes, and between two looks of one that waits: long enough for a request to come in and its answer to
 * leave.
 */
const pauseMs = 20
/** One that has not looked for so long belongs to a request that was cancelled. */
const goneMs = 5000

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

export interface TurnOptions {
  readonly pause?: (milliseconds: number) => Promise<void>
  readonly now?: () => number
}

/**
 * The same function in turns, in the order of the calls. Nothing is held across a pause and each caller waits by timers
 * of its own, since a request that is cancelled never releases what it holds.
 */
export function inTurns(scrypt: Scrypt, { pause = sleep, now = Date.now }: TurnOptions = {}): Scrypt {
  /** Who waits, in order, and when each looked last. */
  const waiting = new Map<symbol, number>()
  let ended = 0

  /** Whether nobody who still waits came before. */
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

  /** Resolves after a pause without a hash in it: after one, other requests that came meanwhile go first. */
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
