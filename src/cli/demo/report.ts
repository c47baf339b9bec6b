// The demo's output: one line for each finding. With --json, one object at the end, which is then the only text on
// standard output.
import { type TableName, tableNames } from './book.ts'
import type { Difference } from './compare.ts'
import type { Finding } from './context.ts'

/** How many differences of each table are printed for a finding. */
const mostShown = 5
const mostValueCharacters = 300

interface Step {
  readonly index: number
  readonly title: string
}

export interface Report {
  /** Prints a progress line. */
  say(text: string): void
  step(step: Step): void
  found(step: Step, finding: Finding): void
  end(outcome: { ok: boolean; seed: string | null; error: string | null }): void
}

interface Found extends Finding {
  readonly step: number
  readonly title: string
  /** Seconds since the demo began. */
  readonly seconds: number
}

export function createReport(
  json: boolean,
  streams: { out: NodeJS.WritableStream; err: NodeJS.WritableStream },
): Report {
  const startedAt = performance.now()
  const all: Found[] = []
  const seconds = (): number => (performance.now() - startedAt) / 1000
  const line = (text: string) => (json ? streams.err : streams.out).write(`${text}\n`)
  const timed = (text: string) => line(`${seconds().toFixed(1).padStart(7)} s  ${text}`)
  return {
    say: (text) => timed(`- ${text}`),
    step: ({ index, title }) => line(`\n${index}  ${title}`),
    found({ index, title }, finding) {
      all.push({ step: index, title, seconds: rounded(seconds()), ...finding })
      timed(`${mark(finding)} ${finding.customer}: ${finding.summary}${countsText(finding)}`)
      const shown = firstOfEach(finding.differences)
      for (const difference of shown) line(differenceText(difference))
      const more = finding.differences.length - shown.length
      if (more > 0) line(`             and ${more} more`)
    },
    end({ ok, seed, error }) {
      const customers = new Set(all.map(({ customer }) => customer)).size
      const total = `${all.length} comparisons of ${customers} bank${customers === 1 ? '' : 's'}`
      line('')
      timed(ok ? `All equal: ${total}.` : error === null ? 'Not equal.' : 'Not finished.')
      if (!json) return
      const steps = all.map((found) => ({
        ...found,
        differences: firstOfEach(found.differences),
        different: found.differences.length,
      }))
      streams.out.write(`${JSON.stringify({ ok, error, seed, seconds: rounded(seconds()), steps })}\n`)
    },
  }
}

/** A few of each table, so that many of one table do not hide the others. */
function firstOfEach(differences: readonly Difference[]): Difference[] {
  return [...Map.groupBy(differences, ({ table }) => table).values()].flatMap((some) => some.slice(0, mostShown))
}

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10

const mark = ({ differences }: Finding): string => (differences.length === 0 ? '=' : '≠')

/** The singular and the plural. */
const nouns: Readonly<Record<TableName, readonly [string, string]>> = {
  accounts: ['account', 'accounts'],
  transactions: ['transaction', 'transactions'],
  holdings: ['holding', 'holdings'],
  investment_transactions: ['investment transaction', 'investment transactions'],
  liabilities: ['liability', 'liabilities'],
}

function countsText({ counts, differences }: Finding): string {
  const counted = tableNames.flatMap((table) => {
    const count = counts[table] ?? 0
    const [one, many] = nouns[table]
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]
  })
  const verdict = differences.length === 0 ? 'equal' : `${differences.length} different`
  return `; ${[...counted, verdict].join(', ')}`
}

function differenceText({ table, id, field, expected, actual }: Difference): string {
  const what = field === null ? `${table} ${id}` : `${table} ${id}, ${field}`
  return `             ${what}\n               expected ${valueText(expected)}\n               the API  ${valueText(actual)}`
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'has none'
  const text = JSON.stringify(value)
  return text.length > mostValueCharacters ? `${text.slice(0, mostValueCharacters)}…` : text
}
