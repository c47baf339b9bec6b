// Saves the counts of Plaid calls: an isolate that has saved some moments ago waits, so that a busy one writes once for
// many requests and runs.
import type { Logger } from '../monitoring/logger.ts'
import type { UsageCount, UsageCounter } from './usage-counter.ts'

/** The least time between two writes of an isolate. Shorter than what `waitUntil` allows after a response (30 s). */
export const flushEveryMs = 5000

export interface UsageFlushOptions {
  readonly usage: UsageCounter
  readonly save: (counts: readonly UsageCount[]) => Promise<void>
  readonly wait: (milliseconds: number) => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * A function for `waitUntil` that never rejects. Of several calls within five seconds, the first writes immediately, the
 * second waits and writes for all. Counts that cannot be saved are logged and dropped.
 */
export function createUsageFlush({ usage, save, wait, now }: UsageFlushOptions): (log: Logger) => Promise<void> {
  let nextAtMs = 0
  /** Whether a call waits. It may be cancelled with its request; the next write ends the wait for it. */
  let isAwaited = false

  const write = async (log: Logger): Promise<void> => {
    isAwaited = false
    const counts = usage.drain()
    if (counts.length === 0) return
    nextAtMs = now() + flushEveryMs
    try {
      await save(counts)
    } catch (error) {
      log.error('plaid_usage_not_recorded', { count: counts.reduce((sum, { calls }) => sum + calls, 0), error })
    }
  }

  return async (log) => {
    const waitMs = nextAtMs - now()
    if (waitMs <= 0) return await write(log)
    if (isAwaited) return
    isAwaited = true
    await wait(waitMs)
    await write(log)
  }
}
