// The cash flow of each currency, with every interval: the API leaves out those without money.
import type { CashFlow, CashFlowIntervals } from '@wealthnavigator/client'
import { type Interval, intervalStarts } from '../format/periods.ts'

export interface CurrencyFlows {
  readonly currency: string | null
  /** Oldest first. */
  readonly rows: readonly CashFlow[]
}

/** The currency with the most intervals is first. */
export function flowsByCurrency({ from, to, data }: CashFlowIntervals, interval: Interval): CurrencyFlows[] {
  const starts = intervalStarts(from, to, interval)
  return [...Map.groupBy(data, ({ currency }) => currency)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([currency, known]) => {
      const byStart = new Map(known.map((row) => [row.start, row]))
      return {
        currency,
        rows: starts.map(
          (start) => byStart.get(start) ?? { start, end: start, currency, inflow: '0', outflow: '0', net: '0' },
        ),
      }
    })
}
