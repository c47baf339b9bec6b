// A generous limit that an isolate counts itself, for responses that cost less than a call of an object.

export interface LocalLimitOptions {
  readonly quota: number
  readonly windowMs: number
  /** The most clients with their own count. Further ones share one count until the window ends. */
  readonly maxClients?: number
}

/** Counts a request of a client. Returns 0 if it is admitted, else the milliseconds until the next admission. */
export type LocalLimit = (client: string, nowMs: number) => number

const others = '*'

export function createLocalLimit({ quota, windowMs, maxClients = 10_000 }: LocalLimitOptions): LocalLimit {
  const counts = new Map<string, number>()
  let endsAtMs = Number.NEGATIVE_INFINITY
  return (client, nowMs) => {
    if (nowMs >= endsAtMs) {
      counts.clear()
      endsAtMs = nowMs + windowMs
    }
    const key = counts.has(client) || counts.size < maxClients ? client : others
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count > quota ? endsAtMs - nowMs : 0
  }
}
