// What the pages about investments and debts read.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Client } from '@wealthnavigator/client'
import { readAll } from './read-all.ts'

export const holdingsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['holdings'],
    queryFn: ({ signal }) => readAll(client, '/api/v1/holdings', { signal }),
  })

export const investmentTransactionsQuery = (client: Client) =>
  infiniteQueryOptions({
    queryKey: ['investment transactions'],
    queryFn: ({ signal, pageParam }) =>
      client.get('/api/v1/investments/transactions', {
        signal,
        params: { query: { limit: 50, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })

export const liabilitiesQuery = (client: Client) =>
  queryOptions({
    queryKey: ['liabilities'],
    queryFn: ({ signal }) => readAll(client, '/api/v1/liabilities', { signal }),
  })
