// One item of any user: its state, and everything that happened to it in one list.
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { anyItemQuery, entryKinds, timelineQuery } from '../api/operations.ts'
import { formatExactMoment } from '../format/dates.ts'
import { type Members, objectIn, textIn } from '../format/members.ts'
import { wordsOf } from '../format/words.ts'
import { Action, scheduled } from '../operations/action.tsx'
import { Entry, Moment } from '../operations/entry.tsx'
import { Entries } from '../operations/entries.tsx'
import { Choice, OperationsNavigation } from '../operations/navigation.tsx'
import { toneOf } from '../operations/tones.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { CopyId } from '../ui/copy.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Await } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'

function Actions({ id }: { readonly id: string }) {
  const client = useClient()
  const params = { path: { id } }
  return (
    <>
      <Action
        label="Recheck…"
        title="Recheck this item at Plaid?"
        effect="Asks Plaid whether the item exists, and reads every product now. An item that needed a new link becomes usable again if Plaid knows it."
        run={async () => scheduled((await client.post('/api/v1/admin/items/{id}/recheck', { params })).queued)}
      />
      <Action
        label="Resync…"
        title="Read this item again from the start?"
        effect="Reads all data of the item again and reconciles the stored rows. Edits of the user stay. It costs calls of Plaid."
        run={async () => scheduled((await client.post('/api/v1/admin/items/{id}/resync', { params })).queued)}
      />
    </>
  )
}

function State({ id }: { readonly id: string }) {
  const query = useQuery(anyItemQuery(useClient(), id))
  return (
    <Card title="State" actions={<Actions id={id} />}>
      <Await query={query} label="Loading the item">
        {(item) => (
          <>
            <p>
              <Status tone={toneOf(item.status)}>{wordsOf(item.status)}</Status>{' '}
              {item.status_reason === null ? null : <code>{item.status_reason}</code>}
            </p>
            <dl className="facts">
              <div>
                <dt>Linked</dt>
                <dd>
                  <Moment at={item.created_at} />
                </dd>
              </div>
              <div>
                <dt>Institution</dt>
                <dd>{item.institution_id === null ? 'Not reported' : <code>{item.institution_id}</code>}</dd>
              </div>
              <div>
                <dt>Webhooks that did not arrive</dt>
                <dd>{item.missed_webhooks}</dd>
              </div>
            </dl>
            <div className="ids">
              <CopyId label="Item" value={item.id} />
              <CopyId label="Plaid item" value={item.plaid_item_id} />
              <CopyId label="User" value={item.user_id} />
            </div>
            <p className="links">
              <Link to={`/operations/items?user_id=${item.user_id}`}>Items of the user</Link>
              <Link to={`/operations/runs?item_id=${item.id}`}>Runs</Link>
              <Link to={`/operations/webhooks?plaid_item_id=${encodeURIComponent(item.plaid_item_id)}`}>Webhooks</Link>
              <Link to={`/operations/audit?target_id=${item.id}`}>Audit</Link>
            </p>
            <ul className="entries">
              {item.products.map((product) => (
                <Entry
                  key={product.id}
                  title={wordsOf(product.product)}
                  at={product.last_synced_at}
                  status={{ tone: toneOf(product.status), text: wordsOf(product.status) }}
                  facts={[
                    product.last_error,
                    product.attempts === 0
                      ? null
                      : `${product.attempts} failed attempts, next attempt ${formatExactMoment(product.next_attempt_at)}`,
                    product.dirty ? 'has unread changes' : null,
                  ]}
                  ids={[{ label: 'Item product', value: product.id }]}
                  raw={product}
                />
              ))}
            </ul>
          </>
        )}
      </Await>
    </Card>
  )
}

interface Happened {
  readonly kind: string
  readonly what: string
  readonly product: string | null
  readonly error_code: string | null
  readonly raw: Members
}

const titleOf = ({ kind, what, product }: Happened): string =>
  `${wordsOf(kind)}: ${kind === 'webhook' ? what : wordsOf(product ?? what)}`

/** From which status an item came, and what made it change. */
function factsOf({ kind, raw }: Happened): readonly (string | null)[] {
  if (kind !== 'status') return []
  const [from, causeKind] = [textIn(raw, 'from'), textIn(objectIn(raw, 'cause'), 'kind')]
  return [
    from === null ? null : `from ${wordsOf(from)}`,
    causeKind === null
      ? 'by a request or a job: see the change at the same time'
      : `by a ${wordsOf(causeKind).toLowerCase()}`,
  ]
}

/** Of a change, the title says all. */
function statusOf({ kind, what, error_code: code }: Happened) {
  if (kind === 'change') return {}
  if (code !== null) return { status: { tone: 'bad', text: code } } as const
  return {
    status:
      kind === 'webhook' ? ({ tone: 'good', text: 'Received' } as const) : { tone: toneOf(what), text: wordsOf(what) },
  }
}

function Timeline({ id }: { readonly id: string }) {
  const client = useClient()
  const [params] = useSearch()
  const query = useInfiniteQuery(timelineQuery(client, id, params))
  return (
    <Card title="Timeline">
      <Choice name="kind" label="Kind" values={entryKinds} />
      <Entries query={query} label="the timeline" empty="Nothing has happened yet">
        {(entry) => (
          <Entry
            key={`${entry.kind} ${entry.id}`}
            title={titleOf(entry)}
            at={entry.at}
            {...statusOf(entry)}
            facts={factsOf(entry)}
            ids={[
              { label: wordsOf(entry.kind), value: entry.id },
              { label: 'Request', value: entry.request_id },
              ...entry.plaid_request_ids.map((value) => ({ label: 'Plaid request', value })),
            ]}
            raw={entry.raw}
          />
        )}
      </Entries>
    </Card>
  )
}

function Refresh() {
  const queries = useQueryClient()
  const refresh = (): void => void queries.invalidateQueries({ queryKey: ['operations'] })
  return (
    <button type="button" className="button" onClick={refresh}>
      Refresh
    </button>
  )
}

export default function OperationsItem({ id = '' }: Readonly<Record<string, string>>) {
  return (
    <Page title="Item" actions={<Refresh />}>
      <OperationsNavigation />
      <State id={id} />
      <Timeline id={id} />
    </Page>
  )
}
