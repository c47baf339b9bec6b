// What the pages for operators read. Only administrators may call these routes, and the audit trail records each read.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Client } from '@wealthnavigator/client'
import { daysAgo } from '../format/dates.ts'
import { uuidOf } from '../format/ids.ts'
import { auditActions, auditActors } from '../operations/audit-actions.ts'

interface ListPage<Row> {
  readonly data: readonly Row[]
  readonly next_cursor: string | null
}

interface PageQuery {
  readonly limit: number
  readonly cursor?: string
}

/** Each read of an administrator is a row of the audit trail, so none happens by itself. */
const readWhenAsked = { refetchOnWindowFocus: false, refetchOnReconnect: false } as const

/** A long list, page by page. A key begins with `operations`. */
const listQuery = <Row>(
  key: readonly unknown[],
  read: (query: PageQuery, signal: AbortSignal) => Promise<ListPage<Row>>,
) =>
  infiniteQueryOptions({
    queryKey: ['operations', ...key],
    queryFn: ({ signal, pageParam }) => read({ limit: 50, ...(pageParam === '' ? {} : { cursor: pageParam }) }, signal),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    staleTime: 5000,
    ...readWhenAsked,
  })

/** The value of a filter, if it is one of the known ones. */
export function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value | undefined {
  return values.find((value) => value === text)
}

const given = <Value>(name: string, value: Value | undefined) => (value === undefined ? {} : { [name]: value })

export const itemStatuses = [
  'initializing',
  'healthy',
  'needs_update',
  'pending_disconnect',
  'pending_expiration',
  'bank_action_required',
  'institution_down',
  'revoked',
  'relink_required',
  'removed',
] as const
export const runOutcomes = ['committed', 'failed', 'waiting', 'absent', 'consent_needed'] as const
export const entryKinds = [
  'webhook',
  'sync_run',
  'status',
  'change',
  'link_session',
  'exchange',
  'removal',
  'dead_letter',
] as const

export const exchangeStates = ['started', 'exchanged'] as const
export const removalReasons = [
  'removed',
  'revoked',
  'duplicate',
  'replaced',
  'not_stored',
  'token_lost',
  'orphan',
] as const

type Filter = URLSearchParams

export const allItemsQuery = (client: Client, filter: Filter) => {
  const status = oneOf(itemStatuses, filter.get('status'))
  const userId = uuidOf(filter.get('user_id'))
  return listQuery(['items', status, userId], (page, signal) =>
    client.get('/api/v1/admin/items', {
      signal,
      params: { query: { ...page, ...given('status', status), ...given('user_id', userId) } },
    }),
  )
}

export const timelineQuery = (client: Client, id: string, filter: Filter) => {
  const kind = oneOf(entryKinds, filter.get('kind'))
  return listQuery(['timeline', id, kind], (page, signal) =>
    client.get('/api/v1/admin/items/{id}/timeline', {
      signal,
      params: { path: { id }, query: { ...page, ...given('kind', kind) } },
    }),
  )
}

export const anyItemQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['operations', 'item', id],
    queryFn: ({ signal }) => client.get('/api/v1/admin/items/{id}', { signal, params: { path: { id } } }),
    ...readWhenAsked,
  })

export const runsQuery = (client: Client, filter: Filter) => {
  const outcome = oneOf(runOutcomes, filter.get('outcome'))
  const itemId = uuidOf(filter.get('item_id'))
  return listQuery(['runs', outcome, itemId], (page, signal) =>
    client.get('/api/v1/admin/sync/runs', {
      signal,
      params: { query: { ...page, ...given('outcome', outcome), ...given('item_id', itemId) } },
    }),
  )
}

export const webhooksQuery = (client: Client, filter: Filter) => {
  const plaidItemId = filter.get('plaid_item_id') || undefined
  return listQuery(['webhooks', plaidItemId], (page, signal) =>
    client.get('/api/v1/admin/webhooks', {
      signal,
      params: { query: { ...page, ...given('plaid_item_id', plaidItemId) } },
    }),
  )
}

export const exchangesQuery = (client: Client, filter: Filter) => {
  const state = oneOf(exchangeStates, filter.get('state'))
  const userId = uuidOf(filter.get('user_id'))
  return listQuery(['exchanges', state, userId], (page, signal) =>
    client.get('/api/v1/admin/exchanges', {
      signal,
      params: { query: { ...page, ...given('state', state), ...given('user_id', userId) } },
    }),
  )
}

export const removalsQuery = (client: Client, filter: Filter) => {
  const reason = oneOf(removalReasons, filter.get('reason'))
  const userId = uuidOf(filter.get('user_id'))
  return listQuery(['removals', reason, userId], (page, signal) =>
    client.get('/api/v1/admin/removals', {
      signal,
      params: { query: { ...page, ...given('reason', reason), ...given('user_id', userId) } },
    }),
  )
}

export const lettersQuery = (client: Client, filter: Filter) => {
  const open = filter.get('open') !== 'false'
  return listQuery(['dead letters', open], (page, signal) =>
    client.get('/api/v1/admin/dead-letters', {
      signal,
      params: { query: { ...page, open } },
    }),
  )
}

const dayOf = (text: string | null): string | undefined =>
  text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined

export const auditQuery = (client: Client, filter: Filter) => {
  const chosen = {
    ...given('action', oneOf(auditActions, filter.get('action'))),
    ...given('actor', oneOf(auditActors, filter.get('actor'))),
    ...given('user_id', uuidOf(filter.get('user_id'))),
    ...given('target_id', filter.get('target_id') || undefined),
    ...given('from', dayOf(filter.get('from'))),
    ...given('to', dayOf(filter.get('to'))),
  }
  return listQuery(['audit', chosen], (page, signal) =>
    client.get('/api/v1/admin/audit', { signal, params: { query: { ...page, ...chosen } } }),
  )
}

const single = <Data>(name: string, read: (signal: AbortSignal) => Promise<Data>) =>
  queryOptions({
    queryKey: ['operations', name],
    queryFn: ({ signal }) => read(signal),
    staleTime: 10_000,
    ...readWhenAsked,
  })

export const alarmsQuery = (client: Client) =>
  single('alarms', (signal) => client.get('/api/v1/admin/alarms', { signal }))
export const cronsQuery = (client: Client) => single('crons', (signal) => client.get('/api/v1/admin/crons', { signal }))
export const backupsQuery = (client: Client) =>
  single('backups', (signal) => client.get('/api/v1/admin/backups', { signal }))
export const verificationQuery = (client: Client) =>
  single('verification', (signal) => client.get('/api/v1/admin/audit/verify', { signal }))
export const freezeQuery = (client: Client) =>
  single('freeze', (signal) => client.get('/api/v1/admin/freeze', { signal }))
export const orphansQuery = (client: Client) =>
  single('orphans', (signal) => client.get('/api/v1/admin/orphans', { signal }))
export const quotaQuery = (client: Client) => single('quota', (signal) => client.get('/api/v1/admin/quota', { signal }))
export const refusalsQuery = (client: Client) =>
  single('refusals', (signal) => client.get('/api/v1/admin/webhooks/refusals', { signal }))

/** Of the last days, today included. */
export const usageQuery = (client: Client, days: number) => {
  const from = daysAgo(days - 1)
  return single(`usage from ${from}`, (signal) =>
    client.get('/api/v1/admin/usage', { signal, params: { query: { from } } }),
  )
}

export const searchQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['operations', 'search', id],
    queryFn: ({ signal }) => client.post('/api/v1/admin/search', { signal, body: { id } }),
    // The key may be a link token: it is forgotten with the page.
    gcTime: 0,
    staleTime: 5000,
  })
