// The history of the metrics in Analytics Engine, which keeps three months. Never anything about a person: names and
// labels come from the code.
import { catalog, isMetric } from './catalog.ts'
import type { Series } from './types.ts'

/** The part of the binding that is used. Writing returns immediately; a local workerd drops the point. */
export interface Dataset {
  writeDataPoint(point: { indexes?: string[]; blobs?: string[]; doubles?: number[] }): void
}

export const isDataset = (binding: unknown): binding is Dataset =>
  typeof binding === 'object' &&
  binding !== null &&
  'writeDataPoint' in binding &&
  typeof binding.writeDataPoint === 'function'

/** What Cloudflare accepts of one invocation. https://developers.cloudflare.com/analytics/analytics-engine/limits/ */
export const mostPointsOfInvocation = 250
const mostDoubles = 20

/** Label values in the order of the catalog, so that a query finds each at the same place. */
function blobsOf({ name, labels }: Series): string[] {
  const order: readonly string[] = isMetric(name) ? catalog[name].labels : Object.keys(labels).toSorted()
  return order.map((label) => labels[label] ?? '')
}

/** One point for each series: the index is the name, the doubles are sum, count, max, last, the minute and the buckets. */
export function writeSeries(dataset: Dataset, series: readonly Series[]): void {
  for (const one of series.slice(0, mostPointsOfInvocation)) {
    const { name, sum, count, max, last, minuteMs, buckets = [] } = one
    dataset.writeDataPoint({
      indexes: [name],
      blobs: blobsOf(one),
      doubles: [sum, count, max, last, minuteMs / 1000, ...buckets].slice(0, mostDoubles),
    })
  }
}

/** The place of an export: a minute, and how many of its series were written. */
export interface ExportPlace {
  readonly minuteMs: number
  readonly written: number
}

const minute = 60_000
/** After its end, isolates still send points of a minute. */
const settledMs = 30_000
/** Older minutes are left out after an interruption. */
const mostMinutes = 15

/** Writes what fits into one invocation, oldest first. Returns where the next one continues. */
export function exportSeries(
  dataset: Dataset,
  seriesOf: (minuteMs: number) => readonly Series[],
  from: ExportPlace | null,
  nowMs: number,
): ExportPlace {
  const currentMs = nowMs - (nowMs % minute)
  const earliestMs = currentMs - mostMinutes * minute
  let place =
    from !== null && from.minuteMs >= earliestMs
      ? from
      : { minuteMs: from === null ? currentMs : earliestMs, written: 0 }
  let room = mostPointsOfInvocation
  while (room > 0 && place.minuteMs + minute + settledMs <= nowMs) {
    const series = seriesOf(place.minuteMs).slice(place.written)
    writeSeries(dataset, series.slice(0, room))
    place =
      series.length > room
        ? { ...place, written: place.written + room }
        : { minuteMs: place.minuteMs + minute, written: 0 }
    room -= series.length
  }
  return place
}
