// Events for applications: where they are sent, and each delivery, which is also the outbox: it is written in the
// transaction of the change.
import { sql } from 'drizzle-orm'
import { check, index, integer, jsonb, pgTable, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { applications } from './applications.ts'
import { users } from './users.ts'

/** `unverified`: has not answered the challenge · `enabled` · `disabled`: gets nothing until it is enabled again */
const states = `'unverified', 'enabled', 'disabled'`

export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** Whose events it gets. Without a user and an application, those of every user. */
    userId: uuid('user_id').references(() => users.id),
    /** The application whose users' events it gets. */
    applicationId: uuid('application_id').references(() => applications.id, { onDelete: 'cascade' }),
    url: text().notNull(),
    /** The types of events that it gets; null for all. */
    events: text().array(),
    state: text().notNull().default('unverified'),
    /** Why it is disabled: `requested`, `gone` (410), `failing`, `behind`, `unsafe` or `no_key`. */
    disabledReason: text('disabled_reason'),
    /** The sealed secret that signs its deliveries (src/custody/webhook-secret.ts). */
    secretSealed: text('secret_sealed').notNull(),
    /** The secret before the last rotation; it also signs until `previous_until`. */
    previousSealed: text('previous_sealed'),
    previousUntil: timestamp('previous_until', { withTimezone: true, precision: 3 }),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** Consecutive failed attempts, and since when. */
    failures: integer().notNull().default(0),
    failingSince: timestamp('failing_since', { withTimezone: true, precision: 3 }),
    /** No delivery is attempted before; each failure postpones it. */
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    leaseOwner: uuid('lease_owner'),
    leaseExpiresAt: timestamp('lease_expires_at', { withTimezone: true, precision: 3 }),
    /** While a message for the endpoint is in the queue, the time by which it must have arrived. */
    wokenUntil: timestamp('woken_until', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    index('webhook_endpoints_user').on(table.userId, table.createdAt, table.id),
    index('webhook_endpoints_application').on(table.applicationId, table.createdAt, table.id),
    index('webhook_endpoints_everyone')
      .on(table.createdAt, table.id)
      .where(sql`user_id is null and application_id is null`),
    index('webhook_endpoints_due')
      .on(table.nextAttemptAt)
      .where(sql`state = 'enabled'`),
    check('webhook_endpoints_state', sql.raw(`state in (${states})`)),
  ],
)

export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** `webhook-id`: the same for all endpoints, attempts and replays of the event. */
    eventId: uuid('event_id').notNull(),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => webhookEndpoints.id, { onDelete: 'cascade' }),
    /** The user who owns the endpoint; null for those of applications and administrators. */
    ownerId: uuid('owner_id').references(() => users.id),
    /** The application that owns the endpoint. The row is deleted with the endpoint. */
    applicationId: uuid('application_id'),
    /** Whose event it is; null where the user was erased, and for a test. */
    userId: uuid('user_id').references(() => users.id),
    type: text().notNull(),
    /** The item, which may be deleted. */
    itemId: uuid('item_id'),
    /** Ids, numbers and names of states (src/events/types.ts). */
    data: jsonb().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** `pending` · `delivered` · `failed`: not attempted again unless it is replayed */
    state: text().notNull().default('pending'),
    attempts: integer().notNull().default(0),
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** After this time a failed attempt is the last. */
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 })
      .notNull()
      .default(sql`now() + interval '3 days'`),
    lastAttemptAt: timestamp('last_attempt_at', { withTimezone: true, precision: 3 }),
    /** The HTTP status of the last attempt; null without a response. */
    lastStatus: smallint('last_status'),
    lastDurationMs: integer('last_duration_ms'),
    lastError: text('last_error'),
    /** The latest attempts, oldest first: `{at, status, duration_ms, error}`. */
    history: jsonb()
      .notNull()
      .default(sql`'[]'`),
  },
  (table) => [
    index('webhook_deliveries_endpoint').on(table.endpointId, table.createdAt, table.id),
    index('webhook_deliveries_owner').on(table.ownerId, table.createdAt, table.id),
    index('webhook_deliveries_application')
      .on(table.applicationId, table.createdAt, table.id)
      .where(sql`application_id is not null`),
    index('webhook_deliveries_everyone')
      .on(table.createdAt, table.id)
      .where(sql`owner_id is null and application_id is null`),
    index('webhook_deliveries_user').on(table.userId),
    index('webhook_deliveries_created').on(table.createdAt.asc().nullsFirst(), table.id),
    index('webhook_deliveries_due')
      .on(table.endpointId, table.nextAttemptAt)
      .where(sql`state = 'pending'`),
    check('webhook_deliveries_state', sql`state in ('pending', 'delivered', 'failed')`),
  ],
)
