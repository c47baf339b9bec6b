// How many keys an isolate asks Plaid for. Anyone can make up key ids, so a network gets a small share of the requests,
// and Plaid's own networks have requests of their own.

export interface KeyBudgetLimits {
  /** Key requests an isolate makes in one window for unknown key ids, and as many for known ones. */
  readonly maxRequests: number
  /** How many of those for unknown key ids one network may cause. */
  readonly maxRequestsByNetwork: number
  readonly windowMs: number
}

/**
 * The networks of the addresses that Plaid documents as the senders of its webhooks. They get a reserve and no trust: an
 * outdated list costs nothing but the reserve. https://plaid.com/docs/api/webhooks/
 */
const networksOfPlaid: ReadonlySet<string> = new Set([
  '52.21.26.0/24',
  '52.21.47.0/24',
  '52.41.247.0/24',
  '52.88.82.0/24',
])

/** Says yes, and counts it, `maxRequests` times in any window. */
export function createBudget({ maxRequests, windowMs }: KeyBudgetLimits): (nowMs: number) => boolean {
  let spentAtMs: number[] = []
  return (nowMs) => {
    spentAtMs = spentAtMs.filter((time) => time > nowMs - windowMs)
    if (spentAtMs.length >= maxRequests) return false
    spentAtMs.push(nowMs)
    return true
  }
}

/** Gives a network its share back. */
export type Refund = () => void

/**
 * The same for unknown key ids, of which a network may spend a few only. Null where there is nothing left. A request that Plaid
 * did not answer is to be refunded to its network: the network did not cause that.
 */
export function createNetworkBudget(limits: KeyBudgetLimits): (network: string, nowMs: number) => Refund | null {
  const common = createBudget(limits)
  const reserve = createBudget(limits)
  let spent: { readonly network: string; readonly atMs: number }[] = []
  return (network, nowMs) => {
    spent = spent.filter(({ atMs }) => atMs > nowMs - limits.windowMs)
    if (spent.filter((other) => other.network === network).length >= limits.maxRequestsByNetwork) return null
    const mayAsk = networksOfPlaid.has(network) ? reserve : common
    if (!mayAsk(nowMs)) return null
    const request = { network, atMs: nowMs }
    spent.push(request)
    return () => {
      spent = spent.filter((other) => other !== request)
    }
  }
}
