// Where the person is signed in. Each session can be ended, and all at once.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { SignedInSession } from '@wealthnavigator/client'
import { useState } from 'react'
import { useClient } from '../api/context.tsx'
import { sessionsQuery } from '../api/own-data.ts'
import { useSession } from '../api/session.tsx'
import { formatMoment, formatRelative } from '../format/dates.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Ids } from '../ui/ids.tsx'
import { Card } from '../ui/page.tsx'
import { Await, Failed } from '../ui/states.tsx'

function Row({ session }: { readonly session: SignedInSession }) {
  const client = useClient()
  const queries = useQueryClient()
  const { id, current, created_at: created, last_used_at: used, expires_at: expires } = session
  const end = useMutation({
    mutationFn: () => client.delete('/api/v1/auth/sessions/{id}', { params: { path: { id } } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  })
  return (
    <li className="entry">
      <div>
        <span className="name">Signed in on {formatMoment(created)}</span>{' '}
        {current ? <span className="tag">This one</span> : null}
        <span className="sub">
          Used {formatRelative(used)} · ends on {formatMoment(expires)} unless it is used
        </span>
        {end.error === null ? null : <Failed error={end.error} />}
        <Ids of={`the session of ${formatMoment(created)}`} ids={[{ label: 'Session', value: id }]} />
      </div>
      {current ? null : (
        <button type="button" className="button small" disabled={end.isPending} onClick={() => end.mutate()}>
          End<span className="visually-hidden"> the session of {formatMoment(created)}</span>
        </button>
      )}
    </li>
  )
}

function EndAll() {
  const client = useClient()
  const session = useSession()
  const [isOpen, setOpen] = useState(false)
  const endAll = useMutation({
    mutationFn: () => client.post('/api/v1/auth/logout-all'),
    onSuccess: () => session.end('signed_out'),
  })
  return (
    <>
      <button type="button" className="button small" onClick={() => setOpen(true)}>
        End all…
      </button>
      {isOpen ? (
        <Confirm
          title="End all sessions?"
          confirmLabel="End all sessions"
          busy={endAll.isPending}
          onConfirm={() => endAll.mutate()}
          onClose={() => setOpen(false)}
        >
          <p>You are signed out here and everywhere else, within fifteen minutes at most. Devices are forgotten.</p>
          {endAll.error === null ? null : <Failed error={endAll.error} />}
        </Confirm>
      ) : null}
    </>
  )
}

export function SessionsCard() {
  const query = useQuery(sessionsQuery(useClient()))
  return (
    <Card title="Sessions" actions={<EndAll />}>
      <Await query={query} label="Loading your sessions">
        {({ data }) => (
          <ul className="ledger">
            {data.toReversed().map((session) => (
              <Row key={session.id} session={session} />
            ))}
          </ul>
        )}
      </Await>
    </Card>
  )
}
