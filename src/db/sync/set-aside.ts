// Rows of Plaid's responses that could not be read or whose account is unknown. They are stored separately, so that
// nothing is lost and the other rows arrive. A stored row that may be one of them is not removed.
import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { setAsideRows } from '../../../drizzle/tables/operations.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import type { Lease } from './work.ts'
import { command, query, type Statement } from '../core/statement.ts'

export interface SetAside {
  readonly kind: string
  /** Identifies the row among others of its kind; null if it cannot be read. */
  readonly key: string | null
  /** Plaid's id of the row's account, if it can be read. */
  readonly accountId: string | null
  /** Plaid's id of the row, or of a holding's security, if it can be read. */
  readonly rowId: string | null
  /** Fields and their errors, without values. */
  readonly problems: readonly string[]
  readonly payload: unknown
}

/** The most rows that are stored for an item and product. Further ones are only counted. */
const mostStored = 1000

/** The row as it is kept in memory until the commit: without its payload if it will not be stored. */
export const boundedRow = <Row extends SetAside>(row: Row, before: number): Row =>
  before < mostStored ? row : { ...row, payload: null }

/** Whether a run reads everything again, so that it replaces what earlier runs set aside. */
const readsAll = ({ product, cursor }: Lease): boolean => product !== 'transactions' || cursor === null

const ofProduct = (lease: Lease): SQL => sql`item_id = ${lease.itemId} and product = ${lease.product}`

/** Adds the number of rows that were not stored: `count` minus those of the CTE `stored`. */
const countUnstored = (count: SQL, stored: SQL): SQL =>
  sql`set_config('app.set_aside_unstored', (coalesce(nullif(current_setting('app.set_aside_unstored', true), ''),
    '0')::int
    + ${count} - (select count(*) from ${stored}))::text, true)`

/**
 * Stores rows of `source`, one for each kind and key, up to the limit. Keeps rows that this run has stored already,
 * because they are newer.
 */
const insertSetAside = (lease: Lease, source: SQL): SQL =>
  sql`insert into set_aside_rows (user_id, item_id, product, kind, row_key, plaid_account_id, problems, payload, run_id)
    select ${lease.userId}::uuid, ${lease.itemId}::uuid, ${lease.product}, kind, row_key, plaid_account_id, problems,
      payload, ${lease.runId}::uuid
    from (select distinct on (kind, row_key) * from ${source} order by kind, row_key) source
    limit greatest(0, ${mostStored} - (select count(*) from set_aside_rows
      where ${ofProduct(lease)} and (not ${readsAll(lease)} or run_id = ${lease.runId})))
    on conflict (item_id, product, kind, row_key) do update set plaid_account_id = excluded.plaid_account_id,
      problems = excluded.problems, payload = excluded.payload, run_id = excluded.run_id, last_seen_at = now()
      where set_aside_rows.run_id <> excluded.run_id
    returning 1`

/** Stores the rows that a run could not read. Runs before the merge of the readable ones. */
export function storeSetAside(lease: Lease, setAside: readonly SetAside[]): Statement[] {
  if (setAside.length === 0) return []
  const records = JSON.stringify(setAside.slice(0, mostStored))
  const statement = command(sql`with unread as materialized (
        select kind, coalesce("key", encode(sha256(convert_to(coalesce(payload::text, ''), 'UTF8')), 'hex')) as row_key,
          "accountId" as plaid_account_id, problems, payload
        from jsonb_to_recordset(${records}::jsonb) as r("kind" text, "key" text, "accountId" text, "problems" text[],
          "payload" jsonb)
      ), stored as (${insertSetAside(lease, sql`unread`)})
      select ${countUnstored(sql`${setAside.length}::int`, sql`stored`)}`)
  return [statement]
}

/** Deletes what earlier runs set aside, for a run that read everything from the start. */
export const forgetSetAside = (lease: Lease): Statement =>
  command(sql`delete from set_aside_rows where ${ofProduct(lease)} and run_id <> ${lease.runId}`)

/** The problem of a readable row with an account that the item does not have. */
const unknownAccount = 'account_id unknown_account'

/**
 * Parts of a merge's statement, as CTEs: store the rows of `source` with an unknown account, with the columns `kind`,
 * `row_key`, `plaid_account_id` and `payload`. `countUnknown` belongs in the statement's last select.
 */
export const storeUnknown = (lease: Lease, source: SQL): SQL =>
  sql`unknown_rows as materialized (select u.*, array[${unknownAccount}] as problems from (${source}) u
    ), unknown_stored as (${insertSetAside(lease, sql`unknown_rows`)})`
export const countUnknown = countUnstored(sql`(select count(*) from unknown_rows)`, sql`unknown_stored`)

/** Whether `value` is among these texts. `in` is a hash table, however many texts there are. */
const isAmong = (value: SQL, texts: readonly (string | null)[]): SQL =>
  texts.length === 0 ? sql`false` : sql`${value} in (select unnest(${sql.param(texts)}::text[]))`

