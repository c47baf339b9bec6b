// docs/metrics.md and the dashboard follow the catalog: no metric is missing, and none is named that does not exist.
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { bounds, catalog, isMetric, metricNames } from '../../../../src/monitoring/metrics/catalog.ts'

const typeNames = { counter: 'counter', gauge: 'gauge', seconds: 'histogram' }

describe('docs/metrics.md', async () => {
  const text = await readFile('docs/metrics.md', 'utf8')

  it('has a line for every metric, as the catalog says it', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| `wn_'))
    expect(rows).toEqual(
      metricNames.map((name) => {
        const { kind, labels, help } = catalog[name]
        return `| \`${name}\` | ${typeNames[kind]} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`
      }),
    )
  })

  it('names no metric that does not exist', () => {
    const named = [...text.matchAll(/`(wn_[a-z_]+)/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !isMetric(name))).toEqual([])
  })

  it('names the bounds of the histograms', () => {
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`the bounds ${bounds.slice(0, -1).join(', ')} and ${bounds.at(-1)}`)
  })
})

describe('the names', () => {
  it.each(metricNames)('say kind and unit, as Prometheus recommends: %s', (name) => {
    const { kind, labels } = catalog[name]
    expect(name).toMatch(/^wn_[a-z]+(?:_[a-z]+)*$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    expect(kind !== 'seconds' || name.endsWith('_seconds')).toBe(true)
    expect(name).not.toMatch(/_(?:bucket|sum|count)$/)
    for (const label of labels) expect(label).toMatch(/^(?!le$|environment$|job_name$)[a-z]+$/)
  })
})

const target = z.object({ expr: z.string() })
const dashboard = z.object({
  panels: z.array(z.looseObject({ id: z.number(), title: z.string(), targets: z.array(target).default([]) })),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string() })) }),
})

/** A query's metrics with the labels that it selects by; for a histogram, the name without its suffix. */
function metricsIn(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, ?/))
  return [...expr.matchAll(/(wn_[a-z_]+)(?:\{([^}]*)\})?/g)].map(([, full = '', selector = '']) => {
    const base = full.replace(/_(?:bucket|sum|count)$/, '')
    const selected = [...selector.matchAll(/([a-z_]+)(?:=|!=|=~|!~)"/g)].map(([, label = '']) => label)
    const isBucket = full.endsWith('_bucket')
    const used = [...grouped, ...selected].filter((label) => label !== 'environment' && !(isBucket && label === 'le'))
    return { name: isMetric(full) ? full : base, labels: used }
  })
}

describe('the dashboard', async () => {
  const { panels, templating } = dashboard.parse(JSON.parse(await readFile('docs/grafana-dashboard.json', 'utf8')))
  const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const))

  it.each(queries)('uses metrics and labels that exist: %s: %s', (_, expr) => {
    const used = metricsIn(expr)
    expect(used).not.toEqual([])
    for (const { name, labels } of used) {
      expect(metricNames).toContain(name)
      const known: readonly string[] = isMetric(name) ? catalog[name].labels : []
      expect(labels.filter((label) => !known.includes(label))).toEqual([])
      const suffixed = isMetric(name) && catalog[name].kind === 'seconds'
      expect([name, new RegExp(`${name}_(?:bucket|sum|count)\\b`).test(expr)]).toEqual([name, suffixed])
    }
  })

  it('shows every metric', () => {
    const shown = new Set(queries.flatMap(([, expr]) => metricsIn(expr).map(({ name }) => name)))
    expect(metricNames.filter((name) => !shown.has(name))).toEqual([])
  })

  it('has separate ids, and defines its variables', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const defined = templating.list.map(({ name }) => name)
    const used = queries.flatMap(([, expr]) => [...expr.matchAll(/\$(?!__)(\w+)/g)].map(([, name]) => name))
    expect([...new Set(used)].filter((name) => !defined.includes(name ?? ''))).toEqual([])
  })
})
