// Counts the decisions of our rate limiter for Plaid's limits.
import type { Metrics } from '../monitoring/metrics/collector.ts'
import type { PlaidLimiter } from './rate-limit/limiter.ts'
import { limitNameOf } from './rate-limit/limits.ts'

export function measuredLimiter(limiter: PlaidLimiter, metrics: Pick<Metrics, 'count'>): PlaidLimiter {
  return {
    ...limiter,
    check: async (path, caller) => {
      const outcome = await limiter.check(path, caller)
      metrics.count('wn_plaid_admissions_total', { limit: limitNameOf(path) ?? 'none', outcome: outcome.kind })
      return outcome
    },
  }
}
