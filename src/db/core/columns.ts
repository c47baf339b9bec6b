// Columns and conditions that several tables' queries share, each said once.
import { type AnyColumn, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { itemProducts, items } from '../../../drizzle/tables/items.ts'
import { me } from './scope.ts'

/** Decimal text as it leaves the database: without padding. */
export const exact = (column: AnyColumn): SQL<string> => sql<string>`trim_scale(${column})::text`

/** The same where there may be none. */
export const exactOrNull = (column: AnyColumn): SQL<string | null> => sql<string | null>`trim_scale(${column})::text`

interface Currency {
  readonly isoCurrencyCode: AnyColumn
  readonly unofficialCurrencyCode: AnyColumn
}

/** Plaid gives the one code or the other, never both. */
export const currencyOf = (table: Currency): SQL<string | null> =>
  sql<string | null>`coalesce(${table.isoCurrencyCode}, ${table.unofficialCurrencyCode})`

/**
 * Rows of a snapshot are current unless Plaid has refused its product again and again: then they are of an earlier
 * time, and are not shown until the product can be read.
 */
export const ofCurrentProduct = (itemId: AnyColumn, product: 'holdings' | 'liabilities' | 'recurring'): SQL =>
  sql`(${itemId} = any(array(
    select refused.item_id from ${itemProducts} refused
    where refused.user_id = ${me} and refused.product = ${product} and refused.refusals >= 2))) is not true`

/**
 * Rows of an item that is hidden are hidden with it. The user's items are read once, as an array: a join would let the
 * planner begin at the items, and sort. `is true` keeps it from finding the rows by their items too.
 */
export const ofShownItem = (itemId: AnyColumn): SQL =>
  sql`(${itemId} = any(array(
    select shown.id from ${items} shown where shown.user_id = ${me} and shown.removed_at is null))) is true`

/** Hides the rows of revoked accounts at once; the next snapshot, which lacks them, may be a day away. */
export const ofSharedAccount = (accountId: AnyColumn): SQL =>
  sql`(${accountId} = any(array(
    select revoked.id from ${accounts} revoked where revoked.user_id = ${me}
      and revoked.revoked_at is not null))) is not true`

/**
 * Not removed by the bank, in a form that no partial index matches. For queries that find their rows by another column:
 * With wrong statistics the planner takes a user of 100,000 rows for one of a single row, and would find a row, or an
 * account's page, by reading them all.
 */
export const notRemovedNamed = (removedAt: AnyColumn): SQL => sql`num_nulls(${removedAt}) = 1`
