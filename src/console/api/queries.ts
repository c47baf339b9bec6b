// What the pages read, one function a question. A page uses it as `useQuery(itemsQuery(client))`; after a change, it invalidates
// the key's first word.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Client, Item } from '@wealthnavigator/client'
import { readAll } from './read-all.ts'

/** The parameter of a list that an account filters. */
export const ofAccount = (accountId: string | undefined): { readonly account_id?: string } =>
  accountId === undefined ? {} : { account_id: accountId }

const isStarting = (items: readonly Item[] | undefined): boolean =>
  items?.some(({ status }) => status === 'initializing') ?? false

/** A login that fails at the bank is shown soon; the API reads it from its own database. */
export const itemsInterval = (items: readonly Item[] | undefined): number => (isStarting(items) ? 2000 : 10_000)

export const itemsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['items'],
    queryFn: ({ signal }) => readAll(client, '/api/v1/plaid/items', { signal }),
    refetchInterval: ({ state }) => itemsInterval(state.data),
    staleTime: 5000,
  })

export const accountsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['accounts'],
    queryFn: ({ signal }) =>
      readAll(client, '/api/v1/accounts', { signal, params: { query: { include_hidden: true } } }),
  })

export const netWorthQuery = (client: Client, from: string | null) =>
  queryOptions({
    queryKey: ['net worth', from],
    queryFn: ({ signal }) =>
      client.get('/api/v1/insights/net-worth', { signal, params: { query: from === null ? {} : { from } } }),
    placeholderData: keepPreviousData,
  })

export const balancesQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['balances', id],
    queryFn: async ({ signal }) =>
      await client.get('/api/v1/accounts/{id}/balances', { signal, params: { path: { id }, query: { limit: 500 } } }),
  })

export interface TransactionFilter {
  readonly q?: string
  readonly account_id?: string
  readonly category?: string
  readonly from?: string
  readonly to?: string
  readonly pending?: boolean
}

export const transactionsQuery = (client: Client, filter: TransactionFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['transactions', filter, limit],
    queryFn: ({ signal, pageParam }) =>
      client.get('/api/v1/transactions', {
        signal,
        params: { query: { ...filter, limit, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
  })
