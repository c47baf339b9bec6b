// A user's accounts with their current balances, and the user's edits of them.
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { users } from '../../../drizzle/tables/users.ts'
import type { ApiDatabase } from '../core/client.ts'
import { currencyOf, exactOrNull, ofShownItem, type RowOf } from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { asUser, type Identity, me, pageAsUser } from '../core/scope.ts'
import { command } from '../core/statement.ts'

/** The account that it duplicates or may duplicate, unless the item of that account is removed. */
const originalAccount = sql<string | null>`(select o.id from accounts o join items shown on shown.id = o.item_id
  where o.id = "accounts"."duplicate_of" and "accounts"."duplicate_state" <> 'kept' and shown.removed_at is null)`

const accountColumns = {
  id: accounts.id,
  plaidAccountId: accounts.plaidAccountId,
  itemId: accounts.itemId,
  name: sql<string>`coalesce(${accounts.ownName}, ${accounts.name})`,
  bankName: accounts.name,
  officialName: accounts.officialName,
  mask: accounts.mask,
  type: accounts.type,
  subtype: accounts.subtype,
  current: exactOrNull(accounts.currentBalance),
  available: exactOrNull(accounts.availableBalance),
  limit: exactOrNull(accounts.creditLimit),
  currency: currencyOf(accounts),
  balanceAsOf: accounts.balanceAsOf,
  closed: accounts.closed,
  hidden: accounts.hidden,
  inInsights: accounts.inInsights,
  duplicateOf: originalAccount,
  duplicateState: accounts.duplicateState,
  createdAt: accounts.createdAt,
}

export type Account = RowOf<typeof accountColumns>

const mine = and(eq(accounts.userId, me), ofShownItem(accounts.itemId))

/** The user's accounts that match. */
const selectAccounts = ({ connection }: ApiDatabase, matching: SQL | undefined) =>
  connection.select(accountColumns).from(accounts).where(and(mine, matching)).$dynamic()

export const accountRows = {
  page: (database: ApiDatabase, limit: number, from: Key | null, withHidden = false) =>
    selectAccounts(
      database,
      and(withHidden ? undefined : sql`not ${accounts.hidden}`, after(from, accounts.createdAt, accounts.id, 'asc')),
    )
      .orderBy(asc(accounts.createdAt), asc(accounts.id))
      .limit(limit + 1),
  named: (database: ApiDatabase, ids: SQL) => selectAccounts(database, sql`${accounts.id} = any(${ids})`),
  keyOf: ({ createdAt, id }: Account): Key => [createdAt.toISOString(), id],
}

/** A user's accounts, oldest first, closed ones too; with `withHidden` also those that the user hid. */
export async function listAccounts(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
  withHidden = false,
): Promise<Page<Account>> {
  const { found } = await pageAsUser(database, identity, {
    found: accountRows.page(database, limit, from, withHidden),
  })
  return toPage(found, limit, accountRows.keyOf)
}

/** One account of the user's, or null. */
export async function getAccount(database: ApiDatabase, identity: Identity, id: string): Promise<Account | null> {
  const { found } = await asUser(database, identity, {
    found: selectAccounts(database, eq(accounts.id, id)),
  })
  return found[0] ?? null
}

/** The user's edits of an account. An absent key keeps its value. */
export interface AccountEdits {
  /** Null gives the institution's name back. */
  readonly name?: string | null | undefined
  readonly hidden?: boolean | undefined
  readonly inInsights?: boolean | undefined
}

/**
 * Writes the edits. Locks the user's counter row first, as a sync's commit does; the edit takes a number from there.
 */
export async function editAccount(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  edits: AccountEdits,
): Promise<Account | null> {
  const { connection } = database
  const set = sql.join(
    [
      sql`updated_at = now()`,
      ...(edits.name === undefined ? [] : [sql`own_name = ${edits.name}`]),
      ...(edits.hidden === undefined ? [] : [sql`hidden = ${edits.hidden}`]),
      ...(edits.inInsights === undefined ? [] : [sql`in_insights = ${edits.inInsights}`]),
    ],
    sql`, `,
  )
  const { found } = await asUser(database, identity, {
    userLocked: connection.select({ id: users.id }).from(users).where(eq(users.id, me)).for('no key update'),
    edited: command(sql`with target as (select ${accounts.id} as id from ${accounts} where ${mine}
        and ${accounts.id} = ${id})
        update accounts set ${set} where id in (select id from target)`),
    found: selectAccounts(database, eq(accounts.id, id)),
  })
  return found[0] ?? null
}
