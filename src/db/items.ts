// Items and their products as users and jobs see them. The sealed token leaves only by the functions that say so.
import { and, asc, eq, isNull, ne, sql } from 'drizzle-orm'
import { itemProducts, items } from '../../drizzle/tables/items.ts'
import type { ApiDatabase } from './client.ts'
import { asUser, type Identity, me } from './scope.ts'
import { ofShownItem } from './columns.ts'
import { after, type Key, type Page, pageOf } from './page.ts'

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
  transactionsUpdatedAt: items.transactionsUpdatedAt,
  createdAt: items.createdAt,
}

const productColumns = {
  itemId: itemProducts.itemId,
  product: itemProducts.product,
  status: itemProducts.status,
  lastSyncedAt: itemProducts.lastSyncedAt,
  lastError: itemProducts.lastError,
}

interface ItemRow {
  readonly id: string
  readonly plaidItemId: string
  readonly institutionId: string | null
  readonly institutionName: string | null
  readonly status: string
  readonly statusReason: string | null
  readonly newAccountsAvailable: boolean
  readonly consentExpiresAt: Date | null
  readonly disconnectAt: Date | null
  readonly transactionsUpdatedAt: Date | null
  readonly createdAt: Date
}

interface ProductRow {
  readonly itemId: string
  readonly product: string
  readonly status: string
  readonly lastSyncedAt: Date | null
  readonly lastError: string | null
}

export interface Item extends ItemRow {
  readonly products: readonly ProductRow[]
}

const withProducts = (found: readonly ItemRow[], products: readonly ProductRow[]): Item[] =>
  found.map((item) => ({ ...item, products: products.filter((product) => product.itemId === item.id) }))

/** A user's items, oldest first. */
export async function listItems(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
): Promise<Page<Item>> {
  const mine = and(eq(items.userId, me), isNull(items.removedAt))
  const { connection } = database
  const [found, products] = await asUser(
    database,
    identity,
    connection
      .select(itemColumns)
      .from(items)
      .where(and(mine, after(from, items.createdAt, items.id, 'asc')))
      .orderBy(asc(items.createdAt), asc(items.id))
      .limit(limit + 1),
    connection
      .select(productColumns)
      .from(itemProducts)
      .innerJoin(items, eq(items.id, itemProducts.itemId))
      .where(and(mine, eq(itemProducts.userId, me)))
      .orderBy(asc(itemProducts.product)),
  )
  return pageOf(withProducts(found, products), limit, (item) => [item.createdAt.toISOString(), item.id])
}

/** One item of the user's; null when there is none, or it is another's, or it was removed. */
export async function getItem(database: ApiDatabase, identity: Identity, id: string): Promise<Item | null> {
  const { connection } = database
  const [found, products] = await asUser(
    database,
    identity,
    connection
      .select(itemColumns)
      .from(items)
      .where(and(eq(items.id, id), eq(items.userId, me), isNull(items.removedAt))),
    connection
      .select(productColumns)
      .from(itemProducts)
      .where(and(eq(itemProducts.itemId, id), eq(itemProducts.userId, me)))
      .orderBy(asc(itemProducts.product)),
  )
  return withProducts(found, products)[0] ?? null
}

export interface SealedToken {
  readonly itemId: string
  readonly userId: string
  readonly sealed: string
  readonly removed: boolean
}

/** The sealed token of a user's item, removed ones included: removal must be repeatable until Plaid has heard of it. */
export async function getSealedToken(
  database: ApiDatabase,
  identity: Identity,
  id: string,
): Promise<SealedToken | null> {
  const [found] = await asUser(
    database,
    identity,
    database.connection
      .select({
        itemId: items.id,
        userId: items.userId,
        sealed: items.accessTokenSealed,
        removed: sql<boolean>`${items.removedAt} is not null`,
      })
      .from(items)
      .where(and(eq(items.id, id), eq(items.userId, me))),
  )
  return found[0] ?? null
}

