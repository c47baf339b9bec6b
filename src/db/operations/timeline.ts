// What happened to one item, the newest first: its webhooks, sync runs, last 50 changes of status, audited changes,
// Link sessions, exchanges, removal at Plaid, and messages that could not be delivered. Reads ids, states, times and
// counts: no token, amount or name.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { idRow, query, type Statement } from '../core/statement.ts'

export const timelineKinds = [
  'webhook',
  'sync_run',
  'status',
  'change',
  'link_session',
  'exchange',
  'removal',
  'dead_letter',
] as const
export type TimelineKind = (typeof timelineKinds)[number]

const entryRow = z
  .object({
    id: z.string(),
    at: z.coerce.date(),
    what: z.string(),
    product: z.string().nullable(),
    error_code: z.string().nullable(),
    plaid_request_ids: z.array(z.string()).nullable(),
    request_id: z.string().nullable(),
    raw: z.record(z.string(), z.unknown()),
  })
  .transform((row) => ({
    id: row.id,
    at: row.at,
    what: row.what,
    product: row.product,
    errorCode: row.error_code,
    plaidRequestIds: row.plaid_request_ids ?? [],
    requestId: row.request_id,
    raw: row.raw,
  }))
type Entry = z.output<typeof entryRow>

export interface TimelineEntry extends Entry {
  readonly kind: TimelineKind
}

