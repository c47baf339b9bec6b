// The change feed of everything that a user has. A read from the start lists the rows of each kind, as they are; then
// come the changes since the start of that read. Numbers come from the user's counter row, which each writer locks
// until its commit: they become visible in order, and none appears late.
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { transactions } from '../../../drizzle/tables/transactions.ts'
import { users } from '../../../drizzle/tables/users.ts'
import type { ApiDatabase } from '../core/client.ts'
import type { Key } from '../core/page.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import type { Results } from '../core/statement.ts'
import { withProducts } from '../core/with-products.ts'
import { type Item, itemRows } from '../items/items.ts'
import { type Account, accountRows } from '../records/accounts.ts'
import {
  type Holding,
  holdingRows,
  type InvestmentTransaction,
  investmentTransactionRows,
} from '../records/investments.ts'
import { type Liability, liabilityRows } from '../records/liabilities.ts'
import { type RecurringStream, streamRows } from '../records/recurring.ts'
import { shownNamed, type Transaction, transactionRows } from '../records/transactions.ts'
import { rowColumns } from './changes.ts'

/** In the order of a read from the start: a row comes after the rows that it refers to. */
export const feedKinds = [
  'item',
  'account',
  'holding',
  'liability',
  'recurring_stream',
  'investment_transaction',
  'transaction',
] as const
export type FeedKind = (typeof feedKinds)[number]

interface Rows {
  readonly item: Item
  readonly account: Account
  readonly holding: Holding
  readonly liability: Liability
  readonly recurring_stream: RecurringStream
  readonly investment_transaction: InvestmentTransaction
  readonly transaction: Transaction
}
/** A row of one kind. */
export type FeedRow = { readonly [Kind in FeedKind]: { readonly kind: Kind; readonly row: Rows[Kind] } }[FeedKind]

/** `row` is null if the API does not show it any more: it was removed, purged, or is hidden. */
export type FeedChange = { readonly seq: number; readonly id: string } & (
  | FeedRow
  | { readonly kind: FeedKind; readonly row: null }
)

/** The feed of a user at one time. */
export interface FeedState {
  readonly epoch: number
  /** The number of the newest change. */
  readonly newest: number
  /** Changes up to this number are no longer listed. */
  readonly completeFrom: number
}

const state = ({ connection }: ApiDatabase) =>
  connection
    .select({
      epoch: users.feedEpoch,
      newest: users.changeSeq,
      completeFrom: sql<number>`greatest(${users.changesFrom}, ${users.feedFrom})`.mapWith(Number),
    })
    .from(users)
    .where(eq(users.id, me))

/**
 * Statement of the first changes after a number. It reads the transactions itself, because it sees one snapshot: each
 * is at its number, and is found there by an index with any statistics.
 */
function entries({ connection }: ApiDatabase, since: number, limit: number) {
  const feed = sql`(
      select * from (
        (select seq, kind, row_id as id from changes where user_id = ${me} and seq > ${since}
          order by seq limit ${limit})
        union all
        (select change_seq, 'transaction', id from transactions where user_id = ${me} and change_seq > ${since}
          order by change_seq limit ${limit})
        union all
        (select change_seq, 'transaction', transaction_id from transaction_tombstones
          where user_id = ${me} and change_seq > ${since} order by change_seq limit ${limit})
      ) every order by seq limit ${limit}
    ) as feed`
  const atNumber = and(eq(transactions.id, sql`feed.id`), eq(transactions.changeSeq, sql`feed.seq`), shownNamed)
  const row = connection
    .select(rowColumns)
    .from(transactions)
    .where(and(sql`feed.kind = 'transaction'`, atNumber))
    .limit(1)
    .as('row')
  return connection
    .select({
      seq: sql<number>`feed.seq`.mapWith(Number),
      kind: sql<FeedKind>`feed.kind`,
      id: sql<string>`feed.id`,
      transaction: { ...row._.selectedFields },
    })
    .from(feed)
    .leftJoinLateral(row, sql`true`)
}

interface Entry {
  readonly seq: number
  readonly kind: FeedKind
  readonly id: string
  readonly transaction: Transaction | null
}

/** The statements that read the rows of entries. Kinds without entries are left out. */
function namedStatements(database: ApiDatabase, found: readonly Entry[]) {
  const ofKind = <Built>(kind: FeedKind, built: (ids: SQL) => Built): Built | null => {
    const ids = found.filter((entry) => entry.kind === kind).map(({ id }) => id)
    return ids.length === 0 ? null : built(sql`${sql.param(ids)}::uuid[]`)
  }
  const items = ofKind('item', (ids) => itemRows.named(database, ids, found.length))
  return {
    items: items === null ? null : items.items,
    products: items === null ? null : items.products,
    accounts: ofKind('account', (ids) => accountRows.named(database, ids)),
    holdings: ofKind('holding', (ids) => holdingRows.named(database, ids)),
    liabilities: ofKind('liability', (ids) => liabilityRows.named(database, ids)),
    streams: ofKind('recurring_stream', (ids) => streamRows.named(database, ids)),
    investments: ofKind('investment_transaction', (ids) => investmentTransactionRows.named(database, ids)),
  }
}

function rowsOf(found: Results<ReturnType<typeof namedStatements>>): FeedRow[] {
  return [
    ...withProducts(found.items, found.products).map((row) => ({ kind: 'item' as const, row })),
    ...found.accounts.map((row) => ({ kind: 'account' as const, row })),
    ...found.holdings.map((row) => ({ kind: 'holding' as const, row })),
    ...found.liabilities.map((row) => ({ kind: 'liability' as const, row })),
    ...found.streams.map((row) => ({ kind: 'recurring_stream' as const, row })),
    ...found.investments.map((row) => ({ kind: 'investment_transaction' as const, row })),
  ]
}

