// The person's own audit trail, newest first.
import { useInfiniteQuery } from '@tanstack/react-query'
import type { AuditRow } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { auditQuery } from '../api/own-data.ts'
import { formatTime, localDay } from '../format/dates.ts'
import { spaced } from '../format/words.ts'
import { actionWords, actorWords } from '../security/audit-words.ts'
import { Days, LedgerRow } from '../ui/ledger.tsx'
import { Page } from '../ui/page.tsx'
import { Paged } from '../ui/paged.tsx'
import { settingsTabs, Tabs } from '../ui/tabs.tsx'

const Row = ({ row }: { readonly row: AuditRow }) => (
  <LedgerRow
    title={actionWords(row.action)}
    lines={[actorWords(row.actor)]}
    aside={
      <time className="muted" dateTime={row.at}>
        {formatTime(row.at)}
      </time>
    }
    ids={[
      { label: 'Audit row', value: row.id },
      { label: 'Request', value: row.request_id },
      { label: `Of the ${spaced(row.target_kind)}`, value: row.target_id },
    ]}
  />
)

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
            <Days rows={rows} dayOf={({ at }) => localDay(at)}>
              {(row) => <Row key={row.id} row={row} />}
            </Days>
          </section>
        )}
      </Paged>
    </Page>
  )
}
