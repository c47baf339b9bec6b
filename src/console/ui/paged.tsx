// A long list, page by page: loading, empty, failed, and the next page.
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { More } from './more.tsx'
import { Empty, Failed, Loading } from './states.tsx'

interface PagedProps<Row> {
  readonly query: UseInfiniteQueryResult<InfiniteData<{ readonly data: readonly Row[] }>>
  /** What is listed, as in `the runs`. */
  readonly label: string
  readonly empty: { readonly title: string; readonly text?: string }
  /** Whether only the button reads the next page, and not the reader's scrolling. */
  readonly byButton?: boolean
  readonly children: (rows: readonly Row[]) => ReactNode
}

export function Paged<Row>({ query, label, empty, byButton = false, children }: PagedProps<Row>) {
  if (query.isPending) return <Loading label={`Loading ${label}`} lines={8} />
  const rows = query.data?.pages.flatMap(({ data }) => [...data]) ?? []
  return (
    <div className="paged" aria-busy={query.isPlaceholderData}>
      {query.error === null ? null : <Failed error={query.error} retry={() => void query.refetch()} />}
      {rows.length === 0 && query.error === null ? <Empty title={empty.title}>{empty.text}</Empty> : null}
      {rows.length === 0 ? null : children(rows)}
      {query.hasNextPage ? (
        <More
          busy={query.isFetchingNextPage}
          byButton={byButton || query.isFetchNextPageError}
          load={() => void query.fetchNextPage()}
        />
      ) : byButton || rows.length === 0 ? null : (
        <p className="muted center">That is all.</p>
      )}
    </div>
  )
}