/** A time as the API writes it. */
const text = (column: string): SQL => sql.raw(`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)

interface Source {
  readonly at: string
  /** What was said, in one word or two. */
  readonly what: SQL
  readonly product?: SQL
  readonly errorCode?: SQL
  readonly plaidRequestIds?: SQL
  readonly requestId?: SQL
  readonly raw: SQL
  readonly rows: SQL
}

interface Place {
  readonly from: Key | null
  readonly limit: number
}

/** The newest rows before a place. Each source has an index in this order. */
function newest({ from, limit }: Place, source: Source): Statement<Entry> {
  const at = sql.raw(source.at)
  const id = sql.raw(source.at.replace(/\.\w+$/, '.id'))
  const none = sql`null::text`
  return query(
    entryRow,
    sql`select ${id}, ${at} as at, ${source.what} as what, ${source.product ?? none} as product,
        ${source.errorCode ?? none} as error_code, ${source.plaidRequestIds ?? sql`null::text[]`} as plaid_request_ids,
        ${source.requestId ?? none} as request_id, jsonb_build_object(${source.raw}) as raw
      from ${source.rows}
        and ${from === null ? sql`true` : sql`(${at}, ${id}) < (${from[0]}::timestamptz, ${from[1]}::uuid)`}
      order by ${at} desc, ${id} desc limit ${limit + 1}`,
  )
}

/**
 * The members of a webhook that are codes, ids, counts, flags or times. Others may be anything: the operator's relay
 * sends what it likes.
 */
const shownMembers = [
  'webhook_type',
  'webhook_code',
  'item_id',
  'account_id',
  'environment',
  'link_session_id',
  'status',
  'reason',
  'new_transactions',
  'initial_update_complete',
  'historical_update_complete',
  'consent_expiration_time',
  'removed_transactions',
  'event_name',
]
const shownErrorMembers = ['error_type', 'error_code', 'error_code_reason', 'request_id', 'status']

const members = (document: SQL, names: readonly string[]): SQL =>
  sql`(select coalesce(jsonb_object_agg(m.key, m.value), '{}') from jsonb_each(case jsonb_typeof(${document})
      when 'object' then ${document} else '{}' end) m where m.key = any(${sql.param([...names])}::text[])
      and jsonb_typeof(m.value) in ('string', 'number', 'boolean', 'null') and length(m.value::text) <= 200)`

const webhook = (rows: SQL): Source => ({
  at: 'w.received_at',
  what: sql`w.webhook_type || ' ' || w.webhook_code`,
  errorCode: sql`left(w.payload -> 'error' ->> 'error_code', 100)`,
  raw: sql`'scheme', w.scheme, 'webhook_type', w.webhook_type, 'webhook_code', w.webhook_code, 'plaid_item_id',
    w.plaid_item_id, 'received_at', ${text('w.received_at')}, 'members', ${members(sql`w.payload`, shownMembers)},
    'error', ${members(sql`w.payload -> 'error'`, shownErrorMembers)}`,
  rows: sql`webhook_events w where ${rows}`,
})

/** Each kind's rows of the item. Webhooks are two: before the item was stored, they name Plaid's item alone. */
const sourcesOf = (itemId: string): Readonly<Record<TimelineKind, readonly Source[]>> => ({
  webhook: [
    webhook(sql`w.item_id = ${itemId}`),
    webhook(sql`w.plaid_item_id = (select i.plaid_item_id from items i where i.id = ${itemId})`),
  ],
  sync_run: [
    {
      at: 'r.started_at',
      what: sql`r.outcome`,
      product: sql`r.product`,
      errorCode: sql`r.error_code`,
      plaidRequestIds: sql`r.plaid_request_ids`,
      raw: sql`'product', r.product, 'trigger', r.trigger, 'outcome', r.outcome, 'error_code', r.error_code, 'pages',
        r.pages, 'restarts', r.restarts, 'upserted', r.upserted, 'removed', r.removed, 'set_aside', r.set_aside,
        'plaid_request_ids', r.plaid_request_ids, 'started_at', ${text('r.started_at')}, 'finished_at',
        ${text('r.finished_at')}`,
      rows: sql`sync_runs r where r.item_id = ${itemId}`,
    },
  ],
  change: [
    {
      at: 'l.at',
      what: sql`l.action`,
      requestId: sql`l.request_id`,
      raw: sql`'action', l.action, 'actor_kind', l.actor_kind, 'target_kind', l.target_kind, 'target_id', l.target_id,
        'request_id', l.request_id, 'at', ${text('l.at')}`,
      rows: sql`audit_log l where l.target_id = ${itemId}`,
    },
  ],
  link_session: [
    {
      at: 's.created_at',
      what: sql`case when s.finished_at is null then 'open' else 'finished' end`,
      raw: sql`'created_at', ${text('s.created_at')}, 'expires_at', ${text('s.expires_at')}, 'check_at',
        ${text('s.check_at')}, 'finished_at', ${text('s.finished_at')}, 'hosted', s.token_sealed is not null`,
      rows: sql`link_sessions s where s.item_id = ${itemId}`,
    },
  ],
  exchange: [
    {
      at: 'e.created_at',
      what: sql`e.state`,
      raw: sql`'state', e.state, 'allow_duplicate', e.allow_duplicate, 'plaid_item_id', e.plaid_item_id, 'attempts',
        e.attempts, 'created_at', ${text('e.created_at')}, 'updated_at', ${text('e.updated_at')}, 'next_attempt_at',
        ${text('e.next_attempt_at')}`,
      rows: sql`link_exchanges e where e.item_id = ${itemId}`,
    },
  ],
  // Below: they need another statement.
  status: [],
  removal: [],
  dead_letter: [],
})

/** Fifty at most, in the item's own row. */
const statusChanges = ({ from }: Place, itemId: string): Statement<Entry> =>
  query(
    entryRow,
    sql`select h.entry ->> 'id' as id, (h.entry ->> 'at')::timestamptz as at, h.entry ->> 'to' as what,
        null::text as product, h.entry ->> 'reason' as error_code, array(select jsonb_array_elements_text(
        coalesce(h.entry -> 'cause' -> 'plaid_request_ids', '[]'))) as plaid_request_ids, null::text as request_id,
        h.entry - 'id' as raw
      from items i cross join lateral jsonb_array_elements(i.status_history) as h (entry) where i.id = ${itemId}
        and ${
          from === null
            ? sql`true`
            : sql`((h.entry ->> 'at')::timestamptz, (h.entry ->> 'id')::uuid)
                < (${from[0]}::timestamptz, ${from[1]}::uuid)`
        }`,
  )

/** At most one: Plaid's item is unique. */
const removal = ({ from }: Place, itemId: string): Statement<Entry> =>
  query(
    entryRow,
    sql`select p.id, p.created_at as at, p.reason as what, null::text as product, null::text as error_code,
        null::text[] as plaid_request_ids, null::text as request_id, jsonb_build_object('reason', p.reason,
        'plaid_item_id', p.plaid_item_id, 'attempts', p.attempts, 'last_error', p.last_error, 'created_at',
        ${text('p.created_at')}, 'next_attempt_at', ${text('p.next_attempt_at')}) as raw
      from plaid_removals p where p.plaid_item_id = (select i.plaid_item_id from items i where i.id = ${itemId})
        and ${from === null ? sql`true` : sql`(p.created_at, p.id) < (${from[0]}::timestamptz, ${from[1]}::uuid)`}`,
  )

/** At most as many of each product as a page has: their index is by product. */
const deadLetters = ({ from, limit }: Place, itemId: string): Statement<Entry> =>
  query(
    entryRow,
    sql`select d.id, d.created_at as at, d.reason as what, p.product, null::text as error_code,
        null::text[] as plaid_request_ids, null::text as request_id, jsonb_build_object('queue', d.queue, 'message_id',
        d.message_id, 'item_product_id', d.item_product_id, 'reason', d.reason, 'replays', d.replays, 'created_at',
        ${text('d.created_at')}, 'replayed_at', ${text('d.replayed_at')}) as raw
      from item_products p cross join lateral (select * from dead_letters l where l.item_product_id = p.id
        and ${from === null ? sql`true` : sql`(l.created_at, l.id) < (${from[0]}::timestamptz, ${from[1]}::uuid)`}
        order by l.created_at desc, l.id desc limit ${limit + 1}) d
      where p.item_id = ${itemId}`,
  )

const newestFirst = (one: TimelineEntry, other: TimelineEntry): number =>
  other.at.getTime() - one.at.getTime() || (other.id < one.id ? -1 : 1)

/** A page of the item's timeline, newest first; null if there is no such item. */
export async function listTimeline(
  jobs: JobsDatabase,
  itemId: string,
  kinds: readonly TimelineKind[],
  limit: number,
  from: Key | null,
): Promise<Page<TimelineEntry> | null> {
  const place = { from, limit }
  const sources = sourcesOf(itemId)
  const of = (kind: TimelineKind, index = 0): Statement<Entry> | null => {
    const source = kinds.includes(kind) ? sources[kind][index] : undefined
    return source === undefined ? null : newest(place, source)
  }
  const { item, ...found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    item: query(idRow, sql`select id from items where id = ${itemId}`),
    webhook: of('webhook'),
    early: of('webhook', 1),
    sync_run: of('sync_run'),
    change: of('change'),
    link_session: of('link_session'),
    exchange: of('exchange'),
    status: kinds.includes('status') ? statusChanges(place, itemId) : null,
    removal: kinds.includes('removal') ? removal(place, itemId) : null,
    dead_letter: kinds.includes('dead_letter') ? deadLetters(place, itemId) : null,
  })
  if (item.length === 0) return null
  const named = (kind: TimelineKind, rows: readonly Entry[]): TimelineEntry[] => rows.map((row) => ({ ...row, kind }))
  const entries = [
    ...named('webhook', found.webhook),
    ...named('webhook', found.early),
    ...timelineKinds.flatMap((kind) => (kind === 'webhook' ? [] : named(kind, found[kind]))),
  ]
  const single = [...new Map(entries.map((entry) => [`${entry.kind} ${entry.id}`, entry])).values()]
  return toPage(single.toSorted(newestFirst), limit, ({ at, id }) => [at.toISOString(), id])
}
