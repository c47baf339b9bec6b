// Every transaction, newest first: search, filters in the address, further pages by key as the reader reaches the end.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { accountsQuery, transactionsQuery } from '../api/queries.ts'
import { useSearch } from '../router/location.ts'
import { filterIn, Filters } from '../transactions/filters.tsx'
import { TransactionRows } from '../transactions/rows.tsx'
import { Page } from '../ui/page.tsx'
import { Paged } from '../ui/paged.tsx'

function List() {
  const client = useClient()
  const [params] = useSearch()
  const filter = filterIn(params)
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  const query = useInfiniteQuery(transactionsQuery(client, filter))
  const isFiltered = Object.keys(filter).length > 0
  const empty = isFiltered
    ? { title: 'Nothing matches', text: 'Change the search or clear the filters.' }
    : { title: 'There are no transactions yet', text: 'They arrive a minute after a bank is connected.' }
  return (
    <section className="card">
      <h2 className="visually-hidden">{isFiltered ? 'Transactions that match' : 'All transactions'}</h2>
      <Paged query={query} label="transactions" empty={empty}>
        {(rows) => <TransactionRows rows={rows} accounts={accounts} />}
      </Paged>
    </section>
  )
}

export default function Transactions() {
  const client = useClient()
  const [params, change] = useSearch()
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  return (
    <Page title="Transactions">
      <Filters params={params} change={change} accounts={accounts} />
      <List />
    </Page>
  )
}
