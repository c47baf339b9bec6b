// Items and their products, which two statements of one batch read.

/** Each item with its products, sorted by name. */
export function withProducts<
  Found extends { readonly id: string },
  Product extends { readonly itemId: string; readonly product: string },
>(found: readonly Found[], products: readonly Product[]): (Found & { readonly products: readonly Product[] })[] {
  const byName = products.toSorted((one, other) => (one.product < other.product ? -1 : 1))
  const byItem = Map.groupBy(byName, ({ itemId }) => itemId)
  return found.map((item) => ({ ...item, products: byItem.get(item.id) ?? [] }))
}
