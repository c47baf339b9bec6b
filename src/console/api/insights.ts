// What the pages about spending read.
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Client } from '@wealthnavigator/client'
import type { Interval } from '../format/periods.ts'
import { ofAccount } from './queries.ts'
import { readAll } from './read-all.ts'

export const spendingQuery = (client: Client, from: string, to: string) =>
  queryOptions({
    queryKey: ['spending', from, to],
    queryFn: ({ signal }) => client.get('/api/v1/insights/spending', { signal, params: { query: { from, to } } }),
    placeholderData: keepPreviousData,
  })

export const cashFlowQuery = (client: Client, interval: Interval, from: string) =>
  queryOptions({
    queryKey: ['cash flow', interval, from],
    queryFn: ({ signal }) =>
      client.get('/api/v1/insights/cash-flow', { signal, params: { query: { interval, from } } }),
  })

/** Of an account also if it is hidden; without one, of all that are not. */
export const recurringQuery = (client: Client, accountId: string | undefined) =>
  queryOptions({
    queryKey: ['recurring', accountId ?? null],
    queryFn: ({ signal }) =>
      readAll(client, '/api/v1/transactions/recurring', {
        signal,
        params: { query: ofAccount(accountId) },
      }),
  })
