// Finds what an id names: ours, Plaid's, a request's, or the digest of a token. Each id is looked up exactly, by an
// index or in each item's own. Returns ids alone.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { byIndex, plan } from '../core/plans.ts'
import { query } from '../core/statement.ts'

export const foundKinds = [
  'item',
  'item_product',
  'account',
  'transaction',
  'investment_transaction',
  'link_session',
  'exchange',
  'removal',
  'sync_run',
  'webhook',
  'dead_letter',
  'delivery',
  'audit_row',
  'user',
] as const
export type FoundKind = (typeof foundKinds)[number]

const foundRow = z
  .object({
    kind: z.enum(foundKinds),
    id: z.string(),
    item_id: z.string().nullable(),
    user_id: z.string().nullable(),
    at: z.coerce.date().nullable(),
  })
  .transform((row) => ({ kind: row.kind, id: row.id, itemId: row.item_id, userId: row.user_id, at: row.at }))
export type Found = z.output<typeof foundRow>

/** A Plaid id may name several webhooks, and a request several runs or audit rows. */
const mostOfAKind = 20

interface Table {
  readonly kind: FoundKind
  readonly rows: SQL
  readonly item?: string
  readonly user?: string | null
  readonly at?: string
}

/** The rows that match. `t` is the table. Not ordered: an index of the time would be read instead of that of the id. */
function find({ kind, rows, item, user = 't.user_id', at }: Table): SQL {
  const columns = [item ?? 'null', user ?? 'null'].map((column) => `${column}::uuid`)
  return sql`(select ${kind} as kind, t.id, ${sql.raw(columns.join(', '))}, ${sql.raw(at ?? 'null')}::timestamptz as at
    from ${rows} limit ${mostOfAKind})`
}

/** Tables by their own id. */
const byOwnId = (id: string): readonly SQL[] => {
  const rows = (table: string) => sql`${sql.raw(table)} t where t.id = ${id}::uuid`
  const ofProduct = '(select p.item_id from item_products p where p.id = t.item_product_id)'
  return [
    find({ kind: 'item', rows: rows('items'), item: 't.id', at: 't.created_at' }),
    find({ kind: 'item_product', rows: rows('item_products'), item: 't.item_id' }),
    find({ kind: 'account', rows: rows('accounts'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'transaction', rows: rows('transactions'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'investment_transaction', rows: rows('investment_transactions'), item: 't.item_id' }),
    find({ kind: 'link_session', rows: rows('link_sessions'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'exchange', rows: rows('link_exchanges'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'removal', rows: rows('plaid_removals'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'sync_run', rows: rows('sync_runs'), item: 't.item_id', at: 't.started_at' }),
    find({ kind: 'webhook', rows: rows('webhook_events'), item: 't.item_id', at: 't.received_at' }),
    find({ kind: 'dead_letter', rows: rows('dead_letters'), item: ofProduct, user: null, at: 't.created_at' }),
    find({ kind: 'delivery', rows: rows('webhook_deliveries'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'audit_row', rows: rows('audit_log'), user: null, at: 't.at' }),
    find({ kind: 'user', rows: rows('users'), user: 't.id' }),
  ]
}

/**
 * One step of an item's own index for each item: Plaid's ids of these rows are unique in an item, and no separate index
 * has them.
 */
const inEachItem = (table: string, column: string, id: string): SQL =>
  sql`items i cross join lateral (select r.id, r.user_id, r.item_id from ${sql.raw(table)} r
    where r.item_id = i.id and r.${sql.raw(column)} = ${id} limit 1) t`

/** Tables by an id of Plaid's, or of a request. */
const byOtherId = (id: string): readonly SQL[] => {
  const rows = (table: string, column: string) => sql`${sql.raw(table)} t where t.${sql.raw(column)} = ${id}`
  const requested = sql`sync_runs t where t.plaid_request_ids @> ${sql.param([id])}::text[]`
  return [
    find({ kind: 'item', rows: rows('items', 'plaid_item_id'), item: 't.id', at: 't.created_at' }),
    find({ kind: 'exchange', rows: rows('link_exchanges', 'plaid_item_id'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'removal', rows: rows('plaid_removals', 'plaid_item_id'), item: 't.item_id', at: 't.created_at' }),
    find({ kind: 'webhook', rows: rows('webhook_events', 'plaid_item_id'), item: 't.item_id', at: 't.received_at' }),
    find({ kind: 'sync_run', rows: requested, item: 't.item_id', at: 't.started_at' }),
    find({ kind: 'audit_row', rows: rows('audit_log', 'request_id'), user: null, at: 't.at' }),
  ]
}

/** Tables by an id of Plaid's that no index begins with, the smallest first. */
const byIdInItem = (id: string): readonly SQL[] =>
  (
    [
      ['account', 'accounts', 'plaid_account_id'],
      ['transaction', 'transactions', 'plaid_transaction_id'],
      ['investment_transaction', 'investment_transactions', 'plaid_investment_transaction_id'],
    ] as const
  ).map(([kind, table, column]) => find({ kind, rows: inEachItem(table, column, id), item: 't.item_id' }))

async function findIn(jobs: JobsDatabase, tables: readonly SQL[]): Promise<readonly Found[]> {
  const { found } = await batch(jobs, {
    planned: plan(byIndex),
    found: query(
      foundRow,
      sql`select f.kind, f.id, f.item_id, f.user_id, f.at from (${sql.join([...tables], sql` union all `)})
        f (kind, id, item_id, user_id, at)`,
    ),
  })
  return [...new Map(found.map((each) => [`${each.kind} ${each.id}`, each])).values()]
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Looks into each item only for an id that no index knows: that takes a step for each item of the deployment. */
export async function findById(jobs: JobsDatabase, id: string): Promise<readonly Found[]> {
  const indexed = await findIn(jobs, [...(uuid.test(id) ? byOwnId(id.toLowerCase()) : []), ...byOtherId(id)])
  if (indexed.length > 0 || uuid.test(id)) return indexed
  for (const table of byIdInItem(id)) {
    const found = await findIn(jobs, [table])
    if (found.length > 0) return found
  }
  return []
}

/** Finds the Link session or the exchange of a token. */
export const findByTokenDigest = (jobs: JobsDatabase, digest: string): Promise<readonly Found[]> =>
  findIn(jobs, [
    find({
      kind: 'link_session',
      rows: sql`link_sessions t where t.token_digest = ${digest}`,
      item: 't.item_id',
      at: 't.created_at',
    }),
    find({
      kind: 'exchange',
      rows: sql`link_exchanges t where t.public_token_digest = ${digest}`,
      item: 't.item_id',
      at: 't.created_at',
    }),
  ])
