// Every transaction, newest first: search, filters in the address, further pages by key as the reader reaches the end.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { accountsQuery, transactionsQuery } from '../api/queries.ts'
import { useSearch } from '../router/location.ts'
import { filterIn, Filters } from '../transactions/filters.tsx'
import { TransactionRows } from '../transactions/rows.tsx'
import { More } from '../ui/more.tsx'
import { Page } from '../ui/page.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'

function List() {
  const client = useClient()
  const [params] = useSearch()
  const filter = filterIn(params)
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  const query = useInfiniteQuery(transactionsQuery(client, filter))
  const rows = query.data?.pages.flatMap(({ data }) => data) ?? []
  const isFiltered = Object.keys(filter).length > 0
  if (query.isPending) return <Loading label="Loading transactions" lines={8} />
  return (
    <section className="card" aria-busy={query.isPlaceholderData}>
      <h2 className="visually-hidden">{isFiltered ? 'Transactions that match' : 'All transactions'}</h2>
      {query.error === null ? null : <Failed error={query.error} retry={() => void query.refetch()} />}
      {rows.length === 0 && query.error === null ? (
        <Empty title={isFiltered ? 'Nothing matches' : 'There are no transactions yet'}>
          {isFiltered ? 'Change the search or clear the filters.' : 'They arrive a minute after a bank is connected.'}
        </Empty>
      ) : null}
      <TransactionRows rows={rows} accounts={accounts} />
      {query.hasNextPage ? (
        <More
          busy={query.isFetchingNextPage}
          failed={query.isFetchNextPageError}
          load={() => void query.fetchNextPage()}
        />
      ) : rows.length > 0 ? (
        <p className="muted center">That is all.</p>
      ) : null}
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
