// The proxy's limit of requests to one endpoint. Each window begins with its first request.

export interface RequestLimit {
  requests: number
  perMs: number
}

/** The limits of Neon's proxy for an endpoint, unless support raised them (`proxy/src/rate_limiter`). */
export const neonRequestLimits: readonly RequestLimit[] = [
  { requests: 500, perMs: 1_000 },
  { requests: 300 * 60, perMs: 60_000 },
  { requests: 200 * 600, perMs: 600_000 },
]

/** Returns whether one more request at `nowMs` is allowed, and counts it if so. */
export function createRateLimit(limits: readonly RequestLimit[]): (nowMs: number) => boolean {
  const windows = limits.map((limit) => ({ ...limit, startedAt: -Infinity, count: 0 }))
  return (nowMs) => {
    for (const window of windows)
      if (nowMs - window.startedAt >= window.perMs) Object.assign(window, { startedAt: nowMs, count: 0 })
    if (windows.some(({ count, requests }) => count >= requests)) return false
    for (const window of windows) window.count += 1
    return true
  }
}
