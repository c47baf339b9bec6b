// What comes and goes at regular times: merged from snapshots, read by keyset.
import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import { recurringStreams, transactions } from '../../../drizzle/tables/transactions.ts'
import type { ApiDatabase } from '../core/client.ts'
import { currencyOf, exactOrNull, ofCurrentProduct, ofSharedAccount, ofShownItem } from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import { countUnknown, mayBeSetAside, type SetAside, storeUnknown } from '../sync/set-aside.ts'
import type { Lease } from '../sync/work.ts'
import { command, idRow, query } from '../core/statement.ts'

export type Direction = 'inflow' | 'outflow'

/** A stream as Plaid tells it; amounts are exact decimal text. */
export interface RecurringFacts {
  readonly plaidStreamId: string
  readonly plaidAccountId: string
  readonly direction: Direction
  readonly description: string
  readonly merchantName: string | null
  readonly categoryPrimary: string | null
  readonly categoryDetailed: string | null
  readonly firstDate: string
  readonly lastDate: string
  readonly predictedNextDate: string | null
  readonly frequency: string
  readonly averageAmount: string | null
  readonly lastAmount: string | null
  readonly isoCurrencyCode: string | null
  readonly unofficialCurrencyCode: string | null
  readonly isActive: boolean
  readonly status: string
  readonly plaidTransactionIds: readonly string[]
}

/** Columns as they come, each with its type and its name in the facts. */
const incoming = [
  ['direction', 'text', 'direction'],
  ['description', 'text', 'description'],
  ['merchant_name', 'text', 'merchantName'],
  ['category_primary', 'text', 'categoryPrimary'],
  ['category_detailed', 'text', 'categoryDetailed'],
  ['first_date', 'date', 'firstDate'],
  ['last_date', 'date', 'lastDate'],
  ['predicted_next_date', 'date', 'predictedNextDate'],
  ['frequency', 'text', 'frequency'],
  ['average_amount', 'numeric', 'averageAmount'],
  ['last_amount', 'numeric', 'lastAmount'],
  ['iso_currency_code', 'text', 'isoCurrencyCode'],
  ['unofficial_currency_code', 'text', 'unofficialCurrencyCode'],
  ['is_active', 'boolean', 'isActive'],
  ['status', 'text', 'status'],
  ['plaid_transaction_ids', 'text[]', 'plaidTransactionIds'],
] as const satisfies readonly (readonly [string, string, keyof RecurringFacts])[]

const list = (write: (column: string, type: string, key: string) => string): SQL =>
  sql.raw(incoming.map(([column, type, key]) => write(column, type, key)).join(', '))

/**
 * The list is all the item's streams: one that is not in it is gone, unless a row that could not be read may stand
 * for it. Streams of unknown accounts are set aside.
 */
export function mergeRecurring(lease: Lease, facts: readonly RecurringFacts[], setAside: readonly SetAside[]) {
  const unread = (['inflow', 'outflow'] as const).map(
    (direction) =>
      sql`s.direction = ${direction} and ${mayBeSetAside(
        setAside.filter(({ kind }) => kind === `${direction}_stream`),
        sql`s.plaid_stream_id`,
        sql`(select a.plaid_account_id from accounts a where a.id = s.account_id)`,
      )}`,
  )
  return command(sql`with told as materialized (
        select a.id as account_id, r.* from jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as r("plaidStreamId"
          text,
          "plaidAccountId" text, ${list((_, type, key) => `"${key}" ${type}`)})
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = r."plaidAccountId"
      ), incoming as (
        select * from told where account_id is not null
      ), ${storeUnknown(
        lease,
        sql`select t."direction" || '_stream' as kind, t."plaidStreamId" as row_key,
          t."plaidAccountId" as plaid_account_id,
          to_jsonb(t) - 'account_id' as payload from told t where t.account_id is null`,
      )}, gone as (
        delete from recurring_streams s where s.item_id = ${lease.itemId} and not (${sql.join(unread, sql` or `)})
          and not exists (select 1 from told i where i."plaidStreamId" = s.plaid_stream_id) returning 1
      ), merged as (
        insert into recurring_streams as s (user_id, item_id, account_id, plaid_stream_id, ${list((column) => column)})
        select ${lease.userId}::uuid, ${lease.itemId}::uuid, account_id, "plaidStreamId",
          ${list((_, _type, key) => `"${key}"`)}
        from incoming order by "plaidStreamId"
        on conflict (item_id, plaid_stream_id) do update set account_id = excluded.account_id,
          ${list((column) => `${column} = excluded.${column}`)}, updated_at = now()
        where (s.account_id, ${list((column) => `s.${column}`)}) is distinct from
          (excluded.account_id, ${list((column) => `excluded.${column}`)})
        returning 1
      )
      select ${countUnknown}, set_config('app.upserted', (select count(*) from merged)::text, true),
        set_config('app.removed', (select count(*) from gone)::text, true)`)
}

