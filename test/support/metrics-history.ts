// Metrics in memory, recorded minute by minute as the store keeps them.
import { bounds, bucketOf } from '../../src/monitoring/metrics/catalog.ts'
import type { Measured, Series, Total } from '../../src/monitoring/metrics/types.ts'

export type Labels = Readonly<Record<string, string>>

export interface Recorder {
  /** Adds to a counter. */
  count(name: string, labels?: Labels, value?: number): void
  /** Adds `times` durations in seconds. */
  observe(name: string, seconds: number, labels?: Labels, times?: number): void
  gauge(name: string, value: number, labels?: Labels): void
}

export interface History {
  at(nowMs: number): Recorder
  readonly series: Series[]
  readonly totals: () => Total[]
}

const minuteMs = 60_000

const bucketsOf = (seconds: number, times: number): number[] =>
  [...bounds, null].map((_, index) => (index === bucketOf(seconds) ? times : 0))

export function createHistory(): History {
  const series: Series[] = []
  const newest = new Map<string, Total>()
  const add = (nowMs: number, measured: Measured): void => {
    series.push({ ...measured, minuteMs: nowMs - (nowMs % minuteMs) })
    newest.set(JSON.stringify([measured.name, measured.labels]), { ...measured, updatedMs: nowMs })
  }
  return {
    series,
    totals: () => [...newest.values()],
    at: (nowMs) => ({
      count: (name, labels = {}, value = 1) =>
        add(nowMs, { name, labels, sum: value, count: 1, max: value, last: value }),
      observe: (name, seconds, labels = {}, times = 1) =>
        add(nowMs, {
          name,
          labels,
          sum: seconds * times,
          count: times,
          max: seconds,
          last: seconds,
          buckets: bucketsOf(seconds, times),
        }),
      gauge: (name, value, labels = {}) => add(nowMs, { name, labels, sum: value, count: 1, max: value, last: value }),
    }),
  }
}
