// Items and their products, which two statements of one batch read.
import { type SQL, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { itemProducts, items } from '../../../drizzle/tables/items.ts'

/** Whether a product is one of the first `limit` items that are chosen, in this order. */
export function isOfFirst(
  connection: NeonHttpDatabase,
  chosen: SQL | undefined,
  order: readonly SQL[],
  limit: number,
): SQL {
  const ids = connection
    .select({ id: items.id })
    .from(items)
    .where(chosen)
    .orderBy(...order)
    .limit(limit)
  return sql`${itemProducts.itemId} = any(array(${ids}))`
}

/** Each item with its products, sorted by name. */
export function withProducts<
  Found extends { readonly id: string },
  Product extends { readonly itemId: string; readonly product: string },
>(found: readonly Found[], products: readonly Product[]): (Found & { readonly products: readonly Product[] })[] {
  const byName = products.toSorted((one, other) => (one.product < other.product ? -1 : 1))
  const byItem = Map.groupBy(byName, ({ itemId }) => itemId)
  return found.map((item) => ({ ...item, products: byItem.get(item.id) ?? [] }))
}
