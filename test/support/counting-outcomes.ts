// Services that remember the counted outcomes of webhooks.
import type { Services } from '../../src/context.ts'
import type { Metrics } from '../../src/monitoring/metrics/collector.ts'

export function countingOutcomes(given: Services): { readonly services: Services; readonly outcomes: string[] } {
  const outcomes: string[] = []
  const count: Metrics['count'] = (name, ...[labels]) => {
    const outcome: unknown = labels === undefined ? undefined : Reflect.get(labels, 'outcome')
    if (name === 'wn_webhooks_total' && typeof outcome === 'string') outcomes.push(outcome)
  }
  return { services: { ...given, metrics: { ...given.metrics, count } }, outcomes }
}
