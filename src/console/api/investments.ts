// What the pages about investments and debts read.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Client } from '@wealthnavigator/client'
import { accountIdIn } from '../format/ids.ts'
import { readAll } from './read-all.ts'

/** Of an account also if it is hidden; without one, of all that are not. */
export const holdingsQuery = (client: Client, accountId: string | undefined) =>
  queryOptions({
    queryKey: ['holdings', accountId ?? null],
    queryFn: ({ signal }) =>
      readAll(client, '/api/v1/holdings', {
        signal,
        params: { query: accountId === undefined ? {} : { account_id: accountId } },
      }),
  })

export function investmentFilterIn(params: URLSearchParams): { readonly account_id?: string } {
  const accountId = accountIdIn(params)
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
