// The connected banks: the state of each in words, and the one button that it asks for.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Account, Item } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { accountsQuery, itemsQuery } from '../api/queries.ts'
import { RemoveBank } from '../banks/remove.tsx'
import { ConnectButton } from '../connect/button.tsx'
import { formatMoment, formatRelative } from '../format/dates.ts'
import { itemWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { CopyId } from '../ui/copy.tsx'
import { Page } from '../ui/page.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Await, Empty, Failed } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'

const productNames: Readonly<Record<string, string>> = {
  item: 'Connection',
  balances: 'Balances',
  transactions: 'Transactions',
  recurring: 'Recurring payments',
  holdings: 'Holdings',
  investment_transactions: 'Investment transactions',
  liabilities: 'Loans and cards',
}

const productStates: Readonly<Record<string, string>> = {
  ok: 'Up to date',
  pending: 'On its way',
  error: 'Failed; tried again automatically',
  consent_needed: 'Needs your consent',
  absent: 'Not offered by this bank',
}

function Products({ item }: { readonly item: Item }) {
  return (
    <details>
      <summary>Details</summary>
      <table className="compact">
        <thead>
          <tr>
            <th scope="col">Data</th>
            <th scope="col">State</th>
            <th scope="col">Read last</th>
          </tr>
        </thead>
        <tbody>
          {item.products.map(({ product, status, last_synced_at, last_error }) => (
            <tr key={product}>
              <th scope="row">{productNames[product] ?? product}</th>
              <td>
                {productStates[status] ?? status}
                {last_error === null ? null : <span className="muted"> ({last_error})</span>}
              </td>
              <td>{last_synced_at === null ? 'Never' : formatMoment(last_synced_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="ids">
        <CopyId label="Item" value={item.id} />
        <CopyId label="Plaid item" value={item.plaid_item_id} />
      </p>
    </details>
  )
}

function Refresh({ item }: { readonly item: Item }) {
  const client = useClient()
  const queries = useQueryClient()
  const refresh = useMutation({
    mutationFn: () => client.post('/api/v1/plaid/sync/item/{item_id}', { params: { path: { item_id: item.id } } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['items'] }),
  })
  return (
    <>
      <WriteButton className="button small" disabled={refresh.isPending} onClick={() => refresh.mutate()}>
        Refresh
      </WriteButton>
      {refresh.isSuccess ? (
        <span role="status" className="muted">
          A sync is scheduled.
        </span>
      ) : null}
      {refresh.error === null ? null : <Failed error={refresh.error} />}
    </>
  )
}

function Bank({ item, accounts }: { readonly item: Item; readonly accounts: readonly Account[] }) {
  const { tone, state, detail, action } = itemWords(item)
  const own = accounts.filter(({ item_id: id }) => id === item.id)
  const name = item.institution.name ?? 'Bank'
  return (
    <li className="card bank">
      <article aria-label={name}>
        <header className="card-header">
          <div>
            <h2>{name}</h2>
            <p className="muted">
              {own.length} {own.length === 1 ? 'account' : 'accounts'}
              {item.last_successful_update === null
                ? null
                : ` · updated by the bank ${formatRelative(item.last_successful_update)}`}
            </p>
          </div>
          <Status tone={tone}>{state}</Status>
        </header>
        {detail === null ? null : <p>{detail}</p>}
        <div className="actions">
          {action === null ? <Refresh item={item} /> : null}
          {action === null ? null : <ConnectButton kind={action.kind} itemId={item.id} label={action.label} />}
          {own.some(({ possible_duplicate: isPossible }) => isPossible) ? (
            <Link to={`/banks/${item.id}/duplicates`} className="button small">
              Review possible duplicates
            </Link>
          ) : null}
          <RemoveBank item={item} />
        </div>
        <Products item={item} />
      </article>
    </li>
  )
}

export default function Banks() {
  const client = useClient()
  const query = useQuery(itemsQuery(client))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  const hasBanks = (query.data ?? []).length > 0
  return (
    <Page title="Banks" actions={hasBanks ? <ConnectButton /> : undefined}>
      <Await query={query} label="Loading your banks">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No bank is connected" action={<ConnectButton />}>
              Connect one to see its accounts here.
            </Empty>
          ) : (
            <ul className="cards">
              {items.map((item) => (
                <Bank key={item.id} item={item} accounts={accounts} />
              ))}
            </ul>
          )
        }
      </Await>
    </Page>
  )
}
