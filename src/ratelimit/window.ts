// A sliding log: at most N admissions in any window. Pure; independent of clock, storage and addresses.

/** No more than `quota` admissions in any `windowMs`: an admission counts until it is exactly that old. */
export interface Limit {
  /** The policy's name in response headers. */
  readonly policy: string
  readonly quota: number
  readonly windowMs: number
}

/** One log and its limits. `name` says what is counted, `place` for whom. */
export interface Bucket {
  readonly name: string
  readonly place: string
  /** At least one. */
  readonly limits: readonly Limit[]
}

/** The times of admissions, in milliseconds since 1970, oldest first. */
export type Log = Float64Array<ArrayBuffer>

export const emptyLog: Log = new Float64Array(0)

/** The state of one limit after a decision. */
export interface Standing {
  /** Admissions left. */
  readonly remaining: number
  /** Time until the next admission is possible; 0 unless this limit refused. */
  readonly waitMs: number
  /** Time until the oldest counted admission expires; until then, at most `remaining` are admitted. */
  readonly resetMs: number
}

export interface Decision {
  readonly admitted: boolean
  /** The standings of every limit of every bucket, in their order. */
  readonly standings: readonly Standing[]
  /** The logs to store, by the bucket's index. A refusal changes no log unless the clock was set back. */
  readonly changed: ReadonlyMap<number, Log>
}

/** Index of the first admission after `time`. */
function firstAfter(log: Log, time: number): number {
  let [low, high] = [0, log.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((log[middle] ?? 0) > time) high = middle
    else low = middle + 1
  }
  return low
}

/** Number of admissions of the log within the window. */
export const countIn = (log: Log, windowMs: number, now: number): number => log.length - firstAfter(log, now - windowMs)

/**
 * Moves admissions in the future, after the clock was set back, to now. They then count for one window at most, and
 * never for less than they should.
 */
function clampTo(now: number, log: Log): Log {
  const future = firstAfter(log, now)
  return future === log.length ? log : new Float64Array(log).fill(now, future)
}

function standingOf(limit: Limit, log: Log, now: number): Standing {
  const start = firstAfter(log, now - limit.windowMs)
  const used = log.length - start
  // The admission whose expiry makes room. After the quota was lowered, it is not the oldest.
  const blocking = used < limit.quota ? undefined : log[log.length - limit.quota]
  const oldest = log[start]
  const waitMs = blocking === undefined ? 0 : blocking + limit.windowMs - now
  return {
    remaining: Math.max(0, limit.quota - used),
    waitMs,
    resetMs: oldest === undefined ? limit.windowMs : Math.max(waitMs, oldest + limit.windowMs - now),
  }
}

/** Appends an admission and drops those that no limit needs. */
function append(log: Log, limits: readonly Limit[], now: number): Log {
  const longestMs = Math.max(...limits.map(({ windowMs }) => windowMs))
  const largest = Math.max(...limits.map(({ quota }) => quota))
  const live = log.subarray(firstAfter(log, now - longestMs))
  const kept = live.subarray(Math.max(0, live.length + 1 - largest))
  const longer = new Float64Array(kept.length + 1)
  longer.set(kept)
  longer[kept.length] = now
  return longer
}

/**
 * Admits a request in all buckets or in none.
 * @param logs the stored log of each bucket, in the order of `buckets`
 * @param now milliseconds since 1970
 */
export function decide(buckets: readonly Bucket[], logs: readonly Log[], now: number): Decision {
  const stored = buckets.map((bucket, index) => ({ bucket, log: logs[index] ?? emptyLog }))
  const before = stored.map(({ bucket, log }) => ({ bucket, log: clampTo(now, log) }))
  const stand = (entries: typeof before): Standing[] =>
    entries.flatMap(({ bucket, log }) => bucket.limits.map((limit) => standingOf(limit, log, now)))
  const standings = stand(before)
  if (standings.some(({ waitMs }) => waitMs > 0)) {
    const clamped = before.flatMap(({ log }, index) => (log === stored[index]?.log ? [] : [[index, log] as const]))
    return { admitted: false, standings, changed: new Map(clamped) }
  }
  const after = before.map(({ bucket, log }) => ({ bucket, log: append(log, bucket.limits, now) }))
  const admitted = stand(after).map((standing) => ({ ...standing, waitMs: 0 }))
  return { admitted: true, standings: admitted, changed: new Map(after.map(({ log }, index) => [index, log])) }
}
