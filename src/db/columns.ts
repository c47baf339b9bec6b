// Columns and conditions that several tables' queries share, each said once.
import { type AnyColumn, type SQL, sql } from 'drizzle-orm'
import { itemProducts, items } from '../../drizzle/tables/items.ts'

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

/** Rows of an item that is hidden are hidden with it. */
/**
 * Rows of a snapshot are current unless Plaid has refused its product again and again: then they are of an earlier time,
 * and are not shown until the product can be read.
 */
export const ofCurrentProduct = (itemId: AnyColumn, product: 'holdings' | 'liabilities' | 'recurring'): SQL =>
  sql`not exists (select 1 from ${itemProducts} where ${itemProducts.itemId} = ${itemId}
    and ${itemProducts.product} = ${product} and ${itemProducts.refusals} >= 2)`

export const ofShownItem = (itemId: AnyColumn): SQL =>
  sql`exists (select 1 from ${items} where ${items.id} = ${itemId} and ${items.removedAt} is null)`
