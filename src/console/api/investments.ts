// What the pages about investments and debts read.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Client } from '@wealthnavigator/client'
import { ofAccount } from './queries.ts'
import { readAll } from './read-all.ts'

/** Of an account also if it is hidden; without one, of all that are not. */
export const holdingsQuery = (client: Client, accountId: string | undefined) =>
  queryOptions({
    queryKey: ['holdings', accountId ?? null],
    queryFn: ({ signal }) =>
      readAll(client, '/api/v1/holdings', {
        signal,
        params: { query: ofAccount(accountId) },
      }),
  })

export const investmentTransactionsQuery = (client: Client, accountId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['investment transactions', accountId ?? null],
    queryFn: ({ signal, pageParam }) =>
      client.get('/api/v1/investments/transactions', {
        signal,
        params: { query: { ...ofAccount(accountId), limit: 50, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })

export const liabilitiesQuery = (client: Client) =>
  queryOptions({
    queryKey: ['liabilities'],
    queryFn: ({ signal }) => readAll(client, '/api/v1/liabilities', { signal }),
  })
