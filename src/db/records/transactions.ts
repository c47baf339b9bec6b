// A user's transactions: read by keyset, edited in place.
import { and, type AnyColumn, asc, desc, eq, gt, gte, isNull, lte, type SQL, sql } from 'drizzle-orm'
import { transactions } from '../../../drizzle/tables/transactions.ts'
import { users } from '../../../drizzle/tables/users.ts'
import type { ApiDatabase } from '../core/client.ts'
import { currencyOf, exact, notRemovedNamed, ofListedAccount, ofShownItem, type RowOf } from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { asUser, type Identity, me, pageAsUser } from '../core/scope.ts'
import { command } from '../core/statement.ts'
import { byUser } from './rule-matching.ts'

export const transactionColumns = {
  id: transactions.id,
  plaidTransactionId: transactions.plaidTransactionId,
  accountId: transactions.accountId,
  date: transactions.date,
  authorizedDate: transactions.authorizedDate,
  amount: exact(transactions.amount),
  currency: currencyOf(transactions),
  name: transactions.name,
  merchantName: transactions.merchantName,
  merchantLogoUrl: transactions.merchantLogoUrl,
  merchantWebsite: transactions.merchantWebsite,
  categoryPrimary: transactions.categoryPrimary,
  categoryDetailed: transactions.categoryDetailed,
  categoryConfidence: transactions.categoryConfidence,
  categoryVersion: transactions.categoryVersion,
  pending: transactions.pending,
  paymentChannel: transactions.paymentChannel,
  note: transactions.note,
  userCategory: transactions.userCategory,
  hidden: transactions.hidden,
  categoryRuleId: sql<string | null>`nullif(${transactions.categoryBy}, ${byUser})`,
  hiddenRuleId: sql<string | null>`nullif(${transactions.hiddenBy}, ${byUser})`,
}

export type Transaction = RowOf<typeof transactionColumns>

export interface TransactionFilters {
  readonly accountId?: string | undefined
  /** Days, inclusive. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Text in the name, the merchant or the note, case-insensitive. */
  readonly q?: string | undefined
  /** Plaid's primary or detailed category, or the user's. */
  readonly category?: string | undefined
  readonly minAmount?: string | undefined
  readonly maxAmount?: string | undefined
  readonly pending?: boolean | undefined
  /** Whether to include accounts that the user hid; those of `accountId` are always included. */
  readonly withHidden?: boolean | undefined
}

const mine = and(eq(transactions.userId, me), ofShownItem(transactions.itemId))

/** Neither removed by the bank nor hidden with its item. */
export const shown = and(mine, isNull(transactions.removedAt))

/** The same for a row by its column names. */
export const shownNamed = and(mine, notRemovedNamed(transactions.removedAt))

