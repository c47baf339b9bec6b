// The person's own audit trail, newest first.
import { useInfiniteQuery } from '@tanstack/react-query'
import type { AuditRow } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { auditQuery } from '../api/own-data.ts'
import { formatMoment } from '../format/dates.ts'
import { spaced } from '../format/words.ts'
import { actionWords, actorWords } from '../security/audit-words.ts'
import { CopyId } from '../ui/copy.tsx'
import { Page } from '../ui/page.tsx'
import { Paged } from '../ui/paged.tsx'
import { settingsTabs, Tabs } from '../ui/tabs.tsx'

function Row({ row }: { readonly row: AuditRow }) {
  return (
    <li className="transaction">
      <details name="audit">
        <summary>
          <span>
            <span className="name">{actionWords(row.action)}</span>
            <span className="sub">{actorWords(row.actor)}</span>
          </span>
          <time className="muted" dateTime={row.at}>
            {formatMoment(row.at)}
          </time>
        </summary>
        <p className="ids">
          <CopyId label="Request" value={row.request_id} />
          {row.target_id === null ? null : <CopyId label={`Of the ${spaced(row.target_kind)}`} value={row.target_id} />}
        </p>
      </details>
    </li>
  )
}

export default function Activity() {
  const query = useInfiniteQuery(auditQuery(useClient()))
  return (
    <Page
      title="Activity"
      lead="What was done with your data: by you, by administrators and by this server. Your own reading is not recorded."
    >
      <Tabs label="Settings" tabs={settingsTabs} />
      <Paged
        query={query}
        label="the activity"
        empty={{ title: 'Nothing was done yet', text: 'The first entry appears with your first bank.' }}
      >
        {(rows) => (
          <section className="card">
            <h2 className="visually-hidden">All entries</h2>
            <ul className="ledger">
              {rows.map((row) => (
                <Row key={row.id} row={row} />
              ))}
            </ul>
          </section>
        )}
      </Paged>
    </Page>
  )
}
