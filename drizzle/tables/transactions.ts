// Transactions as the bank reports them, the user's edits of them, and staged pages of a long sync.
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

/** The columns from Plaid, the same in `transactions` and `sync_staging`. */
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
  /** The taxonomy of the two category names: `v1` or `v2`; null if Plaid did not report it. */
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
    /** The rule that gave the category, or no rule's id if the user decided; null for none (src/db/records/rule-matching.ts). */
    categoryBy: uuid('category_by'),
    /** The same for `hidden`. */
    hiddenBy: uuid('hidden_by'),
    /** The item's `link_epoch` when Plaid last reported the transaction. */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    /** The number of the row's newest change in the user's change feed. */
    changeSeq: bigint('change_seq', { mode: 'number' }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** Set when the bank removed the transaction. The row stays for the change feed and for its edits. */
    removedAt: timestamp('removed_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    ownedByAccount('transactions_owner', table),
    unique('transactions_plaid_transaction').on(table.itemId, table.plaidTransactionId),
    index('transactions_user_date')
      .on(table.userId, table.date, table.id)
      .where(sql`removed_at is null`),
    // Also used to delete an account, so it includes removed rows.
    index('transactions_account_date').on(table.accountId, table.date, table.id),
    index('transactions_changes').on(table.userId, table.changeSeq),
  ],
)

/** The removal of a deleted transaction, for clients of the change feed that have not read it yet. */
export const transactionTombstones = pgTable(
  'transaction_tombstones',
  {
    ...ofUser(),
    changeSeq: bigint('change_seq', { mode: 'number' }).notNull(),
    transactionId: uuid('transaction_id').notNull(),
    /** Whether the transaction was listed until it became older than the retention period. */
    expired: boolean().notNull().default(false),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: 'transaction_tombstones_change', columns: [table.userId, table.changeSeq] }),
    index('transaction_tombstones_created').on(table.createdAt),
  ],
)

/**
 * Pages of a sync that is too long for memory, until its commit. A logged table, because Neon empties unlogged tables
 * at each restart.
 */
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

/** Recurring inflows and outflows, as Plaid detects them. */
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
    /** Plaid's status: MATURE, EARLY_DETECTION, TOMBSTONED, … */
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
