// Items and their products for users and jobs. Only the functions that say so return the sealed token.
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { and, asc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { itemProducts, items } from '../../../drizzle/tables/items.ts'
import type { ApiDatabase, JobsDatabase } from '../core/client.ts'
import type { RowOf } from '../core/columns.ts'
import { asUser, type Identity, me, pageAsUser } from '../core/scope.ts'
import { askedAgain } from '../sync/work.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { idRow, query } from '../core/statement.ts'
import { isOfFirst, withProducts } from '../core/with-products.ts'

const itemColumns = {
  id: items.id,
  plaidItemId: items.plaidItemId,
  institutionId: items.institutionId,
  institutionName: items.institutionName,
  status: items.status,
  statusReason: items.statusReason,
  newAccountsAvailable: items.newAccountsAvailable,
  consentExpiresAt: items.consentExpiresAt,
  disconnectAt: items.disconnectAt,
  lostSince: items.lostSince,
  transactionsUpdatedAt: items.transactionsUpdatedAt,
  possibleDuplicate: sql<boolean>`exists (select 1 from accounts a join accounts o on o.id = a.duplicate_of
    join items shown on shown.id = o.item_id and shown.removed_at is null
    where a.item_id = "items"."id" and a.duplicate_state = 'possible')`,
  createdAt: items.createdAt,
}

const productColumns = {
  itemId: itemProducts.itemId,
  product: itemProducts.product,
  status: itemProducts.status,
  lastSyncedAt: itemProducts.lastSyncedAt,
  lastError: itemProducts.lastError,
}

type ItemRow = RowOf<typeof itemColumns>
type ProductRow = RowOf<typeof productColumns>

export interface Item extends ItemRow {
  readonly products: readonly ProductRow[]
}

/**
 * The two statements that read the user's visible items that match: the items, and the products of the first `limit`.
 */
function itemStatements({ connection }: ApiDatabase, matching: SQL | undefined, limit: number) {
  const chosen = and(eq(items.userId, me), isNull(items.removedAt), matching)
  const order = [asc(items.createdAt), asc(items.id)] as const
  return {
    items: connection
      .select(itemColumns)
      .from(items)
      .where(chosen)
      .orderBy(...order)
      .limit(limit + 1),
    products: connection
      .select(productColumns)
      .from(itemProducts)
      .where(isOfFirst(connection, chosen, order, limit)),
  }
}

export const itemRows = {
  page: (database: ApiDatabase, limit: number, from: Key | null) =>
    itemStatements(database, after(from, items.createdAt, items.id, 'asc'), limit),
  named: (database: ApiDatabase, ids: SQL, limit: number) =>
    itemStatements(database, sql`${items.id} = any(${ids})`, limit),
  keyOf: ({ createdAt, id }: ItemRow): Key => [createdAt.toISOString(), id],
}

/** A user's items, oldest first. */
export async function listItems(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
): Promise<Page<Item>> {
  const found = await pageAsUser(database, identity, itemRows.page(database, limit, from))
  return toPage(withProducts(found.items, found.products), limit, itemRows.keyOf)
}

/** The two statements that read one item of a user; by default the user of the transaction. */
export const selectItem = ({ connection }: ApiDatabase | JobsDatabase, id: string, owner: SQL | string = me) => ({
  items: connection
    .select(itemColumns)
    .from(items)
    .where(and(eq(items.id, id), eq(items.userId, owner), isNull(items.removedAt))),
  products: connection
    .select(productColumns)
    .from(itemProducts)
    .where(and(eq(itemProducts.itemId, id), eq(itemProducts.userId, owner))),
})

/** The item from the results of those statements; null if there is none. */
export const itemIn = (found: { readonly items: readonly ItemRow[]; readonly products: readonly ProductRow[] }) =>
  withProducts(found.items, found.products)[0] ?? null

/** One item of the user; null if it does not exist, belongs to another user, or was removed. */
export async function getItem(database: ApiDatabase, identity: Identity, id: string): Promise<Item | null> {
  return itemIn(await asUser(database, identity, selectItem(database, id)))
}

export interface SealedToken {
  readonly itemId: string
  readonly userId: string
  readonly sealed: string
  readonly removed: boolean
}

/**
 * The sealed token of a user's item. Includes removed items, because a removal must be repeatable until Plaid has
 * confirmed it.
 */
export async function getSealedToken(
  database: ApiDatabase,
  identity: Identity,
  id: string,
): Promise<SealedToken | null> {
  const { found } = await asUser(database, identity, {
    found: database.connection
      .select({
        itemId: items.id,
        userId: items.userId,
        sealed: items.accessTokenSealed,
        removed: sql<boolean>`${items.removedAt} is not null`,
      })
      .from(items)
      .where(and(eq(items.id, id), eq(items.userId, me))),
  })
  return found[0] ?? null
}

export interface OwnedItem {
  readonly id: string
  readonly userId: string
  readonly plaidItemId: string
}

/** The item if it belongs to the user, removed or not; otherwise null. */
export async function findOwnItem(database: ApiDatabase, identity: Identity, id: string): Promise<OwnedItem | null> {
  const { found } = await asUser(database, identity, {
    found: database.connection
      .select({ id: items.id, userId: items.userId, plaidItemId: items.plaidItemId })
      .from(items)
      .where(and(eq(items.id, id), eq(items.userId, me))),
  })
  return found[0] ?? null
}

/** Marks the user's products of one item dirty, or of all items for null. */
const markProductsDirty = (itemId: string | null) =>
  query(
    idRow,
    sql`update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('p')}
      where p.user_id = ${me} and (${itemId}::uuid is null or p.item_id = ${itemId}::uuid)
        and exists (select 1 from items i where i.id = p.item_id and i.removed_at is null) returning p.id`,
  )

/**
 * Clears what Plaid announced about an item (a disconnection, new accounts) and marks its products dirty. Returns the
 * item and the products' ids; null if it does not belong to the user.
 */
export async function repairItem(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  audit: AuditRow,
): Promise<{ readonly item: Item; readonly itemProductIds: readonly string[] } | null> {
  const { marked, ...found } = await asUser(database, identity, {
    // Lock order: the item's row before its other rows.
    repaired: database.connection
      .update(items)
      .set({ disconnectAt: null, newAccountsAvailable: false, updatedAt: sql`now()` })
      .where(and(eq(items.id, id), eq(items.userId, me), isNull(items.removedAt))),
    recorded: recordAudit(audit, ownLive(id)),
    marked: markProductsDirty(id),
    ...selectItem(database, id),
  })
  const item = itemIn(found)
  return item === null ? null : { item, itemProductIds: marked }
}

const ownLive = (id: string): SQL =>
  sql`exists (select 1 from items where id = ${id} and user_id = ${me} and removed_at is null)`

/** Marks a user's products dirty, of one item or of all, and returns their ids. */
export async function markDirtyForUser(
  database: ApiDatabase,
  identity: Identity,
  itemId: string | null,
  audit: AuditRow,
): Promise<readonly string[] | null> {
  const { known, marked } = await asUser(database, identity, {
    // Lock order: the item's row before its other rows.
    known: database.connection
      .select({ id: items.id })
      .from(items)
      .where(and(eq(items.userId, me), isNull(items.removedAt), itemId === null ? undefined : eq(items.id, itemId)))
      .orderBy(asc(items.id))
      .for('no key update'),
    recorded: recordAudit(audit, itemId === null ? sql`true` : ownLive(itemId)),
    marked: markProductsDirty(itemId),
  })
  return itemId !== null && known.length === 0 ? null : marked
}
