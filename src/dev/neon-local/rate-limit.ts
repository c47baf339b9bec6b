// The proxy's limit of requests to one endpoint: so many within each window, counted from the window's first.

export interface RequestLimit {
  requests: number
  perMs: number
}

/** What Neon's proxy allows an endpoint unless support raised it (`proxy/src/rate_limiter`). */
export const neonRequestLimits: readonly RequestLimit[] = [
  { requests: 500, perMs: 1_000 },
  { requests: 300 * 60, perMs: 60_000 },
  { requests: 200 * 600, perMs: 600_000 },
]

/** Returns whether one more request at `nowMs` is allowed; an allowed one is counted. */
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
