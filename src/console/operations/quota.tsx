// How much of each limit is used now, and when it frees: Plaid's limits, and those of this deployment.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Quota as QuotaBody } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { quotaQuery } from '../api/operations.ts'
import { formatExactMoment } from '../format/dates.ts'
import { wordsOf } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Await } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'
import { CountTable } from './table.tsx'

type PlaidLimit = NonNullable<QuotaBody['plaid']>[number]

/** From this share on, background calls wait. */
const backgroundShare = 0.8

function usedCell({ responded, client: { most, used } }: PlaidLimit) {
  if (!responded || used === null) return <Status tone="bad">Not known</Status>
  return (
    <>
      <meter min={0} max={most} high={most * backgroundShare} value={used} aria-label={`${used} of ${most} calls`} />{' '}
      {used} of {most}
    </>
  )
}

const inSeconds = (moment: string): string => `in ${Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1000))} s`

const itemLink = (id: string, text: string) => <Link to={`/operations/items/${id}`}>{text}</Link>

function busiestOf({ item, day }: PlaidLimit) {
  const [first] = item.busiest
  const [billed] = day?.busiest ?? []
  if (first === undefined && billed === undefined) return '—'
  return (
    <>
      {first === undefined ? null : itemLink(first.item_id, `${first.used} of ${item.most} in a minute`)}
      {first === undefined || billed === undefined ? null : ', '}
      {billed === undefined ? null : itemLink(billed.item_id, `${billed.calls} of ${day?.most ?? 0} today`)}
    </>
  )
}

function Refused({ limits }: { readonly limits: readonly PlaidLimit[] }) {
  const refused = limits.flatMap((limit) => limit.refused)
  if (refused.length === 0) return <p className="muted">Plaid refuses no endpoint with 429 at the moment.</p>
  return (
    <ul className="entries">
      {refused.map(({ endpoint, item_id: itemId, until }) => (
        <li key={`${endpoint} ${itemId ?? ''}`} className="entry">
          <div className="entry-head">
            <strong>
              <code>{endpoint}</code>
            </strong>
            <Status tone="warn">Refused by Plaid</Status>
          </div>
          <p className="sub">
            Until {formatExactMoment(until)}, {itemId === null ? 'for every item' : itemLink(itemId, 'for one item')}
          </p>
        </li>
      ))}
    </ul>
  )
}

function OfPlaid({ limits }: { readonly limits: QuotaBody['plaid'] }) {
  if (limits === null)
    return (
      <div className="notice warn">
        <p>
          Plaid’s limits are not counted here: <code>PLAID_QUOTA</code> is not bound.
        </p>
      </div>
    )
  return (
    <>
      <CountTable
        caption="Calls of Plaid in the last minute"
        columns={[
          { title: 'Limit' },
          { title: 'Used' },
          { title: 'First frees', isNumber: true },
          { title: 'Busiest item' },
        ]}
        rows={limits.map((limit) => ({
          key: limit.limit,
          cells: [
            wordsOf(limit.limit),
            usedCell(limit),
            limit.client.frees_at === null ? '—' : inSeconds(limit.client.frees_at),
            busiestOf(limit),
          ],
        }))}
      />
      <Refused limits={limits} />
    </>
  )
}

function OfRequests({ limits }: { readonly limits: QuotaBody['requests'] }) {
  if (limits === null)
    return (
      <div className="notice warn">
        <p>
          Requests are not limited: <code>RATE_LIMIT_ENABLED</code> is <code>false</code>.
        </p>
      </div>
    )
  return (
    <CountTable
      caption="Requests to this API, of each user, address or key"
      columns={[
        { title: 'Limit' },
        { title: 'Most', isNumber: true },
        { title: 'Window' },
        { title: 'Refused in the last hour', isNumber: true },
      ]}
      rows={limits.map(({ policy, most, window_seconds: seconds, refused_hour: refused }) => ({
        key: policy,
        cells: [wordsOf(policy), most, seconds === 60 ? 'a minute' : 'an hour', refused ?? 'Not known'],
      }))}
    />
  )
}

function Refresh() {
  const queries = useQueryClient()
  return (
    <div className="actions">
      <button
        type="button"
        className="button small"
        onClick={() => void queries.invalidateQueries({ queryKey: ['operations', 'quota'] })}
      >
        Read again
      </button>
    </div>
  )
}

export function Quota() {
  const query = useQuery(quotaQuery(useClient()))
  return (
    <>
      <Refresh />
      <Await query={query} label="Loading the limits">
        {({ plaid, requests, password_hashes: hashes, links }) => (
          <>
            <h2>Plaid</h2>
            <p className="muted">
              Background calls use at most 80 % of a limit, so that a person who waits is served. After a pause, a count
              may be an upper bound.
            </p>
            <OfPlaid limits={plaid} />
            <h2>This deployment</h2>
            <OfRequests limits={requests} />
            <dl className="facts">
              {hashes === null ? null : (
                <div>
                  <dt>Password checks of unknown clients in the last minute</dt>
                  <dd>{hashes.used === null ? 'Not known' : `${hashes.used} of ${hashes.most}`}</dd>
                </div>
              )}
              <div>
                <dt>Items of one user</dt>
                <dd>at most {links.items_per_user}</dd>
              </div>
              <div>
                <dt>Links of one user in a day</dt>
                <dd>at most {links.links_per_day}</dd>
              </div>
            </dl>
          </>
        )}
      </Await>
    </>
  )
}
