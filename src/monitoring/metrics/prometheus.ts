// The totals in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
import { bounds, catalog, type MetricName, metricNames } from './catalog.ts'
import type { Labels, Total } from './types.ts'

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

/** Older values of a gauge say nothing about now, so they are absent. Times of events do not age. */
const gaugeAgesMs = 15 * 60_000
const isTime = (name: MetricName): boolean => name.endsWith('_timestamp_seconds')

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const line = (name: string, labels: Labels, value: number): string =>
  `${name}${labelsText(labels)} ${numberText(value)}`

function histogram(name: string, { labels, sum, count, buckets = [] }: Total): string[] {
  let below = 0
  const cumulative = bounds.map((bound, index) => {
    below += buckets[index] ?? 0
    return line(`${name}_bucket`, { ...labels, le: numberText(bound) }, below)
  })
  return [
    ...cumulative,
    line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ]
}

function samples(name: MetricName, totals: readonly Total[], nowMs: number): string[] {
  switch (catalog[name].kind) {
    case 'counter':
      return totals.map(({ labels, sum }) => line(name, labels, sum))
    case 'gauge':
      return totals
        .filter(({ updatedMs }) => isTime(name) || nowMs - updatedMs < gaugeAgesMs)
        .map(({ labels, last }) => line(name, labels, last))
    case 'seconds':
      return totals.flatMap((total) => histogram(name, total))
  }
}

const typeNames = { counter: 'counter', gauge: 'gauge', seconds: 'histogram' } as const

/** Metrics that this version does not know, of another version of the Worker, are left out. */
export function expositionOf(totals: readonly Total[], nowMs: number): string {
  const byName = Map.groupBy(totals, ({ name }) => name)
  const lines = metricNames.flatMap((name) => {
    const found = samples(name, byName.get(name) ?? [], nowMs)
    if (found.length === 0) return []
    const { help, kind } = catalog[name]
    return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${typeNames[kind]}`, ...found]
  })
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
