// Recurring streams: merged from snapshots, listed by keyset.
import { and, desc, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { recurringStreams, transactions } from '../../../drizzle/tables/transactions.ts'
import type { ApiDatabase } from '../core/client.ts'
import {
  currencyOf,
  exactOrNull,
  ofCurrentProduct,
  ofListedAccount,
  ofSharedAccount,
  ofShownItem,
} from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import { mayBeSetAside, type SetAside } from '../sync/set-aside.ts'
import { entity, type IncomingRow, upsert } from '../core/record.ts'
import { replaceRows } from './replace.ts'
import type { Lease } from '../sync/work.ts'
import { idRow, query } from '../core/statement.ts'

export type Direction = 'inflow' | 'outflow'

const stream = entity({
  ids: { plaidStreamId: recurringStreams.plaidStreamId, plaidAccountId: accounts.plaidAccountId },
  table: getTableColumns(recurringStreams),
  own: ['id', 'userId', 'itemId', 'accountId', 'updatedAt'],
})
/** Amounts are exact decimal text. */
export type PlaidStreamRow = IncomingRow<typeof stream> & { readonly direction: Direction }

/**
 * The rows are all streams of the item: deletes others, unless a set-aside row may be one of them. Sets streams of
 * unknown accounts aside.
 */
export function mergeRecurring(lease: Lease, rows: readonly PlaidStreamRow[], setAside: readonly SetAside[]) {
  const unread = (['inflow', 'outflow'] as const).map(
    (direction) =>
      sql`s.direction = ${direction} and ${mayBeSetAside(
        setAside.filter(({ kind }) => kind === `${direction}_stream`),
        sql`s.plaid_stream_id`,
        sql`(select a.plaid_account_id from accounts a where a.id = s.account_id)`,
      )}`,
  )
  return replaceRows(lease, {
    read: sql`listed as materialized (
        select a.id as account_id, r.* from ${stream.recordset(rows)}
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = r.plaid_account_id
      )`,
    unknown: sql`select l.direction || '_stream' as kind, l.plaid_stream_id as row_key, l.plaid_account_id,
        to_jsonb(l) - 'account_id' as payload from listed l where l.account_id is null`,
    remove: sql`delete from recurring_streams s where s.item_id = ${lease.itemId}
      and not (${sql.join(unread, sql` or `)})
        and not exists (select 1 from listed l where l.plaid_stream_id = s.plaid_stream_id)`,
    upsert: upsert(stream, {
      table: 'recurring_streams',
      as: 's',
      own: {
        user_id: sql`${lease.userId}::uuid`,
        item_id: sql`${lease.itemId}::uuid`,
        account_id: sql`account_id`,
        plaid_stream_id: sql`plaid_stream_id`,
      },
      key: ['item_id', 'plaid_stream_id'],
      updated: ['account_id'],
      from: sql`listed where account_id is not null`,
      order: ['plaid_stream_id'],
      set: sql`updated_at = now()`,
    }),
  })
}

/**
 * Marks streams dirty that were never read, now that there is a history in which to find them. Returns the product's
 * id.
 */
export function markFirstRecurringDirty(lease: Lease) {
  return query(
    idRow,
    sql`update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now()
      where item_id = ${lease.itemId} and product = 'recurring' and status = 'pending' and last_synced_at is null
        returning id`,
  )
}

export interface RecurringStream {
  readonly id: string
  readonly accountId: string
  readonly plaidStreamId: string
  readonly direction: string
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
  readonly isActive: boolean
  readonly status: string
  readonly plaidTransactionIds: readonly string[]
  readonly currency: string | null
  /** Ids of the stored transactions, in Plaid's order. */
  readonly transactionIds: readonly string[]
}

export interface RecurringFilters {
  readonly accountId?: string | undefined
  readonly direction?: Direction | undefined
  readonly active?: boolean | undefined
  readonly withHidden?: boolean | undefined
}

/** As JSON, which the runtime parses natively: a stream can have hundreds. */
const asJson = (ids: SQL): SQL<string[]> => sql<string[]>`to_jsonb(${ids})`

const ourTransactions = asJson(sql`array(
  select ${transactions.id} from unnest(${recurringStreams.plaidTransactionIds}) with ordinality named(plaid_id, n)
  join ${transactions} on ${transactions.itemId} = ${recurringStreams.itemId}
    and ${transactions.plaidTransactionId} = named.plaid_id and ${transactions.removedAt} is null
  order by named.n)`)

const table = recurringStreams

const selectStreams = ({ connection }: ApiDatabase, matching: SQL | undefined) =>
  connection
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
        matching,
      ),
    )
    .$dynamic()

export const streamRows = {
  page: (
    database: ApiDatabase,
    limit: number,
    from: Key | null,
    { accountId, direction, active, withHidden }: RecurringFilters = {},
  ) =>
    selectStreams(
      database,
      and(
        accountId === undefined ? undefined : eq(table.accountId, accountId),
        accountId !== undefined || withHidden === true ? undefined : ofListedAccount(table.accountId),
        direction === undefined ? undefined : eq(table.direction, direction),
        active === undefined ? undefined : eq(table.isActive, active),
        after(from, table.lastDate, table.id, 'desc'),
      ),
    )
      .orderBy(desc(table.lastDate), desc(table.id))
      .limit(limit + 1),
  named: (database: ApiDatabase, ids: SQL) => selectStreams(database, sql`${table.id} = any(${ids})`),
  keyOf: ({ lastDate, id }: RecurringStream): Key => [lastDate, id],
}

/** A user's streams, the most recent first. */
export async function listRecurring(
  database: ApiDatabase,
  identity: Identity,
  filters: RecurringFilters,
  limit: number,
  from: Key | null,
): Promise<Page<RecurringStream>> {
  const { found } = await pageAsUser(database, identity, { found: streamRows.page(database, limit, from, filters) })
  return toPage(found, limit, streamRows.keyOf)
}
