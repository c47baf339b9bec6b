// What Link was asked for, what became of it, and what is still to be ended at Plaid. Rows here are intents: written
// before Plaid is called, so that nothing that Plaid did can be forgotten.
import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { ofUser } from './users.ts'

/** Link tokens, and whose they are. */
export const linkSessions = pgTable(
  'link_sessions',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    /** SHA-256 of the link token, in hexadecimal. */
    tokenDigest: text('token_digest').notNull().unique('link_sessions_token'),
    /** The sealed link token, where Plaid has to be asked what became of it: in hosted sessions. */
    tokenSealed: text('token_sealed'),
    /** The item that the session repairs; null for a new one. */
    itemId: uuid('item_id'),
    /** Plaid's id of the user, where the link token carried it: Plaid then lists what is linked with the token for that user. */
    plaidUserId: text('plaid_user_id'),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** When Plaid is asked next what became of the session; null for never. */
    checkAt: timestamp('check_at', { withTimezone: true, precision: 3 }),
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    index('link_sessions_user').on(table.userId),
    index('link_sessions_item').on(table.itemId),
    index('link_sessions_check')
      .on(table.checkAt)
      .where(sql`check_at is not null`),
  ],
)

/**
 * Exchanges of public tokens. `started`: Plaid is being asked, and the answer may have been lost · `exchanged`: the
 * access token is here, sealed · `linked`, `duplicate`: done, `item_id` says with what · `refused`: Plaid said no ·
 * `given_back`: ended at Plaid, for it could not be stored · `lost`: no answer, and Plaid was asked what is left over.
 */
export const linkExchanges = pgTable(
  'link_exchanges',
  {
    /** Also the id of the item that comes of it, and what its token is sealed for. */
    id: uuid().primaryKey(),
    ...ofUser(),
    /** SHA-256 of the public token, in hexadecimal: a public token is exchanged once. */
    publicTokenDigest: text('public_token_digest').notNull().unique('link_exchanges_public_token'),
    state: text().notNull().default('started'),
    allowDuplicate: boolean('allow_duplicate').notNull(),
    /** Plaid's id of the user whose list must name the item; null where the link token carried none. */
    plaidUserId: text('plaid_user_id'),
    plaidItemId: text('plaid_item_id'),
    accessTokenSealed: text('access_token_sealed'),
    /** The item that it became, or that it duplicates. */
    itemId: uuid('item_id'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    attempts: integer().notNull().default(0),
    /** When it is gone on with, unless it is done. */
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    index('link_exchanges_user').on(table.userId, table.state),
    index('link_exchanges_item').on(table.itemId),
    index('link_exchanges_due')
      .on(table.nextAttemptAt)
      .where(sql`state in ('started', 'exchanged')`),
    index('link_exchanges_plaid_item').on(table.plaidItemId),
  ],
)

/** Items to remove at Plaid. Each is billed until Plaid has confirmed its removal. */
export const plaidRemovals = pgTable(
  'plaid_removals',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    plaidItemId: text('plaid_item_id').notNull(),
    /** What the token was sealed for. */
    itemId: uuid('item_id'),
    /** Null for an item whose token was lost: it is ended by Plaid's id of the user. */
    accessTokenSealed: text('access_token_sealed'),
    /** `removed` by the user, `revoked` at the bank, `duplicate`, `replaced` by a new link, `not_stored`, `token_lost`, `orphan`. */
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
  ],
)
