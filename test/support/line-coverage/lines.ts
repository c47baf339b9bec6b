// Merges the coverage of different tools by source line, the only unit that they share.
import * as z from 'zod'

const reportSchema = z.record(
  z.string(),
  z.object({
    statementMap: z.record(z.string(), z.object({ start: z.object({ line: z.number() }) })),
    s: z.record(z.string(), z.number()),
  }),
)

/** Hits by line, by file. */
export type LineHits = Map<string, Map<number, number>>

/** Adds a report in Istanbul's format to `hits`. A line has the hits of its most hit statement, over all reports. */
export function addReport(hits: LineHits, report: unknown): void {
  for (const [path, file] of Object.entries(reportSchema.parse(report))) {
    const lines = hits.get(path) ?? new Map<number, number>()
    hits.set(path, lines)
    for (const [id, { start }] of Object.entries(file.statementMap)) {
      lines.set(start.line, Math.max(lines.get(start.line) ?? 0, file.s[id] ?? 0))
    }
  }
}

export interface Row {
  name: string
  covered: number
  total: number
}

/** Covered lines by the folder under `src/`, and of everything. */
export function summarise(hits: LineHits, root: string): Row[] {
  const rows = new Map<string, Row>()
  for (const [path, lines] of hits) {
    const [first = '', ...rest] = path
      .slice(root.length)
      .replace(/^\/?src\//, '')
      .split('/')
    const name = rest.length === 0 ? 'src' : `src/${first}`
    for (const key of [name, 'total']) {
      const row = rows.get(key) ?? { name: key, covered: 0, total: 0 }
      rows.set(key, row)
      row.total += lines.size
      row.covered += [...lines.values()].filter((count) => count > 0).length
    }
  }
  return [...rows.values()].sort(
    (a, b) => Number(a.name === 'total') - Number(b.name === 'total') || (a.name < b.name ? -1 : 1),
  )
}

/** The same in lcov's format, with paths from `root`. */
export function toLcov(hits: LineHits, root: string): string {
  const record = ([path, lines]: [string, Map<number, number>]) => {
    const sorted = [...lines].sort(([a], [b]) => a - b)
    const found = sorted.map(([line, count]) => `DA:${line},${count}\n`).join('')
    return `SF:${path.slice(root.length + 1)}\n${found}LF:${sorted.length}\nend_of_record\n`
  }
  return [...hits]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(record)
    .join('')
}