/** `%`, `_` and `\` are matched literally. */
const containing = (text: string): string => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`

/**
 * Whether a column contains the text, however accents are encoded. ASCII text is compared without normalization. Other
 * text cannot be in a value with as many bytes as characters, so most rows need no normalization.
 */
function contains(column: AnyColumn, text: string): SQL {
  const composed = text.normalize('NFC')
  const wanted = containing(composed)
  if (/^[\u0020-\u007e]*$/.test(composed)) return sql`${column} ilike ${wanted}`
  return sql`(octet_length(${column}) > char_length(${column}) and normalize(${column}, NFC) ilike ${wanted})`
}

function matching(filters: TransactionFilters): SQL | undefined {
  const { accountId, from, to, q, category, minAmount, maxAmount, pending } = filters
  const { name, merchantName, note, userCategory, categoryPrimary, categoryDetailed } = transactions
  return and(
    accountId === undefined ? undefined : eq(transactions.accountId, accountId),
    from === undefined ? undefined : gte(transactions.date, from),
    to === undefined ? undefined : lte(transactions.date, to),
    q === undefined ? undefined : sql`(${contains(name, q)} or ${contains(merchantName, q)} or ${contains(note, q)})`,
    category === undefined ? undefined : sql`${category} in (${userCategory}, ${categoryPrimary}, ${categoryDetailed})`,
    minAmount === undefined ? undefined : sql`${transactions.amount} >= ${minAmount}::numeric`,
    maxAmount === undefined ? undefined : sql`${transactions.amount} <= ${maxAmount}::numeric`,
    pending === undefined ? undefined : eq(transactions.pending, pending),
  )
}

export const transactionRows = {
  /** The first ones with a number above `from` and up to `to`. */
  numbered: ({ connection }: ApiDatabase, limit: number, from: number, to: number) =>
    connection
      .select({ ...transactionColumns, seq: transactions.changeSeq })
      .from(transactions)
      .where(and(shownNamed, gt(transactions.changeSeq, from), lte(transactions.changeSeq, to)))
      .orderBy(asc(transactions.changeSeq))
      .limit(limit + 1),
}

/** A user's transactions, newest first. */
export async function listTransactions(
  database: ApiDatabase,
  identity: Identity,
  filters: TransactionFilters,
  limit: number,
  from: Key | null,
): Promise<Page<Transaction>> {
  const { found } = await pageAsUser(database, identity, {
    found: database.connection
      .select(transactionColumns)
      .from(transactions)
      .where(
        and(
          mine,
          filters.accountId === undefined ? isNull(transactions.removedAt) : notRemovedNamed(transactions.removedAt),
          filters.accountId !== undefined || filters.withHidden === true
            ? undefined
            : ofListedAccount(transactions.accountId),
          matching(filters),
          after(from, transactions.date, transactions.id, 'desc'),
        ),
      )
      .orderBy(desc(transactions.date), desc(transactions.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, (transaction) => [transaction.date, transaction.id])
}

/** One transaction of the user's, or null. */
export async function getTransaction(
  database: ApiDatabase,
  identity: Identity,
  id: string,
): Promise<Transaction | null> {
  const { found } = await asUser(database, identity, {
    found: database.connection
      .select(transactionColumns)
      .from(transactions)
      .where(and(shownNamed, eq(transactions.id, id))),
  })
  return found[0] ?? null
}

/** The user's edits of a transaction, which rules do not change. An absent key keeps its value, null clears it. */
export interface TransactionEdits {
  readonly note?: string | null | undefined
  readonly userCategory?: string | null | undefined
  readonly hidden?: boolean | undefined
}

/**
 * Writes the edits and numbers the change. Locks the user's counter row first, as a sync's commit does, so that an edit
 * of a pending transaction and the commit that posts it run one after the other.
 */
export async function editTransaction(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  edits: TransactionEdits,
): Promise<Transaction | null> {
  const { connection } = database
  const set = sql.join(
    [
      sql`updated_at = now()`,
      sql`change_seq = (select change_seq from counter)`,
      ...(edits.note === undefined ? [] : [sql`note = ${edits.note}`]),
      ...(edits.userCategory === undefined
        ? []
        : [sql`user_category = ${edits.userCategory}, category_by = ${byUser}`]),
      ...(edits.hidden === undefined ? [] : [sql`hidden = ${edits.hidden}, hidden_by = ${byUser}`]),
    ],
    sql`, `,
  )
  const { found } = await asUser(database, identity, {
    userLocked: connection.select({ id: users.id }).from(users).where(eq(users.id, me)).for('no key update'),
    edited: command(sql`with target as (select ${transactions.id} as id from ${transactions} where ${shownNamed}
        and ${transactions.id} = ${id}),
        counter as (update users set change_seq = change_seq + 1 where id = ${me} and exists (select 1 from target)
          returning change_seq)
        update transactions set ${set} where id in (select id from target)`),
    found: connection
      .select(transactionColumns)
      .from(transactions)
      .where(and(shownNamed, eq(transactions.id, id))),
  })
  return found[0] ?? null
}
