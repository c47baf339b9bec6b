// Limits the key requests of an isolate. Anyone can make up key ids, so each network gets a small share, and Plaid's
// own networks have a separate budget.

export interface KeyBudgetLimits {
  /** Key requests an isolate makes in one window for unknown key ids, and as many for known ones. */
  readonly maxRequests: number
  /** How many of those for unknown key ids one network may cause. */
  readonly maxRequestsByNetwork: number
  readonly windowMs: number
}

/**
 * The networks from which Plaid documents to send webhooks. They get a separate budget and no trust, so an outdated
 * list is harmless. https://plaid.com/docs/api/webhooks/
 */
const networksOfPlaid: ReadonlySet<string> = new Set([
  '52.21.26.0/24',
  '52.21.47.0/24',
  '52.41.247.0/24',
  '52.88.82.0/24',
])

/** Returns a function that returns true, and counts it, at most `maxRequests` times in any window. */
export function createBudget({ maxRequests, windowMs }: KeyBudgetLimits): (nowMs: number) => boolean {
  let spentAtMs: number[] = []
  return (nowMs) => {
    spentAtMs = spentAtMs.filter((time) => time > nowMs - windowMs)
    if (spentAtMs.length >= maxRequests) return false
    spentAtMs.push(nowMs)
    return true
  }
}

/** Returns a request to its network's share. */
export type Refund = () => void

/**
 * The same for unknown key ids, with a share per network. Returns null if the share or the budget is used up. A request
 * that Plaid did not respond to is refunded, because the network did not cause that.
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
