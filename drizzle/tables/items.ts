// Items, and the sync state of each of their products.
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  date,
  foreignKey,
  index,
  integer,
  jsonb,
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
    /** Before when Plaid was asked for the access token. */
    accessTokenAt: timestamp('access_token_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    status: text().notNull().default('initializing'),
    statusReason: text('status_reason'),
    /**
     * The last 50 changes of the status and its reason, newest first, written by a trigger: `{id, at, from, from_reason, to,
     * reason, cause: {kind, id, plaid_request_ids} | null}`.
     */
    statusHistory: jsonb('status_history')
      .notNull()
      .default(sql`'[]'`),
    newAccountsAvailable: boolean('new_accounts_available').notNull().default(false),
    consentExpiresAt: timestamp('consent_expires_at', { withTimezone: true, precision: 3 }),
    disconnectAt: timestamp('disconnect_at', { withTimezone: true, precision: 3 }),
    /**
     * When Plaid last read the bank's transactions successfully, by Plaid's clock. A change without a webhook means
     * that a webhook was lost.
     */
    transactionsUpdatedAt: timestamp('transactions_updated_at', { withTimezone: true, precision: 3 }),
    investmentsUpdatedAt: timestamp('investments_updated_at', { withTimezone: true, precision: 3 }),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    removedAt: timestamp('removed_at', { withTimezone: true, precision: 3 }),
    /** The UTC day of the newest billed calls of the item, and their number. */
    paidCallsOn: date('paid_calls_on', { mode: 'string' }),
    paidCalls: integer('paid_calls').notNull().default(0),
    /** When the rows of a removed item are deleted. */
    purgeAt: timestamp('purge_at', { withTimezone: true, precision: 3 }),
    /**
     * How many times a new Plaid item replaced this one's. Rows with a lower number were reported by an earlier one.
     */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    /** Set while the access token is being rotated. If it stays set, the new token was lost. */
    rotationStartedAt: timestamp('rotation_started_at', { withTimezone: true, precision: 3 }),
    /** The queue delivery that performs the rotation; null until one has claimed it. */
    rotationOwner: uuid('rotation_owner'),
    /** How many webhooks Plaid reports as sent that never arrived. */
    missedWebhooks: integer('missed_webhooks').notNull().default(0),
    /** When Plaid sent the last of them. */
    missedWebhookAt: timestamp('missed_webhook_at', { withTimezone: true, precision: 3 }),
    /** When Plaid stopped accepting the access token; set while the item is lost for that reason. */
    lostAt: timestamp('lost_at', { withTimezone: true, precision: 3 }),
    /**
     * Since when only a new link can restore it (`lostStatuses`); null in any other status. Maintained by a trigger.
     */
    lostSince: timestamp('lost_since', { withTimezone: true, precision: 3 }),
    /** The products that Plaid last reported for the item: enabled, available and consented, in one canonical text. */
    capabilities: text(),
  },
  (table) => [
    index('items_user').on(table.userId, table.createdAt, table.id),
    index('items_created').on(table.createdAt.asc().nullsFirst(), table.id),
    /** Finds the ids of the keys that sealed access tokens without reading every item. */
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

/** The owner columns of an item's data. `ownedByItem` is their foreign key. */
export const ofOwnItem = () => ({
  userId: uuid('user_id').notNull(),
  itemId: uuid('item_id').notNull(),
})

interface ItemColumns {
  readonly itemId: AnyPgColumn
  readonly userId: AnyPgColumn
}

/** A row is deleted with its item, and cannot refer to the item of another user. The item's key guarantees the user. */
export const ownedByItem = (name: string, table: ItemColumns) =>
  foreignKey({
    name,
    columns: [table.itemId, table.userId],
    foreignColumns: [items.id, items.userId],
  }).onDelete('cascade')

/** The column of data that belong to one item and are deleted with it. */
export const ofItem = () => ({
  itemId: uuid('item_id')
    .notNull()
    .references(() => items.id, { onDelete: 'cascade' }),
})

/** One row for each item and product, the unit of sync. It is dirty while `dirty_seq > synced_seq`. */
export const itemProducts = pgTable(
  'item_products',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnItem(),
    product: text().notNull(),
    status: text().notNull().default('pending'),
    /**
     * Where the next read starts; null before the first. Only a cursor from a page with `has_more: false` is stored
     * here.
     */
    cursor: text(),
    dirtySeq: bigint('dirty_seq', { mode: 'number' }).notNull().default(1),
    syncedSeq: bigint('synced_seq', { mode: 'number' }).notNull().default(0),
    leaseOwner: uuid('lease_owner'),
    leaseExpiresAt: timestamp('lease_expires_at', { withTimezone: true, precision: 3 }),
    /** The sweep skips the row until this time. */
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /**
     * While a sync message is in the queue, the time by which it must have arrived. Cleared by the consumer of the
     * message.
     */
    wokenUntil: timestamp('woken_until', { withTimezone: true, precision: 3 }),
    /** Consecutive failures. */
    attempts: integer().notNull().default(0),
    /** How many consecutive times Plaid refused the product for this item: not offered, or consent missing. */
    refusals: smallint().notNull().default(0),
    lastSyncedAt: timestamp('last_synced_at', { withTimezone: true, precision: 3 }),
    lastError: text('last_error'),
    historyStatus: text('history_status'),
    /**
     * Whether the state of its item ends background reads of this product. Maintained by triggers, so that the sweep's
     * indexes contain what it can read and nothing else.
     */
    isStopped: boolean('is_stopped').notNull().default(false),
  },
  (table) => [
    unique('item_products_product').on(table.itemId, table.product),
    ownedByItem('item_products_owner', table),
    index('item_products_running_due')
      .on(table.nextAttemptAt)
      .where(sql`dirty_seq > synced_seq and not is_stopped`),
    index('item_products_running_stale')
      .on(table.product, table.lastSyncedAt)
      .where(sql`not is_stopped`),
    index('item_products_user').on(table.userId, table.itemId),
  ],
)
