// The table of docs/conformance.md: a row for each assertion, with the dated results of the stand-in and of the real
// service. A run replaces the cells for which it has results and keeps all others.
import type { Assertion } from './assertion.ts'
import type { Outcome, Result } from './run.ts'

/** The column of a run's results. */
export type Place = 'stand-in' | 'real'

/** The part of an assertion that the report needs. */
export type Promised = Pick<Assertion<never>, 'name' | 'promise' | 'source' | 'certainty' | 'isSlow'>

interface Row {
  readonly 'stand-in': string
  readonly real: string
}

export interface DatedRun {
  readonly place: Place
  /** `YYYY-MM-DD` */
  readonly date: string
  readonly results: readonly Result[]
}

export const resultsHeading = '## Results'
const header = '| assertion | promise | source | known | stand-in | real service |\n|---|---|---|---|---|---|'
const notRun: Row = { 'stand-in': 'not run', real: 'not run' }
const columns = 6
const reasonCharacters = 240

/** Text for one table cell: one line with escaped separators. */
function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim()
}

function cellOf(outcome: Outcome, date: string): string {
  switch (outcome.kind) {
    case 'passed':
      return cell(`passed ${date}${outcome.seen === undefined ? '' : `: ${outcome.seen}`}`)
    case 'failed':
      return cell(`**failed** ${date}: ${outcome.reason.slice(0, reasonCharacters)}`)
    case 'unchecked':
      return cell(`not checkable ${date}: ${outcome.reason.slice(0, reasonCharacters)}`)
  }
}

/** The results of earlier runs by assertion. Skips lines that are not rows of six cells. */
function earlierRows(document: string): Map<string, Row> {
  const rows = new Map<string, Row>()
  for (const line of document.slice(document.indexOf(resultsHeading)).split('\n')) {
    const cells = line.split(/(?<!\\)\|/).map((text) => text.trim())
    const [, name = '', , , , standIn = '', real = ''] = cells
    const quotedName = /^`(.+)`$/.exec(name)?.[1]
    if (cells.length === columns + 2 && quotedName !== undefined) rows.set(quotedName, { 'stand-in': standIn, real })
  }
  return rows
}

function rowOf({ name, promise, source, certainty, isSlow }: Promised, row: Row): string {
  const known = isSlow === true ? `${certainty}, slow` : certainty
  return `| \`${name}\` | ${cell(promise)} | ${cell(source)} | ${known} | ${row['stand-in']} | ${row.real} |`
}

/**
 * The document with the run's results in its table. The text before the table stays.
 * @throws Error if the document has no `## Results`
 */
export function withResults(document: string, promised: readonly Promised[], run: DatedRun): string {
  const at = document.indexOf(`${resultsHeading}\n`)
  if (at === -1) throw new Error(`The report has no heading "${resultsHeading}".`)
  const rows = earlierRows(document)
  for (const { name, outcome } of run.results)
    rows.set(name, { ...(rows.get(name) ?? notRun), [run.place]: cellOf(outcome, run.date) })
  const lines = promised.map((one) => rowOf(one, rows.get(one.name) ?? notRun))
  return `${document.slice(0, at)}${resultsHeading}\n\n${header}\n${lines.join('\n')}\n`
}
