// What an isolate collects, and what becomes of it when the store fails: bounded memory, one repetition, never an error.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  createMetrics,
  flushEveryMs,
  type Metrics,
  mostSeries,
  mostSeriesOfName,
} from '../../../../src/monitoring/metrics/collector.ts'
import type { Point } from '../../../../src/monitoring/metrics/types.ts'

interface Sent {
  readonly id: string | undefined
  readonly points: readonly Point[]
}

const start = Date.parse('2031-03-04T05:06:00.000Z')
let now: number
let sent: Sent[]
let waited: number[]
/** Failures to come. */
let failures: number
let metrics: Metrics

beforeEach(() => {
  now = start
  sent = []
  waited = []
  failures = 0
  let ids = 0
  metrics = createMetrics({
    store: {
      add: (points, id) => {
        sent.push({ id, points })
        failures -= 1
        return failures >= 0 ? Promise.reject(new Error('no answer')) : Promise.resolve()
      },
    },
    wait: (milliseconds) => {
      waited.push(milliseconds)
      now += milliseconds
      return Promise.resolve()
    },
    newId: () => String((ids += 1)),
    now: () => now,
  })
})

const sumOf = (name: string) =>
  sent.flatMap(({ points }) => points.filter((point) => point.name === name)).reduce((sum, point) => sum + point.sum, 0)

describe('an isolate', () => {
  it('adds up what has the same name, labels and minute', async () => {
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    metrics.count('wn_webhooks_total', { outcome: 'accepted' }, 2)
    metrics.count('wn_webhooks_total', { outcome: 'refused' })
    now += 60_000
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flush()
    expect(sent[0]?.points.map(({ labels, minuteMs, sum }) => [labels, minuteMs - start, sum])).toEqual([
      [{ outcome: 'accepted' }, 0, 3],
      [{ outcome: 'refused' }, 0, 1],
      [{ outcome: 'accepted' }, 60_000, 1],
    ])
  })

  it('stores durations in seconds and by bound', async () => {
    metrics.observe('wn_queue_wait_seconds', 30, { kind: 'sync' })
    metrics.observe('wn_queue_wait_seconds', 400_000, { kind: 'sync' })
    await metrics.flush()
    expect(sent[0]?.points).toMatchObject([
      { sum: 400.03, count: 2, max: 400, buckets: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
    ])
  })

  it('keeps the newest value of a gauge', async () => {
    metrics.gauge('wn_cron_last_success_timestamp_seconds', 7, { job: 'sweep' })
    metrics.gauge('wn_cron_last_success_timestamp_seconds', 5, { job: 'sweep' })
    await metrics.flush()
    expect(sent[0]?.points).toMatchObject([{ last: 5, max: 7 }])
  })

  it('cuts a label that is not a plain name, so that no input is stored', async () => {
    metrics.count('wn_webhooks_total', { outcome: 'refused"} 1\nforged{x="' })
    metrics.count('wn_webhooks_total', { outcome: '\u0000' })
    metrics.count('wn_webhooks_total', { outcome: 'x'.repeat(500) })
    await metrics.flush()
    expect(sent[0]?.points.map(({ labels }) => labels['outcome'])).toEqual(['refused', 'none', 'x'.repeat(100)])
  })

  it('drops a value that is no number', async () => {
    metrics.observe('wn_queue_wait_seconds', Number.NaN, { kind: 'sync' })
    await metrics.flush()
    expect(sent).toEqual([])
  })
})

describe('its memory', () => {
  it('is bounded for each metric: further labels are added up together, and counted', async () => {
    for (let index = 0; index < mostSeriesOfName + 50; index += 1)
      metrics.count('wn_webhooks_total', { outcome: `outcome ${index}` })
    await metrics.flush()
    const points = sent[0]?.points ?? []
    expect(points.filter(({ name }) => name === 'wn_webhooks_total')).toHaveLength(mostSeriesOfName + 1)
    expect(points.find(({ labels }) => labels['outcome'] === 'other')).toMatchObject({ sum: 50 })
    expect(sumOf('wn_webhooks_total')).toBe(mostSeriesOfName + 50)
    expect(sumOf('wn_metrics_dropped_total')).toBe(50)
  })

  it('is bounded for all minutes together, while no flush is possible', async () => {
    for (let index = 0; index < 20 * mostSeriesOfName; index += 1) {
      if (index % mostSeriesOfName === 0) now += 60_000
      metrics.count('wn_webhooks_total', { outcome: `outcome ${index}` })
    }
    await metrics.flush()
    // Beyond the bound, one of each minute for the metric and one for the count.
    expect(sent[0]?.points.length).toBeLessThan(mostSeries + 2 * 20)
    expect(sumOf('wn_webhooks_total')).toBe(20 * mostSeriesOfName)
  })
})

describe('a store that fails', () => {
  it('gets the same points once more, under the same id', async () => {
    failures = 1
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flush()
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flush()
    await metrics.flush()
    expect(sent.map(({ id, points }) => [id, points.map(({ sum }) => sum)])).toEqual([
      ['1', [1]],
      ['1', [1]],
      ['2', [1]],
    ])
  })

  it('loses points that fail twice, whose number is counted', async () => {
    failures = 2
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flush()
    await metrics.flush()
    await metrics.flush()
    expect(sent.at(-1)?.points).toMatchObject([
      { name: 'wn_metrics_dropped_total', labels: { reason: 'store' }, sum: 1 },
    ])
    expect(sent).toHaveLength(3)
  })

  it('keeps one failed batch at most, and no flush rejects', async () => {
    failures = 1000
    for (let round = 0; round < 100; round += 1) {
      metrics.count('wn_webhooks_total', { outcome: 'accepted' })
      await expect(metrics.flush()).resolves.toBeUndefined()
    }
    // The batch of the first round, and then two of each.
    expect(sent).toHaveLength(199)
    expect(Math.max(...sent.map(({ points }) => points.length))).toBeLessThanOrEqual(2)
  })
})

describe('the pace', () => {
  it('is one flush in some seconds; one request waits for it and the others do not', async () => {
    await metrics.flushWhenDue()
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flushWhenDue()
    now += 1000
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    const first = metrics.flushWhenDue()
    await metrics.flushWhenDue()
    await first
    expect(waited).toEqual([flushEveryMs, flushEveryMs - 1000])
    expect(sumOf('wn_webhooks_total')).toBe(2)
  })

  it('does not stop with an invocation that ended while it sent', async () => {
    const stuck: (() => void)[] = []
    let calls = 0
    metrics = createMetrics({
      store: { add: () => new Promise((resolve) => (calls += 1) && stuck.push(resolve)) },
      wait: () => Promise.resolve(),
      newId: () => 'id',
      now: () => now,
    })
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    void metrics.flush()
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flush()
    expect(calls).toBe(1)
    now += 60_000
    void metrics.flush()
    expect(calls).toBe(2)
  })

  it('is none without a store, and nothing is collected', async () => {
    metrics = createMetrics({
      store: null,
      wait: () => Promise.reject(new Error('waited')),
      newId: () => '',
      now: () => now,
    })
    metrics.count('wn_webhooks_total', { outcome: 'accepted' })
    await metrics.flushWhenDue()
    await metrics.flushWhenDue()
    expect(waited).toEqual([])
  })
})