/**
 * Whether a stored row may be one of the unreadable rows: compared by its id, or without an id by its account. An
 * unreadable row without both matches every stored row.
 */
export function mayBeSetAside(setAside: readonly SetAside[], rowId: SQL, accountId: SQL): SQL {
  const nameless = setAside.filter((row) => row.rowId === null)
  if (nameless.some((row) => row.accountId === null)) return sql`true`
  const named = setAside.flatMap((row) => row.rowId ?? [])
  return sql`(${isAmong(rowId, named)} or ${isAmong(
    accountId,
    nameless.map((row) => row.accountId),
  )})`
}

/** The same for rows that are identified by account and id together: an unreadable part matches everything. */
export function mayBeSetAsideWithin(setAside: readonly SetAside[], rowId: SQL, accountId: SQL): SQL {
  const [whole, part] = [setAside.filter(({ key }) => key !== null), setAside.filter(({ key }) => key === null)]
  if (part.some((row) => row.rowId === null && row.accountId === null)) return sql`true`
  return sql`(${isAmong(
    sql`${accountId} || ' ' || ${rowId}`,
    whole.map(({ key }) => key),
  )} or ${isAmong(
    rowId,
    part.flatMap((row) => row.rowId ?? []),
  )} or ${isAmong(
    accountId,
    part.flatMap((row) => row.accountId ?? []),
  )})`
}

const leftAside = z.object({
  /** How many rows are set aside after the run. */
  count: z.number(),
  /** How many of them this run set aside. */
  seen: z.number(),
  problems: z.array(z.string()),
})
export type LeftAside = z.output<typeof leftAside>

/**
 * Runs after the merges: deletes replaced rows, counts the remaining ones, and reports them to the user. Rows of
 * transactions, which Plaid sends once, stay until Plaid sends them again. All other rows come with every run.
 */
export function settleSetAside(lease: Lease) {
  const isOld = sql`run_id <> ${lease.runId} and (${readsAll(lease)} or kind <> 'transaction')`
  return query(
    leftAside,
    sql`with replaced as (
        delete from set_aside_rows where ${ofProduct(lease)} and ${isOld}
      ), kept as materialized (
        select * from set_aside_rows where ${ofProduct(lease)} and not (${isOld})
      ), counted as materialized (
        select n + unstored as count, seen + unstored as seen from (
          select count(*)::int as n, (count(*) filter (where run_id = ${lease.runId}))::int as seen,
            coalesce(nullif(current_setting('app.set_aside_unstored', true), ''), '0')::int as unstored from kept) k
      ), shown as (
        update item_products set last_error = case c.count when 1
          then 'One row could not be read. The operator can see it.'
          else c.count || ' rows could not be read. The operator can see them.' end
        from counted c where id = ${lease.itemProductId} and c.count > 0
      )
      select set_config('app.set_aside', c.count::text, true), c.count, c.seen,
        to_jsonb(array(select distinct kind || ' ' || unnest(problems) from kept where run_id = ${lease.runId}
          order by 1 limit 10)) as problems
      from counted c`,
  )
}

const payloadRow = z.object({ payload: z.string() })

/** The transactions that earlier runs set aside, as Plaid sent them, oldest first, as JSON text with exact numbers. */
export async function readSetAside(jobs: JobsDatabase, lease: Lease): Promise<string[]> {
  const { found } = await batch(jobs, {
    found: query(
      payloadRow,
      sql`select payload::text as payload from set_aside_rows
        where ${ofProduct(lease)} and kind = 'transaction' and payload is not null order by first_seen_at, id
          limit ${mostStored}`,
    ),
  })
  return found.map(({ payload }) => payload)
}

export interface StoredSetAside {
  readonly id: string
  readonly userId: string
  readonly itemId: string
  readonly product: string
  readonly kind: string
  readonly rowKey: string
  readonly plaidAccountId: string | null
  readonly problems: readonly string[]
  readonly runId: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

export interface SetAsideFilters {
  readonly itemId?: string | undefined
  readonly product?: string | undefined
}

/** The set-aside rows of all users, newest first, without their payloads. */
export async function listSetAside(
  jobs: JobsDatabase,
  { itemId, product }: SetAsideFilters,
  limit: number,
  from: Key | null,
): Promise<Page<StoredSetAside>> {
  const table = setAsideRows
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: jobs.connection
      .select({
        id: table.id,
        userId: table.userId,
        itemId: table.itemId,
        product: table.product,
        kind: table.kind,
        rowKey: table.rowKey,
        plaidAccountId: table.plaidAccountId,
        problems: table.problems,
        runId: table.runId,
        firstSeenAt: table.firstSeenAt,
        lastSeenAt: table.lastSeenAt,
      })
      .from(table)
      .where(
        and(
          itemId === undefined ? undefined : eq(table.itemId, itemId),
          product === undefined ? undefined : eq(table.product, product),
          after(from, table.firstSeenAt, table.id, 'desc'),
        ),
      )
      .orderBy(desc(table.firstSeenAt), desc(table.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, (row) => [row.firstSeenAt.toISOString(), row.id])
}
