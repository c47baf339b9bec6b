// What the pages about investments and debts read.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Client } from '@wealthnavigator/client'
import { uuidOf } from '../format/ids.ts'
import { readAll } from './read-all.ts'

export const holdingsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['holdings'],
    queryFn: ({ signal }) => readAll(client, '/api/v1/holdings', { signal }),
  })

/** What the address says. The API refuses what is no id, so it is left out. */
export function investmentFilterIn(params: URLSearchParams): { readonly account_id?: string } {
  const accountId = uuidOf(params.get('account_id'))
  return accountId === undefined ? {} : { account_id: accountId }
}

export const investmentTransactionsQuery = (client: Client, filter: { readonly account_id?: string }) =>
  infiniteQueryOptions({
    queryKey: ['investment transactions', filter],
    queryFn: ({ signal, pageParam }) =>
      client.get('/api/v1/investments/transactions', {
        signal,
        params: { query: { ...filter, limit: 50, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })

export const liabilitiesQuery = (client: Client) =>
  queryOptions({
    queryKey: ['liabilities'],
    queryFn: ({ signal }) => readAll(client, '/api/v1/liabilities', { signal }),
  })
