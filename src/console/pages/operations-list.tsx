// The lists for operators: items, runs, webhooks, dead letters, the audit trail, and those of src/console/operations. Filters are in
// the address.
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ComponentType } from 'react'
import { useClient } from '../api/context.tsx'
import { allItemsQuery, itemStatuses, lettersQuery, runOutcomes, runsQuery, webhooksQuery } from '../api/operations.ts'
import { wordsOf } from '../format/words.ts'
import { Action, scheduled } from '../operations/action.tsx'
import { Audit } from '../operations/audit.tsx'
import { Entry } from '../operations/entry.tsx'
import { Exchanges, Removals } from '../operations/link-work.tsx'
import { Entries } from '../operations/entries.tsx'
import { Choice, Chosen, Filters, OperationsNavigation } from '../operations/navigation.tsx'
import { Quota } from '../operations/quota.tsx'
import { Refusals } from '../operations/refusals.tsx'
import { Usage } from '../operations/usage.tsx'
import { toneOf } from '../operations/tones.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { Page } from '../ui/page.tsx'
import NotFound from './not-found.tsx'

const statusOf = (code: string) => ({ tone: toneOf(code), text: wordsOf(code) })
const itemPage = (id: string) => <Link to={`/operations/items/${id}`}>Item and its timeline</Link>

function Items() {
  const [params] = useSearch()
  const query = useInfiniteQuery(allItemsQuery(useClient(), params))
  return (
    <>
      <Choice name="status" label="Status" values={itemStatuses} />
      <Chosen names={['user_id']} />
      <Entries query={query} label="the items" empty="No item matches">
        {(item) => (
          <Entry
            key={item.id}
            title={<Link to={`/operations/items/${item.id}`}>{item.institution_id ?? 'Item'}</Link>}
            at={item.created_at}
            status={statusOf(item.status)}
            facts={[item.status_reason, `${item.products.length} products`]}
            ids={[
              { label: 'Item', value: item.id },
              { label: 'Plaid item', value: item.plaid_item_id },
              { label: 'User', value: item.user_id },
            ]}
            raw={item}
          />
        )}
      </Entries>
    </>
  )
}

function Runs() {
  const [params] = useSearch()
  const query = useInfiniteQuery(runsQuery(useClient(), params))
  return (
    <>
      <Choice name="outcome" label="Outcome" values={runOutcomes} />
      <Chosen names={['item_id']} />
      <Entries query={query} label="the runs" empty="No run matches">
        {(run) => (
          <Entry
            key={run.id}
            title={wordsOf(run.product)}
            at={run.started_at}
            status={statusOf(run.outcome)}
            facts={[run.error_code, `by ${run.trigger}`, `${run.upserted} written, ${run.removed} removed`]}
            ids={[
              { label: 'Run', value: run.id },
              ...run.plaid_request_ids.map((value) => ({ label: 'Plaid request', value })),
            ]}
            raw={run}
            actions={itemPage(run.item_id)}
          />
        )}
      </Entries>
    </>
  )
}

function Webhooks() {
  const [params] = useSearch()
  const query = useInfiniteQuery(webhooksQuery(useClient(), params))
  return (
    <>
      <Filters label="the webhooks" fields={[{ name: 'plaid_item_id', label: 'Plaid item' }]} />
      <Entries query={query} label="the webhooks" empty="No webhook has arrived">
        {(webhook) => (
          <Entry
            key={webhook.id}
            title={`${webhook.webhook_type} ${webhook.webhook_code}`}
            at={webhook.received_at}
            facts={[webhook.scheme === 'hmac' ? 'from your relay' : 'signed by Plaid']}
            ids={[
              { label: 'Webhook', value: webhook.id },
              { label: 'Plaid item', value: webhook.plaid_item_id },
            ]}
            raw={webhook}
            actions={webhook.item_id === null ? undefined : itemPage(webhook.item_id)}
          />
        )}
      </Entries>
    </>
  )
}

function DeadLetters() {
  const client = useClient()
  const [params, change] = useSearch()
  const isAll = params.get('open') === 'false'
  const query = useInfiniteQuery(lettersQuery(client, params))
  return (
    <>
      <div className="actions">
        <label className="check">
          <input
            type="checkbox"
            checked={isAll}
            onChange={(event) => change({ open: event.currentTarget.checked ? 'false' : null })}
          />
          Also those that were replayed
        </label>
        <Action
          label="Replay all…"
          title="Replay all open dead letters?"
          effect="Schedules the syncs of up to 1,000 messages that were not replayed yet. Their contents are not trusted: products are read from Plaid again."
          run={async () => scheduled((await client.post('/api/v1/admin/dead-letters/replay')).queued)}
        />
      </div>
      <Entries query={query} label="the dead letters" empty="No message waits for a replay">
        {(letter) => (
          <Entry
            key={letter.id}
            title={wordsOf(letter.reason)}
            at={letter.created_at}
            status={letter.replayed_at === null ? statusOf('failed') : { tone: 'good', text: 'Replayed' }}
            facts={[letter.queue, letter.replays === 0 ? null : `replayed ${letter.replays} times`]}
            ids={[
              { label: 'Dead letter', value: letter.id },
              { label: 'Item product', value: letter.item_product_id },
              { label: 'Message', value: letter.message_id },
            ]}
            raw={letter}
            actions={
              <>
                <Action
                  label="Replay…"
                  title="Replay this dead letter?"
                  effect="Schedules the sync that the message asked for. The product is read from Plaid again; a second replay does no harm."
                  run={async () => {
                    const path = { id: letter.id }
                    return scheduled(
                      (await client.post('/api/v1/admin/dead-letters/{id}/replay', { params: { path } })).queued,
                    )
                  }}
                />
                {letter.item_product_id === null ? null : (
                  <Link to={`/operations?id=${letter.item_product_id}`}>Find its item</Link>
                )}
              </>
            }
          />
        )}
      </Entries>
    </>
  )
}

const lists: Readonly<Record<string, readonly [string, ComponentType]>> = {
  items: ['Items', Items],
  runs: ['Sync runs', Runs],
  webhooks: ['Webhooks', Webhooks],
  refusals: ['Refused webhooks', Refusals],
  'dead-letters': ['Dead letters', DeadLetters],
  exchanges: ['Open exchanges', Exchanges],
  removals: ['Removals at Plaid', Removals],
  quota: ['Quota', Quota],
  usage: ['Usage of Plaid', Usage],
  audit: ['Audit trail', Audit],
}

export default function OperationsLists({ list = '' }: Readonly<Record<string, string>>) {
  const found = Object.hasOwn(lists, list) ? lists[list] : undefined
  if (found === undefined) return <NotFound />
  const [title, List] = found
  return (
    <Page title={title}>
      <OperationsNavigation />
      <section className="card" aria-label={title}>
        <List />
      </section>
    </Page>
  )
}