/**
 * Raises the dirty mark of streams that were never read, now that there is a history to find them in. Returns its id.
 */
export function markFirstRecurringDirty(lease: Lease) {
  return query(
    idRow,
    sql`update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now()
      where item_id = ${lease.itemId} and product = 'recurring' and status = 'pending' and last_synced_at is null
        returning id`,
  )
}

export interface RecurringStream extends Omit<
  RecurringFacts,
  'plaidAccountId' | 'isoCurrencyCode' | 'unofficialCurrencyCode' | 'direction'
> {
  readonly id: string
  readonly accountId: string
  readonly direction: string
  readonly currency: string | null
  /** Ours, of those transactions that are here, in Plaid's order. */
  readonly transactionIds: readonly string[]
}

export interface RecurringFilters {
  readonly accountId?: string | undefined
  readonly direction?: Direction | undefined
  readonly active?: boolean | undefined
}

/** As JSON, which the runtime reads by itself: a stream can have hundreds. */
const asJson = (ids: SQL): SQL<string[]> => sql<string[]>`to_jsonb(${ids})`

const ourTransactions = asJson(sql`array(
  select ${transactions.id} from unnest(${recurringStreams.plaidTransactionIds}) with ordinality told(plaid_id, n)
  join ${transactions} on ${transactions.itemId} = ${recurringStreams.itemId}
    and ${transactions.plaidTransactionId} = told.plaid_id and ${transactions.removedAt} is null
  order by told.n)`)

/** A user's streams, those that came or went last first. */
export async function listRecurring(
  database: ApiDatabase,
  identity: Identity,
  { accountId, direction, active }: RecurringFilters,
  limit: number,
  from: Key | null,
): Promise<Page<RecurringStream>> {
  const table = recurringStreams
  const { found } = await pageAsUser(database, identity, {
    found: database.connection
      .select({
        id: table.id,
        plaidStreamId: table.plaidStreamId,
        accountId: table.accountId,
        direction: table.direction,
        description: table.description,
        merchantName: table.merchantName,
        categoryPrimary: table.categoryPrimary,
        categoryDetailed: table.categoryDetailed,
        firstDate: table.firstDate,
        lastDate: table.lastDate,
        predictedNextDate: table.predictedNextDate,
        frequency: table.frequency,
        averageAmount: exactOrNull(table.averageAmount),
        lastAmount: exactOrNull(table.lastAmount),
        currency: currencyOf(table),
        isActive: table.isActive,
        status: table.status,
        plaidTransactionIds: asJson(sql`${table.plaidTransactionIds}`),
        transactionIds: ourTransactions,
      })
      .from(table)
      .where(
        and(
          eq(table.userId, me),
          ofShownItem(table.itemId),
          ofSharedAccount(table.accountId),
          ofCurrentProduct(table.itemId, 'recurring'),
          accountId === undefined ? undefined : eq(table.accountId, accountId),
          direction === undefined ? undefined : eq(table.direction, direction),
          active === undefined ? undefined : eq(table.isActive, active),
          after(from, table.lastDate, table.id, 'desc'),
        ),
      )
      .orderBy(desc(table.lastDate), desc(table.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, (stream) => [stream.lastDate, stream.id])
}
