// Records of operations: every sync run, every verified webhook, every message that could not be delivered.
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
    /** How many rows of the product are set aside after the run. */
    setAside: integer('set_aside').notNull().default(0),
    plaidRequestIds: text('plaid_request_ids').array().notNull(),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }).notNull(),
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    index('sync_runs_user').on(table.userId, table.startedAt, table.id),
    index('sync_runs_item').on(table.itemId, table.startedAt, table.id),
    index('sync_runs_item_product').on(table.itemProductId),
    /** Finds the run of one of Plaid's requests. */
    index('sync_runs_plaid_requests').using('gin', table.plaidRequestIds),
    index('sync_runs_started').on(table.startedAt.asc().nullsFirst(), table.id),
  ],
)

/** Rows of Plaid's responses that could not be read (src/plaid/rows.ts) or refer to an unknown account. */
export const setAsideRows = pgTable(
  'set_aside_rows',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnItem(),
    product: text().notNull(),
    kind: text().notNull(),
    /** Plaid's id of the row, or a digest of the row if it has no readable id. */
    rowKey: text('row_key').notNull(),
    plaidAccountId: text('plaid_account_id'),
    /** Fields and their errors, without values. */
    problems: text().array().notNull(),
    /** The row as Plaid sent it, with exact numbers; null if it is too large. */
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
    /** Identifies one signed delivery (src/webhooks/verify.ts). A second row with the same key is a replay. */
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
    index('webhook_events_of_item').on(table.itemId, table.receivedAt, table.id),
    index('webhook_events_user').on(table.userId),
    index('webhook_events_newest').on(table.receivedAt.asc().nullsFirst(), table.id),
  ],
)

/** Plaid's public keys for webhooks, shared by all isolates. */
export const webhookKeys = pgTable('webhook_keys', {
  kid: text().primaryKey(),
  jwk: jsonb().notNull(),
  fetchedAt: timestamp('fetched_at', { withTimezone: true, precision: 3 }).notNull(),
})

/** Counts of verified webhooks for unknown items and Link sessions. The webhooks are not stored. */
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
    /** When it was last replayed, and how many times. */
    replayedAt: timestamp('replayed_at', { withTimezone: true, precision: 3 }),
    replays: integer().notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    unique('dead_letters_message').on(table.queue, table.messageId),
    index('dead_letters_of_product').on(table.itemProductId, table.createdAt, table.id),
    index('dead_letters_created').on(table.createdAt, table.id),
  ],
)

/**
 * Calls of Plaid's API, counted by day, endpoint and outcome. Spread over slots, so that concurrent counts do not wait
 * for one row.
 */
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
 * Switches that stop dangerous work, by name. The operator changes a state with SQL. `orphan_removal`: whether and how
 * fast items at Plaid without a row here are removed · `item_loss`: whether items may be marked as lost · `freeze`:
 * whether writes and calls of Plaid are refused.
 */
export const safetySwitches = pgTable(
  'safety_switches',
  {
    name: text().primaryKey(),
    state: text().notNull(),
    changedAt: timestamp('changed_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** The UTC day of `count`, for a daily limit. */
    countedOn: date('counted_on', { mode: 'string' }),
    count: integer().notNull().default(0),
    /** The last UTC day with an alarm, so that there is at most one a day. */
    alarmedOn: date('alarmed_on', { mode: 'string' }),
  },
  () => [
    check(
      'safety_switches_state',
      sql`name = 'orphan_removal' and state in ('off', 'report', 'end') or name = 'item_loss' and state in ('armed', 'tripped', 'off') or name = 'freeze' and state in ('off', 'recovery', 'frozen', 'locked')`,
    ),
  ],
)

/** Backups, and what became of them. A row says nothing about a person. */
export const backups = pgTable(
  'backups',
  {
    /** The time of the snapshot and a random suffix: the name of the folder or of the prefix in the bucket. */
    id: text().primaryKey(),
    /** `bucket` · `command` */
    place: text().notNull(),
    /** `running` · `complete` · `failed` */
    state: text().notNull(),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }).notNull(),
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }),
    rows: bigint({ mode: 'number' }),
    bytes: bigint({ mode: 'number' }),
    /** Why it failed: `time_limit` · `error`; the log has the details. */
    problem: text(),
    /** When an administrator reported that it was restored and compared. */
    verifiedAt: timestamp('verified_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    check('backups_place', sql`place in ('bucket', 'command')`),
    check('backups_state', sql`state in ('running', 'complete', 'failed')`),
    index('backups_started').on(table.startedAt),
  ],
)
