// What the pages about privacy and security read.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { type Client, createClient } from '@wealthnavigator/client'

export const consentsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['consents'],
    queryFn: ({ signal }) => client.get('/api/v1/privacy/consents', { signal }),
  })

export const sessionsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => client.get('/api/v1/auth/sessions', { signal }),
  })

export const auditQuery = (client: Client) =>
  infiniteQueryOptions({
    queryKey: ['audit'],
    queryFn: ({ signal, pageParam }) =>
      client.get('/api/v1/audit', {
        signal,
        params: { query: { limit: 50, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })

export const duplicatesQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['duplicates', id],
    queryFn: ({ signal }) => client.get('/api/v1/plaid/items/{id}/duplicates', { signal, params: { path: { id } } }),
  })

/** An erased person has no token; the id of the erasure is enough. */
const anonymous = createClient({ baseUrl: window.location.origin })

export const readErasure = (id: string, signal?: AbortSignal) =>
  anonymous.get('/api/v1/privacy/erasures/{id}', { signal, params: { path: { id } } })
