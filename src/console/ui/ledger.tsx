// A page with one long list by day, newest first. A row opens to its ids and its neighbours.
import type { ReactNode } from 'react'
import { formatLongDay } from '../format/dates.ts'
import { CopyIds, type GivenId } from './ids.tsx'

interface DaysProps<Row> {
  readonly rows: readonly Row[]
  readonly dayOf: (row: Row) => string
  readonly children: (row: Row) => ReactNode
}

export function Days<Row>({ rows, dayOf, children }: DaysProps<Row>) {
  return [...Map.groupBy(rows, dayOf)].map(([day, ofDay]) => (
    <section key={day} className="day">
      <h3>{formatLongDay(day)}</h3>
      <ul className="ledger">{ofDay.map(children)}</ul>
    </section>
  ))
}

interface LedgerRowProps {
  readonly title: string
  /** Below the title, one line each. */
  readonly lines: readonly (string | null)[]
  readonly aside: ReactNode
  readonly ids: readonly GivenId[]
  /** Links to what the row belongs to. */
  readonly links?: ReactNode
}

export function LedgerRow({ title, lines, aside, ids, links }: LedgerRowProps) {
  return (
    <li className="transaction">
      <details name="ledger">
        <summary>
          <span>
            <span className="name">{title}</span>
            {lines.map((line) =>
              line === null || line === '' ? null : (
                <span key={line} className="sub">
                  {line}
                </span>
              ),
            )}
          </span>
          {aside}
        </summary>
        {links === undefined ? null : <p className="links">{links}</p>}
        <CopyIds ids={ids} />
      </details>
    </li>
  )
}
