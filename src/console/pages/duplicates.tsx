// Accounts of a bank that look like accounts of another connection: the person says whether they are the same.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Account, Duplicate, Item } from '@wealthnavigator/client'
import { useState } from 'react'
import { useClient } from '../api/context.tsx'
import { duplicatesQuery } from '../api/own-data.ts'
import { accountsQuery, itemsQuery } from '../api/queries.ts'
import { subtypeWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { Ids } from '../ui/ids.tsx'
import { Money } from '../ui/money.tsx'
import { Page } from '../ui/page.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Await, Empty, Failed } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'

interface SideProps {
  readonly title: string
  readonly account: Account | undefined
  readonly items: readonly Item[]
}

function Side({ title, account, items }: SideProps) {
  if (account === undefined)
    return (
      <div className="side-by-side">
        <h3>{title}</h3>
        <p className="muted">This account is not shared any more.</p>
      </div>
    )
  const { id, name, mask, type, subtype, balances, item_id: itemId } = account
  return (
    <div className="side-by-side">
      <h3>{title}</h3>
      <p>
        <Link to={`/accounts/${id}`}>{name}</Link>
        <span className="sub">
          {subtypeWords(type, subtype)}
          {mask === null ? null : ` ··${mask}`}
          {' · '}
          {items.find((item) => item.id === itemId)?.institution.name ?? 'Bank'}
        </span>
      </p>
      <p>
        <Money amount={balances.current ?? balances.available} currency={balances.currency} />
      </p>
      <Ids
        of={`${name}, ${title}`}
        ids={[
          { label: 'Account', value: id },
          { label: 'Plaid account', value: account.plaid_account_id },
          { label: 'Item', value: itemId },
        ]}
      />
    </div>
  )
}

interface PairProps {
  readonly itemId: string
  readonly duplicate: Duplicate
  readonly accounts: readonly Account[]
  readonly items: readonly Item[]
}

function Pair({ itemId, duplicate, accounts, items }: PairProps) {
  const client = useClient()
  const queries = useQueryClient()
  const [isMerging, setMerging] = useState(false)
  const settle = useMutation({
    mutationFn: (body: { merge_into: string } | { keep: true }) =>
      client.post('/api/v1/plaid/items/{id}/duplicates/{account_id}', {
        params: { path: { id: itemId, account_id: duplicate.account_id } },
        body,
      }),
    onSuccess: async () => {
      setMerging(false)
      await queries.invalidateQueries()
    },
  })
  const accountOf = (id: string) => accounts.find((account) => account.id === id)
  const isSame = duplicate.state === 'same'
  return (
    <li className="card">
      <header className="card-header">
        <h2>{accountOf(duplicate.account_id)?.name ?? 'Account'}</h2>
        <Status tone={isSame ? 'good' : 'warn'}>{isSame ? 'The same account' : 'Possibly the same'}</Status>
      </header>
      <div className="columns">
        <Side title="This account does not count" account={accountOf(duplicate.account_id)} items={items} />
        <Side title="This account counts" account={accountOf(duplicate.duplicate_of)} items={items} />
      </div>
      <div className="actions">
        {isSame ? null : (
          <WriteButton className="button" onClick={() => setMerging(true)}>
            They are the same…
          </WriteButton>
        )}
        <WriteButton className="button" disabled={settle.isPending} onClick={() => settle.mutate({ keep: true })}>
          They are different
        </WriteButton>
      </div>
      {settle.error === null || isMerging ? null : <Failed error={settle.error} />}
      {isMerging ? (
        <Confirm
          title="Merge the two accounts?"
          confirmLabel="Merge them"
          busy={settle.isPending}
          onConfirm={() => settle.mutate({ merge_into: duplicate.duplicate_of })}
          onClose={() => setMerging(false)}
        >
          <p>
            The account that counts keeps its id, notes, categories and history, and gets what only the other one has.
            While both connections live, both accounts stay, and one of them counts.
          </p>
          {settle.error === null ? null : <Failed error={settle.error} />}
        </Confirm>
      ) : null}
    </li>
  )
}

export default function Duplicates({ id = '' }: { readonly id?: string }) {
  const client = useClient()
  const query = useQuery(duplicatesQuery(client, id))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  const { data: items = [] } = useQuery(itemsQuery(client))
  const name = items.find((item) => item.id === id)?.institution.name
  return (
    <Page
      title="Possible duplicates"
      lead={`Accounts${name === undefined || name === null ? '' : ` of ${name}`} that another connection also has. Of each pair, only one counts in sums.`}
      actions={
        <Link to="/banks" className="button">
          See your banks
        </Link>
      }
    >
      <Await query={query} label="Loading the duplicates">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="There are no duplicates">Every account of this bank counts once.</Empty>
          ) : (
            <ul className="cards">
              {data.map((duplicate) => (
                <Pair key={duplicate.account_id} itemId={id} duplicate={duplicate} accounts={accounts} items={items} />
              ))}
            </ul>
          )
        }
      </Await>
    </Page>
  )
}
