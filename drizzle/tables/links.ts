// Link sessions, exchanges of public tokens, and items that must be removed at Plaid. Rows are written before Plaid is
// called, so that no effect of a call is lost.
import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { ofUser } from './users.ts'

/** Link tokens and their users. */
export const linkSessions = pgTable(
  'link_sessions',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    /** SHA-256 of the link token, in hexadecimal. */
    tokenDigest: text('token_digest').notNull().unique('link_sessions_token'),
    /** The sealed link token of a hosted session, with which Plaid is asked for the session's results. */
    tokenSealed: text('token_sealed'),
    /** The item that the session repairs in update mode; null for a new one. */
    itemId: uuid('item_id'),
    /**
     * Plaid's id of the user, if the link token contained it. Plaid then lists the items that were linked with the
     * token.
     */
    plaidUserId: text('plaid_user_id'),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** When Plaid is next asked for the session's results; null for never. */
    checkAt: timestamp('check_at', { withTimezone: true, precision: 3 }),
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    index('link_sessions_user').on(table.userId),
    index('link_sessions_of_item').on(table.itemId, table.createdAt, table.id),
    index('link_sessions_expires').on(table.expiresAt),
    index('link_sessions_check')
      .on(table.checkAt)
      .where(sql`check_at is not null`),
  ],
)

/**
 * Exchanges of public tokens. `started`: Plaid was called, and its response may have been lost · `exchanged`: the
 * access token is stored, sealed · `linked`, `duplicate`: done, `item_id` is the item · `refused`: Plaid refused the
 * token · `given_back`: removed at Plaid, because it could not be stored · `lost`: there was no response, and Plaid's
 * list was searched for the item.
 */
export const linkExchanges = pgTable(
  'link_exchanges',
  {
    /** Also the id of the resulting item, to which its token is sealed. */
    id: uuid().primaryKey(),
    ...ofUser(),
    /** SHA-256 of the public token, in hexadecimal. A public token is exchanged only once. */
    publicTokenDigest: text('public_token_digest').notNull().unique('link_exchanges_public_token'),
    state: text().notNull().default('started'),
    allowDuplicate: boolean('allow_duplicate').notNull(),
    /** Plaid's id of the user whose list must contain the item; null if the link token contained none. */
    plaidUserId: text('plaid_user_id'),
    plaidItemId: text('plaid_item_id'),
    accessTokenSealed: text('access_token_sealed'),
    /** The item that was created, or that this one duplicates. */
    itemId: uuid('item_id'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    attempts: integer().notNull().default(0),
    /** When the exchange is resumed, unless it is done. */
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull(),
    /** Why the reconciler's last attempt failed: Plaid's error code, or one of this project. */
    lastError: text('last_error'),
  },
  (table) => [
    index('link_exchanges_user').on(table.userId, table.state),
    index('link_exchanges_of_item').on(table.itemId, table.createdAt, table.id),
    index('link_exchanges_updated').on(table.updatedAt),
    index('link_exchanges_due')
      .on(table.nextAttemptAt)
      .where(sql`state in ('started', 'exchanged')`),
    index('link_exchanges_plaid_item').on(table.plaidItemId),
    index('link_exchanges_open')
      .on(table.createdAt, table.id)
      .where(sql`state in ('started', 'exchanged')`),
  ],
)

/** Items to remove at Plaid. Plaid bills each until it has confirmed the removal. */
export const plaidRemovals = pgTable(
  'plaid_removals',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    plaidItemId: text('plaid_item_id').notNull(),
    /** The item id to which the token is sealed. */
    itemId: uuid('item_id'),
    /** Null for an item whose token was lost: it is removed with Plaid's id of the user. */
    accessTokenSealed: text('access_token_sealed'),
    /**
     * `removed` by the user, `revoked` at the bank, `duplicate`, `replaced` by a new link, `not_stored`, `token_lost`,
     * `orphan`.
     */
    reason: text().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    attempts: integer().notNull().default(0),
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    lastError: text('last_error'),
  },
  (table) => [
    unique('plaid_removals_plaid_item').on(table.plaidItemId),
    index('plaid_removals_user').on(table.userId),
    index('plaid_removals_due').on(table.nextAttemptAt),
    index('plaid_removals_created').on(table.createdAt, table.id),
    index('plaid_removals_reason').on(table.reason, table.createdAt, table.id),
  ],
)
