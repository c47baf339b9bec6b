// The Durable Object of the metrics, run by the platform: sums of several isolates, repetitions, crashes, other versions
// of the Worker, bounds.
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMetrics, type Metrics } from '../../../src/monitoring/metrics/collector.ts'
import type { Monitor } from '../../../src/monitoring/metrics/object.ts'
import { keptMs, mostNames, mostSeriesOfRow } from '../../../src/monitoring/metrics/rows.ts'
import { createMetricsStore, type MonitorObjects } from '../../../src/monitoring/metrics/store.ts'
import type { MetricsStore, Point } from '../../../src/monitoring/metrics/types.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      MONITOR: DurableObjectNamespace<Monitor>
    }
  }
}

const start = Date.parse('2031-03-04T05:06:00.000Z')
const minute = 60_000
let count = 0
let stub: DurableObjectStub<Monitor>
let store: MetricsStore

/** A separate store for each test. */
const reopen = (): void => {
  stub = env.MONITOR.getByName(`test ${count}`)
  const objects: MonitorObjects = { getByName: () => stub }
  store = createMetricsStore(objects, () => crypto.randomUUID())
}

beforeEach(() => {
  count += 1
  reopen()
  setTime(start)
})
afterEach(() => {
  vi.useRealTimers()
})

function setTime(now: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now })
}

const isolate = (): Metrics => createMetrics({ store, wait: () => Promise.resolve(), newId: () => crypto.randomUUID() })

const point = (given: Partial<Point> = {}): Point => ({
  name: 'wn_webhooks_total',
  labels: { outcome: 'accepted' },
  minuteMs: start,
  sum: 1,
  count: 1,
  max: 1,
  last: 1,
  ...given,
})

const sums = async () =>
  (await store.read({ sinceMs: 0 })).map(({ name, labels, minuteMs, sum }) => [
    name,
    Object.values(labels).join(),
    (minuteMs - start) / minute,
    sum,
  ])