/** Each entry with its row. A row that was read after the list may be newer: then its next number repeats it. */
function withRows(found: readonly Entry[], rows: readonly FeedRow[]): FeedChange[] {
  const byId = new Map(rows.map((each) => [`${each.kind} ${each.row.id}`, each]))
  return found.map(({ seq, kind, id, transaction }) => ({
    seq,
    id,
    ...(transaction === null
      ? (byId.get(`${kind} ${id}`) ?? { kind, row: null })
      : { kind: 'transaction' as const, row: transaction }),
  }))
}

interface FeedPage {
  readonly changes: readonly FeedChange[]
  readonly hasMore: boolean
  /**
   * Before the rows were read: with `hasMore` false, they include every change up to its newest. Null without a user.
   */
  readonly before: FeedState | null
  /** After the rows were read: it covers what was deleted meanwhile. */
  readonly after: FeedState | null
}

/** The first `limit` changes after the number `since`, in order. Reads no rows if there are none. */
export async function readChanges(
  database: ApiDatabase,
  identity: Identity,
  since: number,
  limit: number,
): Promise<FeedPage> {
  const { before, found, after } = await pageAsUser(database, identity, {
    before: state(database),
    found: entries(database, since, limit + 1),
    after: state(database),
  })
  const listed = found.toSorted((one, other) => one.seq - other.seq).slice(0, limit)
  const isElsewhere = listed.some(({ kind }) => kind !== 'transaction')
  const rows = isElsewhere ? rowsOf(await pageAsUser(database, identity, namedStatements(database, listed))) : []
  return {
    changes: withRows(listed, rows),
    hasMore: found.length > limit,
    before: before[0] ?? null,
    after: after[0] ?? null,
  }
}

/** A place in a read from the start: after a row of a kind, or before its first. */
export interface FeedPlace {
  readonly kind: FeedKind
  /** The keyset of the kind's list; of a transaction its number. */
  readonly after: Key | null
}

/** The rows of a kind and of those after it, each kind from its place on. Kinds before it are left out. */
function listStatements(database: ApiDatabase, { kind, after }: FeedPlace, limit: number, upTo: number) {
  const first = feedKinds.indexOf(kind)
  const startOf = (each: FeedKind): Key | null => (each === kind ? after : null)
  const ifDue = <Built>(each: FeedKind, built: () => Built): Built | null =>
    feedKinds.indexOf(each) < first ? null : built()
  // A copy has the rows of accounts that the user hid, which say so.
  const withHidden = true
  const items = ifDue('item', () => itemRows.page(database, limit, startOf('item')))
  return {
    items: items === null ? null : items.items,
    products: items === null ? null : items.products,
    accounts: ifDue('account', () => accountRows.page(database, limit, startOf('account'), true)),
    holdings: ifDue('holding', () => holdingRows.page(database, limit, startOf('holding'), { withHidden })),
    liabilities: ifDue('liability', () => liabilityRows.page(database, limit, startOf('liability'), true)),
    streams: ifDue('recurring_stream', () =>
      streamRows.page(database, limit, startOf('recurring_stream'), { withHidden }),
    ),
    investments: ifDue('investment_transaction', () =>
      investmentTransactionRows.page(database, limit, startOf('investment_transaction'), { withHidden }),
    ),
    transactions: transactionRows.numbered(database, limit, Number(startOf('transaction')?.[0] ?? 0), upTo),
  }
}

type Placed = FeedRow & { readonly place: FeedPlace }

function placedRows(found: Results<ReturnType<typeof listStatements>>): Placed[] {
  const at = <Kind extends FeedKind, Row>(kind: Kind, row: Row, after: Key) => ({ kind, row, place: { kind, after } })
  return [
    ...withProducts(found.items, found.products).map((row) => at('item', row, itemRows.keyOf(row))),
    ...found.accounts.map((row) => at('account', row, accountRows.keyOf(row))),
    ...found.holdings.map((row) => at('holding', row, holdingRows.keyOf(row))),
    ...found.liabilities.map((row) => at('liability', row, liabilityRows.keyOf(row))),
    ...found.streams.map((row) => at('recurring_stream', row, streamRows.keyOf(row))),
    ...found.investments.map((row) => at('investment_transaction', row, investmentTransactionRows.keyOf(row))),
    ...found.transactions.map((row) => at('transaction', row, [String(row.seq), row.id])),
  ]
}

export interface FirstPage extends FeedPage {
  /** The number of the newest change when the read started. The changes after it follow. */
  readonly start: number
  /** The place of the last row. */
  readonly place: FeedPlace | null
}

/**
 * A page of a read from the start. A row that changes meanwhile may be listed, at its old or new place, or not: it has
 * a number after `start`.
 * @param start null for the first page
 */
export async function readFromStart(
  database: ApiDatabase,
  identity: Identity,
  start: number | null,
  place: FeedPlace,
  limit: number,
): Promise<FirstPage> {
  const { before, after, ...found } = await pageAsUser(database, identity, {
    before: state(database),
    ...listStatements(database, place, limit, start ?? Number.MAX_SAFE_INTEGER),
    after: state(database),
  })
  const rows = placedRows(found)
  const listed = rows.slice(0, limit)
  const number = start ?? before[0]?.newest ?? 0
  return {
    changes: listed.map((each) => ({ seq: number, id: each.row.id, ...each })),
    hasMore: rows.length > limit,
    before: before[0] ?? null,
    after: after[0] ?? null,
    start: number,
    place: listed.at(-1)?.place ?? null,
  }
}
