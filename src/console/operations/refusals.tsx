// Webhooks that were refused: how many by reason, and the latest minutes in which some were.
import { useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { refusalsQuery } from '../api/operations.ts'
import { formatExactMoment, formatRelative } from '../format/dates.ts'
import { wordsOf } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { Await, Empty } from '../ui/states.tsx'
import { Choice, Chosen } from './navigation.tsx'
import { CountTable } from './table.tsx'

/** What an operator does about it; other reasons are those of a sender that is not Plaid. */
const meanings: Readonly<Record<string, string>> = {
  missing_header: 'no signature: not from Plaid',
  too_old: 'signed more than five minutes ago: a replay, or a wrong clock',
  from_future: 'signed in the future: a wrong clock',
  unknown_kid: 'a key that Plaid does not have',
  expired_key: 'a key that Plaid no longer uses',
  key_unavailable: 'Plaid did not return the key; Plaid sends the webhook again',
  body_mismatch: 'the body is not the one that was signed',
  bad_signature: 'the signature does not fit',
  hmac_bad_signature: 'PLAID_WEBHOOK_VERIFICATION_KEY differs from that of your relay',
  hmac_disabled: 'PLAID_WEBHOOK_VERIFICATION_KEY is not set',
  over_limit: 'too many webhooks of the address failed or were copies',
}

function Reason({ reason }: { readonly reason: string }) {
  const meaning = meanings[reason]
  return (
    <>
      {wordsOf(reason)}
      {meaning === undefined ? null : <span className="sub">{meaning}</span>}
    </>
  )
}

const webhooksOf = (count: number): string => `${count} ${count === 1 ? 'webhook' : 'webhooks'}`

export function Refusals() {
  const query = useQuery(refusalsQuery(useClient()))
  const [params] = useSearch()
  const chosen = params.get('reason')
  return (
    <Await query={query} label="Loading the refusals">
      {({ data, latest }) =>
        data.length === 0 ? (
          <Empty title="No webhook was refused">
            A refused webhook leaves no row. Accepted ones are in the list of{' '}
            <Link to="/operations/webhooks">webhooks</Link>.
          </Empty>
        ) : (
          <>
            <p className="muted">
              A refused webhook leaves no row: these are counts, kept by minute for a day. The log has a line{' '}
              <code>webhook_refused</code> of each.
            </p>
            <CountTable
              caption="Refused webhooks by reason"
              columns={[
                { title: 'Reason' },
                { title: 'Last hour', isNumber: true },
                { title: 'Last 24 hours', isNumber: true },
                { title: 'In total', isNumber: true },
                { title: 'Last' },
              ]}
              rows={data.map((row) => ({
                key: row.reason,
                cells: [
                  <Reason key="reason" reason={row.reason} />,
                  row.last_hour,
                  row.last_day,
                  row.total,
                  row.last_at === null ? '' : formatRelative(row.last_at),
                ],
              }))}
            />
            <h2>Latest</h2>
            <Choice name="reason" label="Reason" values={data.map(({ reason }) => reason)} />
            {chosen !== null && !data.some(({ reason }) => reason === chosen) ? <Chosen names={['reason']} /> : null}
            <ol className="entries">
              {latest
                .filter(({ reason }) => chosen === null || reason === chosen)
                .map(({ minute, reason, count }) => (
                  <li key={`${minute} ${reason}`} className="entry">
                    <div className="entry-head">
                      <strong>{wordsOf(reason)}</strong>
                      <span className="muted">{webhooksOf(count)}</span>
                    </div>
                    <p className="sub">
                      <time dateTime={minute}>{formatExactMoment(minute)}</time>
                    </p>
                  </li>
                ))}
            </ol>
          </>
        )
      }
    </Await>
  )
}
