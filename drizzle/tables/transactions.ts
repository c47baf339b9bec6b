// Transactions as the bank tells them, with the user's own edits beside them, and the pages of a long sync on their way in.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  date,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { ofOwnAccount, ownedByAccount } from './accounts.ts'
import { ofUser } from './users.ts'

/** What comes from Plaid: the same columns in `transactions` and `sync_staging`. */
const plaidColumns = () => ({
  pendingTransactionId: text('pending_transaction_id'),
  date: date({ mode: 'string' }),
  authorizedDate: date('authorized_date', { mode: 'string' }),
  amount: numeric(),
  isoCurrencyCode: text('iso_currency_code'),
  unofficialCurrencyCode: text('unofficial_currency_code'),
  name: text(),
  merchantName: text('merchant_name'),
  merchantLogoUrl: text('merchant_logo_url'),
  merchantWebsite: text('merchant_website'),
  categoryPrimary: text('category_primary'),
  categoryDetailed: text('category_detailed'),
  categoryConfidence: text('category_confidence'),
  /** The taxonomy of the two names before: `v1` or `v2`; null where Plaid did not say. */
  categoryVersion: text('category_version'),
  pending: boolean(),
  paymentChannel: text('payment_channel'),
})

export const transactions = pgTable(
  'transactions',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnAccount(),
    plaidTransactionId: text('plaid_transaction_id').notNull(),
    ...plaidColumns(),
    date: date({ mode: 'string' }).notNull(),
    amount: numeric().notNull(),
    name: text().notNull(),
    pending: boolean().notNull(),
    note: text(),
    userCategory: text('user_category'),
    hidden: boolean().notNull().default(false),
    /** The item's when Plaid last told of the transaction. */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    /** The number of the row's newest change in the user's change feed. */
    changeSeq: bigint('change_seq', { mode: 'number' }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** Set when the bank took the transaction back; the row stays for the change feed and for its edits. */
    removedAt: timestamp('removed_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    ownedByAccount('transactions_owner', table),
    unique('transactions_plaid_transaction').on(table.itemId, table.plaidTransactionId),
    index('transactions_user_date')
      .on(table.userId, table.date, table.id)
      .where(sql`removed_at is null`),
    // Also for the deletion of an account, so it holds removed rows too.
    index('transactions_account_date').on(table.accountId, table.date, table.id),
    index('transactions_changes').on(table.userId, table.changeSeq),
  ],
)

/** What is left of a deleted transaction: its removal, for readers of the change feed who have not seen it yet. */
export const transactionTombstones = pgTable(
  'transaction_tombstones',
  {
    ...ofUser(),
    changeSeq: bigint('change_seq', { mode: 'number' }).notNull(),
    transactionId: uuid('transaction_id').notNull(),
  },
  (table) => [primaryKey({ name: 'transaction_tombstones_change', columns: [table.userId, table.changeSeq] })],
)

/** Pages of a sync that is too long for memory, until its commit. Logged, since Neon empties unlogged tables at each restart. */
export const syncStaging = pgTable(
  'sync_staging',
  {
    runId: uuid('run_id').notNull(),
    userId: uuid('user_id').notNull(),
    seq: integer().notNull(),
    removed: boolean().notNull(),
    plaidTransactionId: text('plaid_transaction_id').notNull(),
    plaidAccountId: text('plaid_account_id'),
    ...plaidColumns(),
    stagedAt: timestamp('staged_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ name: 'sync_staging_row', columns: [table.runId, table.seq] })],
)

/** What comes and goes at regular times, as Plaid sees it. */
export const recurringStreams = pgTable(
  'recurring_streams',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnAccount(),
    plaidStreamId: text('plaid_stream_id').notNull(),
    /** `inflow` or `outflow`. */
    direction: text().notNull(),
    description: text().notNull(),
    merchantName: text('merchant_name'),
    categoryPrimary: text('category_primary'),
    categoryDetailed: text('category_detailed'),
    firstDate: date('first_date', { mode: 'string' }).notNull(),
    lastDate: date('last_date', { mode: 'string' }).notNull(),
    predictedNextDate: date('predicted_next_date', { mode: 'string' }),
    frequency: text().notNull(),
    averageAmount: numeric('average_amount'),
    lastAmount: numeric('last_amount'),
    isoCurrencyCode: text('iso_currency_code'),
    unofficialCurrencyCode: text('unofficial_currency_code'),
    isActive: boolean('is_active').notNull(),
    /** Plaid's: MATURE, EARLY_DETECTION, TOMBSTONED, … */
    status: text().notNull(),
    /** Plaid's ids, in Plaid's order. */
    plaidTransactionIds: text('plaid_transaction_ids').array().notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    ownedByAccount('recurring_streams_owner', table),
    index('recurring_streams_account').on(table.accountId),
    unique('recurring_streams_plaid_stream').on(table.itemId, table.plaidStreamId),
    index('recurring_streams_user').on(table.userId, table.lastDate, table.id),
  ],
)
