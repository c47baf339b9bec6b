// The metrics as Prometheus reads them. `promtool check metrics` accepts the same text.
import { describe, expect, it } from 'vitest'
import { bounds, catalog, metricNames } from '../../../../src/monitoring/metrics/catalog.ts'
import { expositionOf } from '../../../../src/monitoring/metrics/prometheus.ts'
import type { Total } from '../../../../src/monitoring/metrics/types.ts'
import { parseExposition } from '../../../support/prometheus.ts'

const now = Date.parse('2031-03-04T05:06:00.000Z')
const minute = 60_000
const total = (name: string, given: Partial<Total> = {}): Total => ({
  name,
  labels: {},
  sum: 0,
  count: 0,
  max: 0,
  last: 0,
  updatedMs: now,
  ...given,
})
const parsed = (...totals: Total[]) => parseExposition(expositionOf(totals, now))

/** Every metric of the catalog with plausible values. */
const everyTotal = metricNames.map((name) =>
  total(name, {
    labels: Object.fromEntries(catalog[name].labels.map((label) => [label, 'value'])),
    sum: 2.5,
    count: 3,
    max: 2,
    last: 1,
    ...(catalog[name].kind === 'seconds' ? { buckets: [1, ...bounds.slice(1).map(() => 0), 2] } : {}),
  }),
)

describe('the exposition', () => {
  it('has every metric with its type and meaning, in the order of the catalog', () => {
    const families = parsed(...everyTotal.toReversed())
    expect(families.map(({ name }) => name)).toEqual(metricNames)
    const types = { counter: 'counter', gauge: 'gauge', seconds: 'histogram' }
    for (const { name, type, help, samples } of families) {
      const declared = catalog[metricNames.find((known) => known === name) ?? 'wn_items']
      expect([type, help]).toEqual([types[declared.kind], declared.help])
      expect(samples).toHaveLength(declared.kind === 'seconds' ? bounds.length + 3 : 1)
    }
  })

  it('accumulates the buckets of a histogram', () => {
    const [family] = parsed(
      total('wn_queue_wait_seconds', {
        labels: { kind: 'sync' },
        sum: 301,
        count: 4,
        buckets: [1, 0, 2, ...bounds.slice(3).map(() => 0), 1],
      }),
    )
    expect(family?.samples.map(({ labels, value }) => [labels['le'] ?? 'none', value])).toEqual([
      ['0.005', 1],
      ['0.01', 1],
      ...bounds.slice(2).map((bound) => [String(bound), 3]),
      ['+Inf', 4],
      ['none', 301],
      ['none', 4],
    ])
  })

  it('escapes labels', () => {
    const outcome = 'a "quoted" \\ back\nslash'
    expect(parsed(total('wn_webhooks_total', { labels: { outcome }, sum: 1 }))[0]?.samples).toEqual([
      { name: 'wn_webhooks_total', labels: { outcome }, value: 1 },
    ])
  })

  it('writes large, small and infinite numbers as Prometheus reads them', () => {
    const values = [1e21, 1e-7, Infinity, -Infinity, 0.1 + 0.2]
    const totals = values.map((last, index) => total('wn_items', { labels: { status: `s${index}` }, last }))
    expect(parsed(...totals)[0]?.samples.map(({ value }) => value)).toEqual(values)
  })

  it('leaves out a gauge that was not measured for a quarter of an hour, and keeps times of events', () => {
    const old = { last: 7, updatedMs: now - 15 * minute }
    const totals = [
      total('wn_items_live', old),
      total('wn_items_synced_day_ratio', { ...old, updatedMs: now - 14 * minute }),
      total('wn_backup_last_success_timestamp_seconds', { ...old, updatedMs: now - 9000 * minute }),
      total('wn_dead_letters_open', old),
    ]
    expect(parsed(...totals).map(({ name }) => name)).toEqual([
      'wn_items_synced_day_ratio',
      'wn_backup_last_success_timestamp_seconds',
    ])
  })

  it('leaves out metrics that this version does not know', () => {
    expect(expositionOf([total('wn_of_tomorrow_total')], now)).toBe('')
  })
})

describe('the parser of these tests', () => {
  const head = '# HELP a b\n# TYPE a counter\n'
  it.each([
    ['a line without its end', `${head}a 1`],
    ['a sample before its type', 'a 1\n'],
    ['a repeated series', `${head}a{x="1"} 1\na{x="1"} 2\n`],
    ['an unescaped quotation mark', `${head}a{x="1"2"} 1\n`],
    ['a value that is no number', `${head}a one\n`],
    [
      'a histogram whose buckets decrease',
      '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    ],
    ['a histogram without its last bucket', '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow(/./)
  })
})
