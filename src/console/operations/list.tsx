// A long list for operators: loading, empty, failed, and further pages by key.
import { type UseInfiniteQueryResult, type InfiniteData } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Empty, Failed, Loading } from '../ui/states.tsx'

interface ListProps<Row> {
  readonly query: UseInfiniteQueryResult<InfiniteData<{ readonly data: readonly Row[] }>>
  readonly label: string
  readonly empty: string
  readonly children: (row: Row) => ReactNode
}

export function OperationsList<Row>({ query, label, empty, children }: ListProps<Row>) {
  if (query.isPending) return <Loading label={`Loading ${label}`} lines={8} />
  const rows = query.data?.pages.flatMap(({ data }) => [...data]) ?? []
  return (
    <div aria-busy={query.isPlaceholderData}>
      {query.error === null ? null : <Failed error={query.error} retry={() => void query.refetch()} />}
      {rows.length === 0 && query.error === null ? <Empty title={empty} /> : null}
      <ol className="entries">{rows.map(children)}</ol>
      {query.hasNextPage ? (
        <button
          type="button"
          className="button wide"
          disabled={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {query.isFetchingNextPage ? 'Loading more…' : 'Show more'}
        </button>
      ) : null}
    </div>
  )
}
