// Reads accounts, transactions and sums again when an item has new data: only the items are read again and again.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useClient } from './context.tsx'
import { itemsQuery } from './queries.ts'

export function useFreshData(): void {
  const queries = useQueryClient()
  const { data } = useQuery(itemsQuery(useClient()))
  const seen = useRef<string | null>(null)
  const now =
    data === undefined
      ? null
      : JSON.stringify(
          data.map(({ id, status, products }) => [id, status, products.map((each) => each.last_synced_at)]),
        )
  useEffect(() => {
    if (now === null) return
    const before = seen.current
    seen.current = now
    if (before !== null && before !== now)
      void queries.invalidateQueries({ predicate: ({ queryKey: [area] }) => area !== 'items' && area !== 'operations' })
  }, [now, queries])
}
