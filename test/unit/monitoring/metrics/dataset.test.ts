// The history of the metrics in Analytics Engine: one point for each series and minute, within Cloudflare's limits.
import { describe, expect, it } from 'vitest'
import {
  type ExportPlace,
  exportSeries,
  mostPointsOfInvocation,
  writeSeries,
} from '../../../../src/monitoring/metrics/dataset.ts'
import { bounds, catalog, metricNames } from '../../../../src/monitoring/metrics/catalog.ts'
import type { Series } from '../../../../src/monitoring/metrics/types.ts'

interface Written {
  readonly indexes?: string[]
  readonly blobs?: string[]
  readonly doubles?: number[]
}

const start = Date.parse('2031-03-04T05:06:00.000Z')
const minute = 60_000
const seriesOf = (count: number, minuteMs = start): Series[] =>
  Array.from({ length: count }, (_, index) => ({
    name: 'wn_webhooks_total',
    labels: { outcome: `o${index}` },
    minuteMs,
    sum: index,
    count: 1,
    max: index,
    last: index,
  }))

function dataset() {
  const points: Written[] = []
  return { points, writeDataPoint: (point: Written) => void points.push(point) }
}

describe('a point', () => {
  it('has its labels in the order of the catalog, and the buckets after the sums', () => {
    const target = dataset()
    writeSeries(target, [
      {
        name: 'wn_http_request_duration_seconds',
        minuteMs: start,
        sum: 3,
        count: 2,
        max: 2,
        last: 1,
        labels: { status: '2xx', route: '/health', method: 'GET' },
        buckets: Array.from({ length: bounds.length + 1 }, (_, index) => index),
      },
    ])
    expect(target.points).toEqual([
      {
        indexes: ['wn_http_request_duration_seconds'],
        blobs: ['GET', '/health', '2xx'],
        doubles: [3, 2, 2, 1, start / 1000, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
      },
    ])
  })

  it('stays within the limits of Cloudflare for every metric', () => {
    const target = dataset()
    for (const name of metricNames) {
      const labels = Object.fromEntries(catalog[name].labels.map((label) => [label, 'x'.repeat(100)]))
      const buckets = Array.from({ length: bounds.length + 1 }, () => 1)
      writeSeries(target, [{ name, labels, minuteMs: start, sum: 1, count: 1, max: 1, last: 1, buckets }])
    }
    for (const { indexes = [], blobs = [], doubles = [] } of target.points) {
      expect(indexes).toHaveLength(1)
      expect(new TextEncoder().encode(indexes[0]).length).toBeLessThanOrEqual(96)
      expect(blobs.length).toBeLessThanOrEqual(20)
      expect(blobs.join('').length).toBeLessThan(16 * 1024)
      expect(doubles.length).toBe(20)
    }
  })
})

describe('an export', () => {
  /** Runs an export at these times after the start; each continues where the last one ended. */
  function run(byMinute: (minuteMs: number) => Series[], ...afterMs: number[]) {
    let place: ExportPlace | null = { minuteMs: start, written: 0 }
    return afterMs.map((after) => {
      const target = dataset()
      place = exportSeries(target, byMinute, place, start + after)
      return target.points.map(({ doubles = [] }) => ((doubles[4] ?? 0) * 1000 - start) / minute)
    })
  }

  it('writes each minute once, when its isolates have sent it', () => {
    expect(run((at) => seriesOf(1, at), 60_000, 89_000, 90_000, 95_000, 210_000)).toEqual([[], [], [0], [], [1, 2]])
  })

  it('writes at most what an invocation may, and continues in the next one', () => {
    const most = mostPointsOfInvocation
    const [first, second, third] = run((at) => seriesOf(at === start ? most + 20 : 5, at), 150_000, 155_000, 160_000)
    expect(first).toHaveLength(most)
    expect(second).toEqual([...Array<number>(20).fill(0), ...Array<number>(5).fill(1)])
    expect(third).toEqual([])
  })

  it('leaves out what is older than a quarter of an hour after an interruption', () => {
    const [points = []] = run((at) => seriesOf(1, at), 60 * minute)
    expect(points).toEqual([45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58])
  })

  it('begins with the current minute where none was made before', () => {
    const target = dataset()
    expect(exportSeries(target, (at) => seriesOf(1, at), null, start + 50_000)).toEqual({ minuteMs: start, written: 0 })
    expect(target.points).toEqual([])
  })
})