describe('the store', () => {
  it('adds up what several isolates counted, by minute and in total', async () => {
    const [one, other] = [isolate(), isolate()]
    one.count('wn_webhooks_total', { outcome: 'accepted' }, 2)
    other.count('wn_webhooks_total', { outcome: 'accepted' }, 3)
    other.observe('wn_queue_wait_seconds', 30, { kind: 'sync' })
    await Promise.all([one.flush(), other.flush()])
    setTime(start + minute)
    one.count('wn_webhooks_total', { outcome: 'accepted' })
    one.observe('wn_queue_wait_seconds', 30, { kind: 'sync' })
    await one.flush()
    expect(await store.read({ sinceMs: start, names: ['wn_webhooks_total'] })).toEqual([
      {
        name: 'wn_webhooks_total',
        labels: { outcome: 'accepted' },
        minuteMs: start,
        sum: 5,
        count: 2,
        max: 3,
        last: expect.any(Number),
      },
      {
        name: 'wn_webhooks_total',
        labels: { outcome: 'accepted' },
        minuteMs: start + minute,
        sum: 1,
        count: 1,
        max: 1,
        last: 1,
      },
    ])
    expect(await store.read({ sinceMs: start + minute, names: ['wn_webhooks_total'] })).toHaveLength(1)
    expect(await store.totals({ names: ['wn_queue_wait_seconds'] })).toMatchObject([
      { count: 2, sum: 0.06, buckets: [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    ])
  })

  it('counts points once that were sent twice', async () => {
    await store.add([point()], 'the same')
    await store.add([point()], 'the same')
    await store.add([point()], 'another')
    expect(await sums()).toEqual([['wn_webhooks_total', 'accepted', 0, 2]])
  })

  it('loses nothing that was read or written when the object is evicted or crashes', async () => {
    await store.add([point()])
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    await evictDurableObject(stub)
    await store.add([point()])
    const [before] = await store.totals()
    await abortAllDurableObjects()
    reopen()
    expect(before?.sum).toBe(2)
    expect(await store.totals()).toMatchObject([{ sum: 2 }])
    await store.add([point()])
    expect(await sums()).toEqual([['wn_webhooks_total', 'accepted', 0, 3]])
    expect(await store.totals()).toMatchObject([{ sum: 3 }])
  })

  it('does not let a late point of a gauge replace a newer value', async () => {
    await store.add([point({ name: 'wn_gauge', last: 9, lastMs: start + 20_000 })])
    await store.add([point({ name: 'wn_gauge', last: 4, lastMs: start + 10_000 })])
    expect(await store.totals()).toMatchObject([{ last: 9, updatedMs: start + 20_000 }])
  })

  it('keeps minutes for a day and totals for longer', async () => {
    await store.add([point()])
    await runDurableObjectAlarm(stub)
    setTime(start + keptMs + 2 * minute)
    await store.add([point({ minuteMs: start + keptMs + minute })])
    await runDurableObjectAlarm(stub)
    expect(await sums()).toEqual([['wn_webhooks_total', 'accepted', keptMs / minute + 1, 1]])
    expect(await store.totals()).toMatchObject([{ sum: 2 }])
  })

  it('refuses minutes that are too old, and takes one of the future as now', async () => {
    await store.add([
      point({ minuteMs: start - keptMs - minute }),
      point({ minuteMs: start + 90 * minute, lastMs: start + 90 * minute }),
    ])
    expect(await sums()).toEqual([['wn_webhooks_total', 'accepted', 1, 1]])
    expect(await store.totals()).toMatchObject([{ updatedMs: start + minute }])
  })
})

describe('its size', () => {
  it('is bounded: further labels of a metric are added up together', async () => {
    const points = Array.from({ length: mostSeriesOfRow + 30 }, (_, index) =>
      point({ labels: { outcome: `o${index}` } }),
    )
    await store.add(points)
    const series = await store.read({ sinceMs: 0 })
    expect(series).toHaveLength(mostSeriesOfRow + 1)
    expect(series.find(({ labels }) => labels['outcome'] === 'other')).toMatchObject({ sum: 30 })
    expect(await store.totals()).toHaveLength(mostSeriesOfRow + 1)
  })

  it('is bounded: further metrics are dropped', async () => {
    await store.add(Array.from({ length: mostNames + 10 }, (_, index) => point({ name: `wn_metric_${index}` })))
    expect(await store.totals()).toHaveLength(mostNames)
    expect(await store.read({ sinceMs: 0 })).toHaveLength(mostNames)
  })

  it('takes one row for a metric and minute, for any labels', async () => {
    await store.add(Array.from({ length: 40 }, (_, index) => point({ labels: { outcome: `o${index}` } })))
    await runDurableObjectAlarm(stub)
    const rows = await runInDurableObject(stub, (_, { storage }) =>
      ['minutes', 'totals'].map((table) => storage.sql.exec(`select count(*) as rows from ${table}`).one()['rows']),
    )
    expect(rows).toEqual([1, 1])
  })
})

describe('another version of the Worker', () => {
  it('may send metrics and members that this one does not know', async () => {
    const newer = { ...point({ name: 'wn_of_tomorrow_total' }), quantiles: [1, 2, 3] }
    await stub.add({ id: 'x', points: [newer], version: 9 } as Parameters<Monitor['add']>[0])
    expect(await store.totals()).toMatchObject([{ name: 'wn_of_tomorrow_total', sum: 1 }])
  })

  it('cannot store what is no measurement', async () => {
    await store.add([
      point({ name: 'Not a name' }),
      point({ sum: Number.NaN }),
      point({ minuteMs: Number.NaN }),
      point({ labels: { outcome: 'x'.repeat(101) } }),
    ])
    expect(await store.totals()).toEqual([])
  })

  it('may lack a method: the caller gets an error, as of a store that fails', async () => {
    const older = createMetricsStore(
      // oxlint-disable-next-line typescript/consistent-type-assertions -- an object of a version without this method
      { getByName: () => ({ add: (call) => stub.add(call) }) as ReturnType<MonitorObjects['getByName']> },
      () => crypto.randomUUID(),
    )
    await older.add([point()])
    await expect(older.totals()).rejects.toThrow(TypeError)
  })
})
