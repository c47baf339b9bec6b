// The cash flow of each currency, with every interval from the first one with money: the API leaves out those without.
import type { CashFlow, CashFlowIntervals } from '@wealthnavigator/client'
import { type Interval, intervalStarts } from '../format/periods.ts'

export interface CurrencyFlows {
  readonly currency: string | null
  /** Oldest first. */
  readonly rows: readonly CashFlow[]
}

/** The first days of the intervals. Those before the first money would only make the others small. */
export function startsOf({ from, to, data }: CashFlowIntervals, interval: Interval): string[] {
  const first = data.reduce((earliest, { start }) => (start < earliest ? start : earliest), to)
  return intervalStarts(from, to, interval).filter((start) => start >= first)
}

/** The currency with the most intervals is first. */
export function flowsByCurrency(flow: CashFlowIntervals, interval: Interval): CurrencyFlows[] {
  const starts = startsOf(flow, interval)
  return [...Map.groupBy(flow.data, ({ currency }) => currency)]
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
