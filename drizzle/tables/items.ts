// Linked banks, and what is known about keeping each of their products in sync.
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { ofUser } from './users.ts'

export const items = pgTable(
  'items',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    plaidItemId: text('plaid_item_id').notNull().unique('items_plaid_item_id'),
    institutionId: text('institution_id'),
    institutionName: text('institution_name'),
    /** The sealed access token (src/crypto/envelope.ts). */
    accessTokenSealed: text('access_token_sealed').notNull(),
    status: text().notNull().default('initializing'),
    statusReason: text('status_reason'),
    newAccountsAvailable: boolean('new_accounts_available').notNull().default(false),
    consentExpiresAt: timestamp('consent_expires_at', { withTimezone: true, precision: 3 }),
    disconnectAt: timestamp('disconnect_at', { withTimezone: true, precision: 3 }),
    /** Plaid's own time of its last good look at the bank's transactions; a change tells that a webhook should have come. */
    transactionsUpdatedAt: timestamp('transactions_updated_at', { withTimezone: true, precision: 3 }),
    investmentsUpdatedAt: timestamp('investments_updated_at', { withTimezone: true, precision: 3 }),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    removedAt: timestamp('removed_at', { withTimezone: true, precision: 3 }),
    /** When the rows of a removed item are deleted. */
    purgeAt: timestamp('purge_at', { withTimezone: true, precision: 3 }),
    /** How often a new item of Plaid's took this one's place: what carries a lower number was told by an earlier one. */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    /** Set while the access token is exchanged for another one: if it stays set, the new one was lost. */
    rotationStartedAt: timestamp('rotation_started_at', { withTimezone: true, precision: 3 }),
    /** The delivery that carries out the rotation; null until one has claimed it. */
    rotationOwner: uuid('rotation_owner'),
    /** Webhooks that Plaid says it sent, and that never came. */
    missedWebhooks: integer('missed_webhooks').notNull().default(0),
    /** When Plaid sent the last one of them. */
    missedWebhookAt: timestamp('missed_webhook_at', { withTimezone: true, precision: 3 }),
    /** When Plaid stopped accepting its access token; set while the item is lost for that reason. */
    lostAt: timestamp('lost_at', { withTimezone: true, precision: 3 }),
    /** Since when only a new link can restore it (`lostStatuses`); null in any other status. A trigger maintains it. */
    lostSince: timestamp('lost_since', { withTimezone: true, precision: 3 }),
    /** The products that Plaid last named for the item: enabled, available and consented, in one canonical text. */
    capabilities: text(),
  },
  (table) => [
    index('items_user').on(table.userId, table.createdAt, table.id),
    index('items_created').on(table.createdAt.asc().nullsFirst(), table.id),
    /** The ids of the keys that sealed access tokens, found without reading every item. */
    index('items_key').on(sql`split_part(${table.accessTokenSealed}, '.', 2)`),
    index('items_status').on(table.status, table.createdAt, table.id),
    unique('items_owner').on(table.id, table.userId),
    index('items_purge')
      .on(table.purgeAt)
      .where(sql`purge_at is not null`),
    index('items_rotation')
      .on(table.rotationStartedAt)
      .where(sql`rotation_started_at is not null`),
    index('items_lost')
      .on(table.lostAt)
      .where(sql`lost_at is not null`),
  ],
)

/** The columns of what an item brought. `ownedByItem` keeps them together: the item is that user's. */
export const ofOwnItem = () => ({
  userId: uuid('user_id').notNull(),
  itemId: uuid('item_id').notNull(),
})

interface ItemColumns {
  readonly itemId: AnyPgColumn
  readonly userId: AnyPgColumn
}

/** A row is deleted with its item, and cannot name the item of another user. The item's own key vouches for the user. */
export const ownedByItem = (name: string, table: ItemColumns) =>
  foreignKey({
    name,
    columns: [table.itemId, table.userId],
    foreignColumns: [items.id, items.userId],
  }).onDelete('cascade')

/** The column of what an item brought, which goes with it. */
export const ofItem = () => ({
  itemId: uuid('item_id')
    .notNull()
    .references(() => items.id, { onDelete: 'cascade' }),
})

/** One row an item and product, the unit of sync. It is dirty while `dirty_seq > synced_seq`. */
export const itemProducts = pgTable(
  'item_products',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnItem(),
    product: text().notNull(),
    status: text().notNull().default('pending'),
    /** Where the next read starts; null before the first. Only a cursor that came with `has_more: false` gets here. */
    cursor: text(),
    dirtySeq: bigint('dirty_seq', { mode: 'number' }).notNull().default(1),
    syncedSeq: bigint('synced_seq', { mode: 'number' }).notNull().default(0),
    leaseOwner: uuid('lease_owner'),
    leaseExpiresAt: timestamp('lease_expires_at', { withTimezone: true, precision: 3 }),
    /** Before this time the sweep leaves the row alone. */
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** While a wake-up message is on its way, the time by which it must have come. Whoever takes the message clears it. */
    wokenUntil: timestamp('woken_until', { withTimezone: true, precision: 3 }),
    /** Failures in a row. */
    attempts: integer().notNull().default(0),
    /** How often in a row Plaid refused the product for this item: not offered, or consent missing. */
    refusals: smallint().notNull().default(0),
    lastSyncedAt: timestamp('last_synced_at', { withTimezone: true, precision: 3 }),
    lastError: text('last_error'),
    historyStatus: text('history_status'),
  },
  (table) => [
    unique('item_products_product').on(table.itemId, table.product),
    ownedByItem('item_products_owner', table),
    index('item_products_due')
      .on(table.nextAttemptAt)
      .where(sql`dirty_seq > synced_seq`),
    index('item_products_stale').on(table.product, table.lastSyncedAt),
    index('item_products_user').on(table.userId, table.itemId),
  ],
)
