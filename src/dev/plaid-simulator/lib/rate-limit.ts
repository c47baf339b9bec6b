// Plaid's limits a minute, by item and by client. A refused call does not count.

const windowMs = 60_000

export interface Limit {
  item: number | null
  client: number
}

/** Limits by endpoint path. */
export type LimitTable = Readonly<Record<string, Limit>>

/** Plaid's published defaults for production; they differ by customer. */
export const defaultLimits: LimitTable = {
  '/accounts/get': { item: 15, client: 15_000 },
  '/accounts/balance/get': { item: 5, client: 1200 },
  '/auth/get': { item: 15, client: 12_000 },
  '/identity/get': { item: 15, client: 2000 },
  '/investments/holdings/get': { item: 15, client: 2000 },
  '/investments/refresh': { item: 2, client: 100 },
  '/investments/transactions/get': { item: 30, client: 20_000 },
  '/item/get': { item: 15, client: 5000 },
  '/item/remove': { item: 30, client: 2000 },
  '/liabilities/get': { item: 15, client: 1000 },
  '/transactions/get': { item: 30, client: 20_000 },
  '/transactions/recurring/get': { item: 20, client: 1000 },
  '/transactions/refresh': { item: 2, client: 100 },
  '/transactions/sync': { item: 50, client: 2500 },
  '/institutions/get': { item: null, client: 50 },
  '/institutions/get_by_id': { item: null, client: 400 },
  '/institutions/search': { item: null, client: 400 },
}

export interface RateLimits {
  /** Counts one call at `nowMs`. Returns false, without counting it, when it exceeds a limit. */
  admit(endpoint: string, itemId: string | null, nowMs: number): boolean
}

export function rateLimits(table: false | LimitTable): RateLimits {
  const log = new Map<string, number[]>()
  const recent = (key: string, nowMs: number): number[] => {
    const times = (log.get(key) ?? []).filter((time) => time > nowMs - windowMs)
    log.set(key, times)
    return times
  }
  return {
    admit(endpoint, itemId, nowMs) {
      const limit = table === false ? undefined : table[endpoint]
      if (limit === undefined) return true
      const byClient = recent(endpoint, nowMs)
      const byItem = itemId === null || limit.item === null ? null : recent(`${endpoint} ${itemId}`, nowMs)
      if (byClient.length >= limit.client) return false
      if (byItem !== null && limit.item !== null && byItem.length >= limit.item) return false
      byClient.push(nowMs)
      byItem?.push(nowMs)
      return true
    },
  }
}
