// Columns and conditions that queries of several tables share.
import { type AnyColumn, type SQL, sql } from 'drizzle-orm'
import type { SelectResultFields } from 'drizzle-orm/query-builders/select.types'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { itemProducts, items } from '../../../drizzle/tables/items.ts'
import { me } from './scope.ts'

/** The rows that a query of these columns returns. */
export type RowOf<Columns extends Readonly<Record<string, unknown>>> = Readonly<SelectResultFields<Columns>>

/** Decimal text as the API returns it: without padding. */
export const exact = (column: AnyColumn): SQL<string> => sql<string>`trim_scale(${column})::text`

/** The same for a nullable column. */
export const exactOrNull = (column: AnyColumn): SQL<string | null> => sql<string | null>`trim_scale(${column})::text`

/** A time as a parameter of a statement; null for none. */
export const timestamptz = (value: Date | null | undefined): SQL => sql`${value?.toISOString() ?? null}::timestamptz(3)`

interface Currency {
  readonly isoCurrencyCode: AnyColumn
  readonly unofficialCurrencyCode: AnyColumn
}

/** Plaid sets one of the two codes, never both. */
export const currencyOf = (table: Currency): SQL<string | null> =>
  sql<string | null>`coalesce(${table.isoCurrencyCode}, ${table.unofficialCurrencyCode})`

/**
 * Rows of a snapshot are current unless Plaid has repeatedly refused its product. Then they are outdated, and are
 * hidden until the product can be read.
 */
export const ofCurrentProduct = (itemId: AnyColumn, product: 'holdings' | 'liabilities' | 'recurring'): SQL =>
  sql`(${itemId} = any(array(
    select refused.item_id from ${itemProducts} refused
    where refused.user_id = ${me} and refused.product = ${product} and refused.refusals >= 2))) is not true`

/**
 * Hides rows of hidden items. The user's items are read once, as an array: with a join, the planner could start with
 * the items, and would have to sort. `is true` also keeps it from finding the rows by their items.
 */
export const ofShownItem = (itemId: AnyColumn): SQL =>
  sql`(${itemId} = any(array(
    select shown.id from ${items} shown where shown.user_id = ${me} and shown.removed_at is null))) is true`

/** Hides the rows of revoked accounts immediately. The next snapshot, which lacks them, may be a day away. */
export const ofSharedAccount = (accountId: AnyColumn): SQL =>
  sql`(${accountId} = any(array(
    select revoked.id from ${accounts} revoked where revoked.user_id = ${me}
      and revoked.revoked_at is not null))) is not true`

/** Leaves out the rows of accounts that the user hid. */
export const ofListedAccount = (accountId: AnyColumn): SQL =>
  sql`(${accountId} = any(array(
    select unlisted.id from ${accounts} unlisted where unlisted.user_id = ${me} and unlisted.hidden))) is not true`

/**
 * Not removed by the bank, in a form that no partial index matches. For queries that find their rows by another column:
 * with wrong statistics the planner takes a user of 100,000 rows for one with a single row, and would find a row, or an
 * account's page, by reading all of them.
 */
export const notRemovedNamed = (removedAt: AnyColumn): SQL => sql`num_nulls(${removedAt}) = 1`
