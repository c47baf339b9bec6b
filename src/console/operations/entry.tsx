// One row of a list for operators: what it is, when, its ids, and the API's JSON one click away.
import type { ReactNode } from 'react'
import { formatExactMoment, formatRelative } from '../format/dates.ts'
import type { Tone } from '../format/words.ts'
import { CopyId } from '../ui/copy.tsx'
import { Status } from '../ui/status.tsx'

interface EntryProps {
  readonly title: ReactNode
  readonly at: string | null
  readonly status?: { readonly tone: Tone; readonly text: string }
  /** In one line below. */
  readonly facts?: readonly (string | null)[]
  readonly ids: readonly { readonly label: string; readonly value: string | null }[]
  readonly raw: unknown
  readonly actions?: ReactNode
}

export function Moment({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {formatExactMoment(at)} <span className="muted">({formatRelative(at)})</span>
    </time>
  )
}

export function Entry({ title, at, status, facts = [], ids, raw, actions }: EntryProps) {
  const said = facts.filter((fact) => fact !== null)
  return (
    <li className="entry">
      <div className="entry-head">
        <strong>{title}</strong>
        {status === undefined ? null : <Status tone={status.tone}>{status.text}</Status>}
      </div>
      {at === null ? null : (
        <p className="sub">
          <Moment at={at} />
        </p>
      )}
      {said.length === 0 ? null : <p className="sub">{said.join(' · ')}</p>}
      {actions === undefined ? null : <div className="actions">{actions}</div>}
      <details>
        <summary>Ids and JSON</summary>
        <div className="ids">
          {ids.map(({ label, value }) =>
            value === null ? null : <CopyId key={`${label} ${value}`} label={label} value={value} />,
          )}
        </div>
        <pre tabIndex={0}>{JSON.stringify(raw, null, 2)}</pre>
      </details>
    </li>
  )
}
