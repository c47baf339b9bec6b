// The audit trail of all users and of the system.
import { useInfiniteQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { auditQuery } from '../api/operations.ts'
import { wordsOf } from '../format/words.ts'
import { useSearch } from '../router/location.ts'
import { auditActions, auditActors } from './audit-actions.ts'
import { Entries } from './entries.tsx'
import { Entry } from './entry.tsx'
import { Choice, Filters } from './navigation.tsx'

const filters = [
  { name: 'target_id', label: 'Target' },
  { name: 'user_id', label: 'User', isOurId: true },
  { name: 'from', label: 'From', type: 'date' },
  { name: 'to', label: 'To', type: 'date' },
] as const

export function Audit() {
  const [params] = useSearch()
  const query = useInfiniteQuery(auditQuery(useClient(), params))
  return (
    <>
      <search>
        <div className="columns">
          <Choice name="action" label="Action" values={auditActions} />
          <Choice name="actor" label="Actor" values={auditActors} />
        </div>
      </search>
      <Filters label="the audit trail" fields={filters} />
      <Entries query={query} label="the audit trail" empty="No row matches">
        {(row) => (
          <Entry
            key={row.id}
            title={wordsOf(row.action)}
            at={row.at}
            facts={[`by ${row.actor}`, `${wordsOf(row.target_kind)} ${row.target_id ?? ''}`]}
            ids={[
              { label: 'Audit row', value: row.id },
              { label: 'Request', value: row.request_id },
              { label: 'Target', value: row.target_id },
            ]}
            raw={{ ...row, user: undefined, acted_by: undefined }}
          />
        )}
      </Entries>
    </>
  )
}
