// Collects measurements in an isolate and sends them to the store, after responses and with bounded memory. Never fails
// and never makes a request wait: what cannot be stored is sent once more, then dropped and counted.
import { bounds, bucketOf, catalog, type CounterName, type DurationName, type GaugeName } from './catalog.ts'
import type { LabelsOf, MetricName } from './catalog.ts'
import { addTo, type Cells, type Delta } from './cells.ts'
import type { Labels, MetricsStore, Point } from './types.ts'

/** Labels are required if the metric has any. */
type Given<Name extends MetricName> = keyof LabelsOf<Name> extends never
  ? [labels?: Readonly<Record<string, never>>]
  : [labels: LabelsOf<Name>]
type GivenCount<Name extends MetricName> = keyof LabelsOf<Name> extends never
  ? [labels?: Readonly<Record<string, never>>, value?: number]
  : [labels: LabelsOf<Name>, value?: number]

export interface Metrics {
  count<Name extends CounterName>(name: Name, ...given: GivenCount<Name>): void
  observe<Name extends DurationName>(name: Name, milliseconds: number, ...given: Given<Name>): void
  gauge<Name extends GaugeName>(name: Name, value: number, ...given: Given<Name>): void
  /** Sends what was collected. Never rejects. */
  flush(): Promise<void>
  /** The same, at most every few seconds: waits until it is due, unless another call already does. */
  flushWhenDue(): Promise<void>
}

export interface CollectorOptions {
  /** Null drops everything. */
  readonly store: Pick<MetricsStore, 'add'> | null
  readonly wait: (milliseconds: number) => Promise<void>
  readonly newId: () => string
  readonly now?: () => number
}

const minute = 60_000
/** Least time between two flushes of an isolate. */
export const flushEveryMs = 5000
/** An invocation can end while it sends or waits: after this time, another one does. */
const abandonedMs = 15_000
/** Series of one metric and minute, and of all of them together. */
export const mostSeriesOfName = 300
export const mostSeries = 3000

interface Batch {
  readonly id: string
  readonly points: readonly Point[]
}

const safe = /^[A-Za-z0-9_./{}:* -]{1,100}/

/** Values are names of the code. Anything else is cut to a plain name, so that no input reaches the store. */
function plainLabels(name: MetricName, given: Labels): Labels {
  return Object.fromEntries(catalog[name].labels.map((label) => [label, safe.exec(given[label] ?? '')?.[0] ?? 'none']))
}

/** One per isolate. */
export function createMetrics({ store, wait, newId, now = () => Date.now() }: CollectorOptions): Metrics {
  let rows = new Map<string, { readonly name: MetricName; readonly minuteMs: number; readonly cells: Cells }>()
  let size = 0
  /** What a failed flush had sent. */
  let failed: Batch | null = null
  let [sendingSinceMs, waitingSinceMs, sentAtMs] = [
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]

  const add = (name: MetricName, labels: Labels, measured: Omit<Delta, 'labels' | 'lastMs'>): void => {
    if (store === null || !Number.isFinite(measured.sum)) return
    const lastMs = now()
    const minuteMs = lastMs - (lastMs % minute)
    const key = `${minuteMs} ${name}`
    const row = rows.get(key) ?? { name, minuteMs, cells: new Map() }
    rows.set(key, row)
    const before = row.cells.size
    const most = size < mostSeries ? mostSeriesOfName : 0
    const isKept = addTo(row.cells, { labels: plainLabels(name, labels), ...measured, lastMs }, most)
    size += row.cells.size - before
    if (!isKept && name !== 'wn_metrics_dropped_total') dropped('series')
  }

  const dropped = (reason: 'series' | 'store', points = 1): void => {
    add('wn_metrics_dropped_total', { reason }, { sum: points, count: points, max: 1, last: 1 })
  }

  const drain = (): Point[] => {
    const points = [...rows.values()].flatMap(({ name, minuteMs, cells }) =>
      [...cells.values()].map(({ buckets, ...cell }) => ({
        name,
        minuteMs,
        ...cell,
        ...(buckets === null ? {} : { buckets }),
      })),
    )
    rows = new Map()
    size = 0
    return points
  }

  /** Sends one batch; false if it may not have been stored. */
  const send = async (batch: Batch): Promise<boolean> => {
    try {
      await store?.add(batch.points, batch.id)
      return true
    } catch {
      return false
    }
  }

  const flush = async (): Promise<void> => {
    const startedMs = now()
    // The promise of another invocation must not be awaited: that one may end first.
    if (store === null || startedMs - sendingSinceMs < abandonedMs) return
    sendingSinceMs = startedMs
    sentAtMs = startedMs
    const repeated = failed
    failed = null
    if (repeated !== null && !(await send(repeated))) dropped('store', repeated.points.length)
    const points = drain()
    if (points.length > 0) {
      const batch = { id: newId(), points }
      if (!(await send(batch))) failed = batch
    }
    sendingSinceMs = Number.NEGATIVE_INFINITY
  }

  return {
    count: (name: CounterName, labels: Labels = {}, value = 1) =>
      add(name, labels, { sum: value, count: 1, max: value, last: value }),
    observe: (name: DurationName, milliseconds: number, labels: Labels = {}) => {
      const value = Math.max(0, milliseconds) / 1000
      const buckets = Array.from({ length: bounds.length + 1 }, () => 0)
      buckets[bucketOf(value)] = 1
      add(name, labels, { sum: value, count: 1, max: value, last: value, buckets })
    },
    gauge: (name: GaugeName, value: number, labels: Labels = {}) =>
      add(name, labels, { sum: value, count: 1, max: value, last: value }),
    flush,
    flushWhenDue: async () => {
      const startedMs = now()
      const leftMs = sentAtMs + flushEveryMs - startedMs
      if (leftMs <= 0) return await flush()
      if (store === null || startedMs - waitingSinceMs < abandonedMs) return
      waitingSinceMs = startedMs
      await wait(leftMs)
      waitingSinceMs = Number.NEGATIVE_INFINITY
      await flush()
    },
  }
}
