// The person's own audit trail, newest first.
import { useInfiniteQuery } from '@tanstack/react-query'
import type { AuditRow } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { auditQuery } from '../api/own-data.ts'
import { formatMoment } from '../format/dates.ts'
import { actionWords, actorWords } from '../security/audit-words.ts'
import { CopyId } from '../ui/copy.tsx'
import { More } from '../ui/more.tsx'
import { Page } from '../ui/page.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
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
          {row.target_id === null ? null : (
            <CopyId label={`Of the ${row.target_kind.replaceAll('_', ' ')}`} value={row.target_id} />
          )}
        </p>
      </details>
    </li>
  )
}

export default function Activity() {
  const query = useInfiniteQuery(auditQuery(useClient()))
  const rows = query.data?.pages.flatMap(({ data }) => data) ?? []
  return (
    <Page
      title="Activity"
      lead="What was done with your data: by you, by administrators and by this server. Your own reading is not recorded."
    >
      <Tabs label="Settings" tabs={settingsTabs} />
      {query.error === null ? null : <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isPending ? <Loading label="Loading the activity" lines={8} /> : null}
      {query.isSuccess && rows.length === 0 ? (
        <Empty title="Nothing was done yet">The first entry appears with your first bank.</Empty>
      ) : null}
      {rows.length === 0 ? null : (
        <section className="card">
          <h2 className="visually-hidden">All entries</h2>
          <ul className="ledger">
            {rows.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </ul>
          {query.hasNextPage ? (
            <More
              busy={query.isFetchingNextPage}
              failed={query.isFetchNextPageError}
              load={() => void query.fetchNextPage()}
            />
          ) : (
            <p className="muted center">That is all.</p>
          )}
        </section>
      )}
    </Page>
  )
}
