// What operators can read, across users: ids, states, times and counts. Never a token, an amount, a name or a note.
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import { itemProducts, items } from '../../../drizzle/tables/items.ts'
import { webhookEvents } from '../../../drizzle/tables/operations.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import type { RowOf } from '../core/columns.ts'
import { after, type Key, ofEveryUser, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { isOfFirst, withProducts } from '../core/with-products.ts'

const itemColumns = {
  id: items.id,
  userId: items.userId,
  plaidItemId: items.plaidItemId,
  institutionId: items.institutionId,
  status: items.status,
  statusReason: items.statusReason,
  missedWebhooks: items.missedWebhooks,
  createdAt: items.createdAt,
  removedAt: items.removedAt,
}

const productColumns = {
  id: itemProducts.id,
  itemId: itemProducts.itemId,
  product: itemProducts.product,
  status: itemProducts.status,
  isDirty: sql<boolean>`${itemProducts.dirtySeq} > ${itemProducts.syncedSeq}`,
  attempts: itemProducts.attempts,
  nextAttemptAt: itemProducts.nextAttemptAt,
  lastSyncedAt: itemProducts.lastSyncedAt,
  lastError: itemProducts.lastError,
}

export type AdminProduct = Omit<RowOf<typeof productColumns>, 'itemId'>

export interface AdminItem extends RowOf<typeof itemColumns> {
  readonly products: readonly AdminProduct[]
}

export interface AdminItemFilters {
  readonly status?: string | undefined
  readonly userId?: string | undefined
}

/** Any user's item, also a removed one; null if there is none. */
export async function findAnyItem(jobs: JobsDatabase, id: string): Promise<AdminItem | null> {
  const { connection } = jobs
  const { found, products } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: connection.select(itemColumns).from(items).where(eq(items.id, id)),
    products: connection.select(productColumns).from(itemProducts).where(eq(itemProducts.itemId, id)),
  })
  return withProducts(found, products)[0] ?? null
}

/** Every user's items, oldest first, including removed ones. */
export async function listAllItems(
  jobs: JobsDatabase,
  { status, userId }: AdminItemFilters,
  limit: number,
  from: Key | null,
): Promise<Page<AdminItem>> {
  const { connection } = jobs
  const chosen = and(
    status === undefined ? undefined : eq(items.status, status),
    userId === undefined ? undefined : eq(items.userId, userId),
    after(from, items.createdAt, items.id, 'asc'),
  )
  const narrowed = status !== undefined || userId !== undefined
  const order = [narrowed ? asc(items.createdAt) : ofEveryUser(items.createdAt, 'asc'), asc(items.id)] as const
  const { found, products } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: connection
      .select(itemColumns)
      .from(items)
      .where(chosen)
      .orderBy(...order)
      .limit(limit + 1),
    products: connection
      .select(productColumns)
      .from(itemProducts)
      .where(isOfFirst(connection, chosen, order, limit)),
  })
  return toPage(withProducts(found, products), limit, (item) => [item.createdAt.toISOString(), item.id])
}

export interface AdminWebhook {
  readonly id: string
  readonly scheme: string
  readonly type: string
  readonly code: string
  readonly plaidItemId: string | null
  readonly itemId: string | null
  readonly userId: string | null
  readonly receivedAt: Date
}

/** All verified webhooks, newest first; with `plaidItemId`, those of one item. */
export async function listWebhooks(
  jobs: JobsDatabase,
  plaidItemId: string | null,
  limit: number,
  from: Key | null,
): Promise<Page<AdminWebhook>> {
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: jobs.connection
      .select({
        id: webhookEvents.id,
        scheme: webhookEvents.scheme,
        type: webhookEvents.webhookType,
        code: webhookEvents.webhookCode,
        plaidItemId: webhookEvents.plaidItemId,
        itemId: webhookEvents.itemId,
        userId: webhookEvents.userId,
        receivedAt: webhookEvents.receivedAt,
      })
      .from(webhookEvents)
      .where(
        and(
          plaidItemId === null ? undefined : eq(webhookEvents.plaidItemId, plaidItemId),
          after(from, webhookEvents.receivedAt, webhookEvents.id, 'desc'),
        ),
      )
      .orderBy(
        plaidItemId === null ? ofEveryUser(webhookEvents.receivedAt, 'desc') : desc(webhookEvents.receivedAt),
        desc(webhookEvents.id),
      )
      .limit(limit + 1),
  })
  return toPage(found, limit, (event) => [event.receivedAt.toISOString(), event.id])
}
