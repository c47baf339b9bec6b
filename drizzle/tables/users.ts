// Users: one row for each identity of an issuer.
import { sql } from 'drizzle-orm'
import { bigint, date, index, integer, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'

export const users = pgTable(
  'users',
  {
    id: uuid().primaryKey().defaultRandom(),
    issuer: text().notNull(),
    subject: text().notNull(),
    /**
     * The number of the newest change to anything that the API shows to the user. Every writer takes the next numbers from
     * here, under this row's lock, so they become visible in order.
     */
    changeSeq: bigint('change_seq', { mode: 'number' }).notNull().default(0),
    /**
     * Removals before this number are no longer in the change feed. A client that has not read up to here must start
     * again.
     */
    changesFrom: bigint('changes_from', { mode: 'number' }).notNull().default(0),
    /** The same for the feed of everything, `changes`. */
    feedFrom: bigint('feed_from', { mode: 'number' }).notNull().default(0),
    /** Another number after a restore, and for another user: cursors of the feed that name a different one have expired. */
    feedEpoch: integer('feed_epoch')
      .notNull()
      .default(sql`floor(random() * 2147483647)::integer`),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** Plaid's id of the user, with which Plaid lists the user's items, including those that were lost here. */
    plaidUserId: text('plaid_user_id'),
    /** When Plaid's list of the user's items was last compared with this database. */
    plaidItemsCheckedAt: timestamp('plaid_items_checked_at', { withTimezone: true, precision: 3 }),
    /** Tokens issued before are refused; `infinity` while the user is erased; null for a user who never was. */
    tokensValidFrom: timestamp('tokens_valid_from', { withTimezone: true, precision: 3 }),
    /** Purposes that the user does not allow, as the newest row of `consents` says. */
    notAllowed: text('not_allowed')
      .array()
      .notNull()
      .default(sql`'{}'`),
  },
  (table) => [
    unique('users_identity').on(table.issuer, table.subject),
    index('users_plaid_items_checked')
      .on(table.plaidItemsCheckedAt)
      .where(sql`plaid_user_id is not null`),
  ],
)

/**
 * The last UTC day on which each user came. Not a column of `users`, whose row each commit of a sync holds: a visit waits
 * for none of them.
 */
export const userVisits = pgTable(
  'user_visits',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    seenOn: date('seen_on').notNull(),
    /** When the user was notified of the erasure; null after a visit. */
    noticedAt: timestamp('noticed_at', { withTimezone: true, precision: 3 }),
    /** The UTC day of the newest billed calls that the user caused, and their number: also of items that are gone. */
    paidCallsOn: date('paid_calls_on', { mode: 'string' }),
    paidCalls: integer('paid_calls').notNull().default(0),
    /** Until when a client may have a socket of live changes open; null if none ever had. */
    liveUntil: timestamp('live_until', { withTimezone: true, precision: 3 }),
  },
  (table) => [index('user_visits_seen').on(table.seenOn)],
)

/** The column of every table with a user's data. */
export const ofUser = () => ({
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id),
})