export interface NewItem {
  readonly id: string
  readonly userId: string
  readonly plaidItemId: string
  readonly institutionId: string | null
  readonly institutionName: string | null
  readonly consentExpiresAt: Date | null
  readonly sealedToken: string
  readonly products: readonly string[]
}

/** Stores an item and its products, all dirty, in one transaction. Answers the products' ids. */
export async function insertItem(database: ApiDatabase, identity: Identity, item: NewItem): Promise<string[]> {
  const { connection } = database
  const [, products] = await asUser(
    database,
    identity,
    connection.insert(items).values({
      id: item.id,
      userId: item.userId,
      plaidItemId: item.plaidItemId,
      institutionId: item.institutionId,
      institutionName: item.institutionName,
      consentExpiresAt: item.consentExpiresAt,
      accessTokenSealed: item.sealedToken,
    }),
    connection
      .insert(itemProducts)
      .values(item.products.map((product) => ({ itemId: item.id, userId: item.userId, product })))
      .returning({ id: itemProducts.id }),
  )
  return products.map((product) => product.id)
}

/** Hides an item; its rows stay until they are purged. */
export async function hideItem(database: ApiDatabase, identity: Identity, id: string): Promise<void> {
  await asUser(
    database,
    identity,
    database.connection
      .update(items)
      .set({ status: 'removed', removedAt: sql`coalesce(${items.removedAt}, now())`, updatedAt: sql`now()` })
      .where(and(eq(items.id, id), eq(items.userId, me))),
  )
}

/** Deletes an item and everything that came with it. */
export async function purgeItem(database: ApiDatabase, identity: Identity, id: string): Promise<void> {
  await asUser(database, identity, database.connection.delete(items).where(and(eq(items.id, id), eq(items.userId, me))))
}

/** Takes back what was announced of an item: a disconnection, new accounts. */
export async function clearAnnouncements(database: ApiDatabase, identity: Identity, id: string): Promise<void> {
  await asUser(
    database,
    identity,
    database.connection
      .update(items)
      .set({ disconnectAt: null, newAccountsAvailable: false, updatedAt: sql`now()` })
      .where(and(eq(items.id, id), eq(items.userId, me), isNull(items.removedAt))),
  )
}

/** Raises the dirty mark of a user's products (of one item, or of all) and answers their ids, for the wake-up calls. */
export async function markDirtyForUser(
  database: ApiDatabase,
  identity: Identity,
  itemId: string | null,
): Promise<string[] | null> {
  const [known, marked] = await asUser(
    database,
    identity,
    // Whoever locks more than one row of an item takes the item's first.
    database.connection
      .select({ id: items.id })
      .from(items)
      .where(and(eq(items.userId, me), isNull(items.removedAt), itemId === null ? undefined : eq(items.id, itemId)))
      .orderBy(asc(items.id))
      .for('no key update'),
    database.connection
      .update(itemProducts)
      .set({ dirtySeq: sql`${itemProducts.dirtySeq} + 1`, nextAttemptAt: sql`now()` })
      .where(
        and(
          eq(itemProducts.userId, me),
          itemId === null ? undefined : eq(itemProducts.itemId, itemId),
          ne(itemProducts.status, 'absent'),
          ofShownItem(itemProducts.itemId),
        ),
      )
      .returning({ id: itemProducts.id }),
  )
  return itemId !== null && known.length === 0 ? null : marked.map((row) => row.id)
}

/** Our id of a user's item, by Plaid's; null when it is not here, or another's, or removed. */
export async function findItemByPlaidId(
  database: ApiDatabase,
  identity: Identity,
  plaidItemId: string,
): Promise<string | null> {
  const [found] = await asUser(
    database,
    identity,
    database.connection
      .select({ id: items.id })
      .from(items)
      .where(and(eq(items.plaidItemId, plaidItemId), eq(items.userId, me), isNull(items.removedAt))),
  )
  return found[0]?.id ?? null
}
