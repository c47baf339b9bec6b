// What alarm rules measure: sums, gauges and percentiles over the metrics of the last minutes.
import { seriesKey } from '../metrics/cells.ts'
import type { Measured, Series, Total } from '../metrics/types.ts'

/** Labels that a series must have; of a list, one value. */
export type Where = Readonly<Record<string, string | readonly string[]>>

export interface Readings {
  readonly nowMs: number
  /** The sum of a counter; null without data. */
  sum(name: string, minutes: number, where?: Where): number | null
  /** How many values were recorded; null without data. */
  count(name: string, minutes: number, where?: Where): number | null
  /** The largest newest value of a gauge, over its label sets; null without data. */
  last(name: string, minutes: number, where?: Where): number | null
  /** The value of a gauge however old it is, the largest over its label sets; null if it was never measured. */
  latest(name: string, where?: Where): number | null
  /** Minutes since the newest measurement, however old it is; null if there never was one. */
  age(name: string, where?: Where): number | null
  /** An upper bound of a percentile of a histogram, from its buckets; null without data. */
  percentile(name: string, minutes: number, share: number, where?: Where): number | null
  /** The values of a label. */
  valuesOf(name: string, minutes: number, label: string): readonly string[]
}

const minuteMs = 60_000

const largest = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values))

const hasLabels = ({ labels }: Measured, where: Where): boolean =>
  Object.entries(where).every(([label, wanted]) => {
    const value = labels[label]
    return value !== undefined && (typeof wanted === 'string' ? value === wanted : wanted.includes(value))
  })

/** The largest value in the bucket that contains the share; `max` for values beyond the last bound. */
function percentileOf(series: readonly Series[], share: number, bounds: readonly number[]): number | null {
  const counts = Array.from({ length: bounds.length + 1 }, (_, index) =>
    series.reduce((sum, { buckets }) => sum + (buckets?.[index] ?? 0), 0),
  )
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const highest = Math.max(...series.map(({ max }) => max))
  let below = 0
  for (const [index, count] of counts.entries()) {
    below += count
    if (below >= share * total) return Math.min(bounds[index] ?? highest, highest)
  }
  return highest
}

export interface Measurements {
  /** The series of the last minutes. */
  readonly series: readonly Series[]
  /** The last measurements, however old. */
  readonly totals: readonly Total[]
}

/** @param bounds the upper bounds of the buckets of every histogram */
export function createReadings(
  { series: all, totals }: Measurements,
  nowMs: number,
  bounds: readonly number[],
): Readings {
  const byName = Map.groupBy(all, ({ name }) => name)
  const find = (name: string, minutes: number, where: Where = {}): readonly Series[] =>
    (byName.get(name) ?? []).filter(
      (series) => series.minuteMs > nowMs - (minutes + 1) * minuteMs && hasLabels(series, where),
    )
  const add = (series: readonly Series[], value: (series: Series) => number): number | null =>
    series.length === 0 ? null : series.reduce((sum, each) => sum + value(each), 0)
  const findTotals = (name: string, where: Where = {}): readonly Total[] =>
    totals.filter((total) => total.name === name && hasLabels(total, where))
  return {
    nowMs,
    sum: (name, minutes, where) => add(find(name, minutes, where), ({ sum }) => sum),
    count: (name, minutes, where) => add(find(name, minutes, where), ({ count }) => count),
    last(name, minutes, where) {
      const found = find(name, minutes, where)
      const newest = new Map<string, Series>()
      for (const series of found) {
        const key = seriesKey(series.labels)
        const known = newest.get(key)
        if (known === undefined || known.minuteMs < series.minuteMs) newest.set(key, series)
      }
      return largest([...newest.values()].map(({ last }) => last))
    },
    latest: (name, where) => largest(findTotals(name, where).map(({ last }) => last)),
    age(name, where) {
      const newestMs = largest(findTotals(name, where).map(({ updatedMs }) => updatedMs))
      return newestMs === null ? null : (nowMs - newestMs) / minuteMs
    },
    percentile: (name, minutes, share, where) => percentileOf(find(name, minutes, where), share, bounds),
    valuesOf: (name, minutes, label) => [...new Set(find(name, minutes).flatMap(({ labels }) => labels[label] ?? []))],
  }
}
