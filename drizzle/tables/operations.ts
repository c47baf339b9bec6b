// What happened: every sync run, every verified webhook, every message that could not be delivered.
import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { itemProducts, items, ofItem, ofOwnItem, ownedByItem } from './items.ts'
import { ofUser, users } from './users.ts'

export const syncRuns = pgTable(
  'sync_runs',
  {
    id: uuid().primaryKey(),
    ...ofUser(),
    ...ofItem(),
    itemProductId: uuid('item_product_id')
      .notNull()
      .references(() => itemProducts.id, { onDelete: 'cascade' }),
    product: text().notNull(),
    trigger: text().notNull(),
    outcome: text().notNull(),
    errorCode: text('error_code'),
    pages: integer().notNull().default(0),
    restarts: integer().notNull().default(0),
    upserted: integer().notNull().default(0),
    removed: integer().notNull().default(0),
    /** Rows of the product that are set aside after the run. */
    setAside: integer('set_aside').notNull().default(0),
    plaidRequestIds: text('plaid_request_ids').array().notNull(),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }).notNull(),
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    index('sync_runs_user').on(table.userId, table.startedAt, table.id),
    index('sync_runs_item').on(table.itemId, table.startedAt, table.id),
    index('sync_runs_item_product').on(table.itemProductId),
    index('sync_runs_started').on(table.startedAt.asc().nullsFirst(), table.id),
  ],
)

/** Rows of Plaid's answers that could not be read (src/plaid/rows.ts) or name an account that is not known. */
export const setAsideRows = pgTable(
  'set_aside_rows',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnItem(),
    product: text().notNull(),
    kind: text().notNull(),
    /** Plaid's id of the row; a digest of the row where it has none that can be read. */
    rowKey: text('row_key').notNull(),
    plaidAccountId: text('plaid_account_id'),
    /** Fields and what is wrong with them, never values. */
    problems: text().array().notNull(),
    /** The row as Plaid sent it, with exact numbers; null where it is too large. */
    payload: jsonb(),
    /** The run that read it last. */
    runId: uuid('run_id').notNull(),
    firstSeenAt: timestamp('first_seen_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    lastSeenAt: timestamp('last_seen_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    ownedByItem('set_aside_rows_owner', table),
    unique('set_aside_rows_row').on(table.itemId, table.product, table.kind, table.rowKey),
    index('set_aside_rows_user').on(table.userId),
    index('set_aside_rows_first_seen').on(table.firstSeenAt, table.id),
  ],
)

export const webhookEvents = pgTable(
  'webhook_events',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** One signed delivery (src/webhooks/verify.ts): a second row of the same key is a replay. */
    replayKey: text('replay_key').notNull().unique('webhook_events_replay_key'),
    scheme: text().notNull(),
    webhookType: text('webhook_type').notNull(),
    webhookCode: text('webhook_code').notNull(),
    plaidItemId: text('plaid_item_id'),
    itemId: uuid('item_id').references(() => items.id, { onDelete: 'cascade' }),
    userId: uuid('user_id').references(() => users.id),
    /** The body without its tokens. */
    payload: jsonb().notNull(),
    receivedAt: timestamp('received_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    index('webhook_events_item').on(table.plaidItemId, table.receivedAt, table.id),
    index('webhook_events_linked_item').on(table.itemId),
    index('webhook_events_user').on(table.userId),
    index('webhook_events_received').on(table.receivedAt, table.id),
  ],
)

/** Plaid's public keys for webhooks, shared by all isolates. */
export const webhookKeys = pgTable('webhook_keys', {
  kid: text().primaryKey(),
  jwk: jsonb().notNull(),
  fetchedAt: timestamp('fetched_at', { withTimezone: true, precision: 3 }).notNull(),
})

/** Verified webhooks about items and Link sessions that are not known here: counted, not kept. */
export const unmatchedWebhooks = pgTable(
  'unmatched_webhooks',
  {
    day: date().notNull(),
    webhookType: text('webhook_type').notNull(),
    count: bigint({ mode: 'number' }).notNull().default(0),
  },
  (table) => [primaryKey({ name: 'unmatched_webhooks_counter', columns: [table.day, table.webhookType] })],
)

export const deadLetters = pgTable(
  'dead_letters',
  {
    id: uuid().primaryKey().defaultRandom(),
    queue: text().notNull(),
    messageId: text('message_id').notNull(),
    itemProductId: uuid('item_product_id'),
    reason: text().notNull(),
    /** Ids only. */
    payload: jsonb().notNull(),
    /** When it was last played again, and how often. */
    replayedAt: timestamp('replayed_at', { withTimezone: true, precision: 3 }),
    replays: integer().notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    unique('dead_letters_message').on(table.queue, table.messageId),
    index('dead_letters_item_product').on(table.itemProductId),
    index('dead_letters_created').on(table.createdAt, table.id),
  ],
)

/** Calls of Plaid's API, counted by day, endpoint and outcome; in slots, so that counting does not queue up at one row. */
export const plaidUsage = pgTable(
  'plaid_usage',
  {
    day: date({ mode: 'string' }).notNull(),
    endpoint: text().notNull(),
    /** `ok`, or Plaid's error code. */
    outcome: text().notNull(),
    slot: smallint().notNull(),
    calls: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'plaid_usage_counter', columns: [table.day, table.endpoint, table.outcome, table.slot] }),
  ],
)

/**
 * What stops dangerous work, by name; an operator changes a state by SQL. `orphan_removal`: how far items at Plaid that no
 * row here knows are removed · `item_loss`: whether items may still turn into lost ones.
 */
export const safetySwitches = pgTable(
  'safety_switches',
  {
    name: text().primaryKey(),
    state: text().notNull(),
    changedAt: timestamp('changed_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** The UTC day that `count` belongs to, where a daily limit is counted. */
    countedOn: date('counted_on', { mode: 'string' }),
    count: integer().notNull().default(0),
    /** The last UTC day with an alarm, so that there is one a day. */
    alarmedOn: date('alarmed_on', { mode: 'string' }),
  },
  () => [
    check(
      'safety_switches_state',
      sql`name = 'orphan_removal' and state in ('off', 'report', 'end') or name = 'item_loss' and state in ('armed', 'tripped', 'off')`,
    ),
  ],
)
