// What waits between this deployment and Plaid: exchanges that have not ended, removals, and orphans.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { exchangesQuery, exchangeStates, orphansQuery, removalReasons, removalsQuery } from '../api/operations.ts'
import { formatExactMoment, formatRelative } from '../format/dates.ts'
import { wordsOf } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { Await } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'
import { Entry, Moment } from './entry.tsx'
import { Entries } from './entries.tsx'
import { Choice, Chosen } from './navigation.tsx'

interface Waiting {
  readonly attempts: number
  readonly last_error: string | null
  readonly next_attempt_at: string
}

/** Why it is not done, and when it is tried again. */
const waitFacts = ({ attempts, last_error: error, next_attempt_at: next }: Waiting) => [
  error === null ? null : `last error ${error}`,
  attempts === 1 ? '1 attempt' : `${attempts} attempts`,
  `next attempt ${formatExactMoment(next)} (${formatRelative(next)})`,
]

const stateWords: Readonly<Record<string, string>> = {
  started: 'Plaid was called, and its response is not known',
  exchanged: 'The access token is stored, the item is not yet',
}

export function Exchanges() {
  const [params] = useSearch()
  const query = useInfiniteQuery(exchangesQuery(useClient(), params))
  return (
    <>
      <p className="muted">
        The reconciler continues each of them, waits longer after each attempt, and gives it up after the eighth one.
      </p>
      <Choice name="state" label="State" values={exchangeStates} />
      <Chosen names={['user_id']} />
      <Entries query={query} label="the exchanges" empty="No exchange is open">
        {(exchange) => (
          <Entry
            key={exchange.id}
            title={stateWords[exchange.state] ?? exchange.state}
            at={exchange.created_at}
            status={{ tone: exchange.last_error === null ? 'busy' : 'bad', text: wordsOf(exchange.state) }}
            facts={waitFacts(exchange)}
            ids={[
              { label: 'Exchange', value: exchange.id },
              { label: 'Plaid item', value: exchange.plaid_item_id },
              { label: 'User', value: exchange.user_id },
            ]}
            raw={exchange}
            actions={<Link to={`/operations/items?user_id=${exchange.user_id}`}>Items of the user</Link>}
          />
        )}
      </Entries>
    </>
  )
}

const reasonWords: Readonly<Record<string, string>> = {
  removed: 'Removed by its user',
  revoked: 'Permission withdrawn',
  duplicate: 'Duplicate of another item',
  replaced: 'Replaced by a new link',
  not_stored: 'Could not be stored',
  token_lost: 'Access token lost',
  orphan: 'Orphan: no row here',
}

const modeWords: Readonly<Record<string, string>> = {
  off: 'off: Plaid is not asked for orphans',
  report: 'report: orphans are logged as item_unclaimed, and stay at Plaid',
  end: 'end: orphans are removed at Plaid',
}

function Orphans() {
  const query = useQuery(orphansQuery(useClient()))
  return (
    <section aria-labelledby="orphans" className="stack">
      <h2 id="orphans">Orphans</h2>
      <Await query={query} label="Loading the orphans">
        {(state) => {
          const isSpent = state.mode === 'end' && state.waiting > 0 && state.removed_today >= state.per_day
          return (
            <div className="stack">
              <p>
                <Status tone={state.mode === 'end' ? 'good' : 'warn'}>{`Mode ${state.mode}`}</Status>{' '}
                <span className="muted">{modeWords[state.mode]}</span>
              </p>
              {isSpent ? (
                <p className="notice warn">
                  The limit of the day is reached. The others wait until {formatExactMoment(state.resets_at)}.
                </p>
              ) : null}
              <dl className="facts">
                <div>
                  <dt>
                    Variable <code>ORPHAN_REMOVAL</code>
                  </dt>
                  <dd>
                    <code>{state.variable}</code>
                  </dd>
                </div>
                <div>
                  <dt>Switch in the database</dt>
                  <dd>
                    <code>{state.switch}</code>
                    {state.switch_changed_at === null ? null : ` since ${formatRelative(state.switch_changed_at)}`}
                  </dd>
                </div>
                <div>
                  <dt>Removed today</dt>
                  <dd>
                    {state.removed_today} of {state.per_day}
                  </dd>
                </div>
                <div>
                  <dt>Waiting</dt>
                  <dd>
                    {state.waiting}
                    {state.too_new === 0 ? null : `, of which ${state.too_new} may still be linked`}
                  </dd>
                </div>
                <div>
                  <dt>Oldest</dt>
                  <dd>{state.oldest_at === null ? 'None' : <Moment at={state.oldest_at} />}</dd>
                </div>
                <div>
                  <dt>Users to compare with Plaid</dt>
                  <dd>{state.unchecked_users}</dd>
                </div>
              </dl>
              <p className="links">
                <Link to="/operations/removals?reason=orphan">Orphans in the queue</Link>
              </p>
            </div>
          )
        }}
      </Await>
    </section>
  )
}

export function Removals() {
  const [params] = useSearch()
  const query = useInfiniteQuery(removalsQuery(useClient(), params))
  return (
    <>
      <Orphans />
      <h2>Queue</h2>
      <p className="muted">Plaid bills each of these items until it has confirmed the removal.</p>
      <Choice name="reason" label="Reason" values={removalReasons} />
      <Chosen names={['user_id']} />
      <Entries query={query} label="the removals" empty="No removal waits">
        {(removal) => (
          <Entry
            key={removal.id}
            title={reasonWords[removal.reason] ?? wordsOf(removal.reason)}
            at={removal.created_at}
            status={
              removal.last_error === null
                ? { tone: 'busy', text: 'Waiting' }
                : { tone: 'bad', text: removal.last_error }
            }
            facts={waitFacts({ ...removal, last_error: null })}
            ids={[
              { label: 'Removal', value: removal.id },
              { label: 'Item', value: removal.item_id },
              { label: 'Plaid item', value: removal.plaid_item_id },
              { label: 'User', value: removal.user_id },
            ]}
            raw={removal}
            actions={
              removal.item_id === null ? (
                <Link to={`/operations?id=${encodeURIComponent(removal.plaid_item_id)}`}>Find the item</Link>
              ) : (
                <Link to={`/operations/items/${removal.item_id}`}>Item and its timeline</Link>
              )
            }
          />
        )}
      </Entries>
    </>
  )
}
