// Investments: securities, holdings and investment transactions.
import { sql } from 'drizzle-orm'
import {
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
import { ofAccount, ofOwnAccount, ownedByAccount } from './accounts.ts'
import { ofUser } from './users.ts'

const currency = () => ({
  isoCurrencyCode: text('iso_currency_code'),
  unofficialCurrencyCode: text('unofficial_currency_code'),
})

export const securities = pgTable(
  'securities',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    plaidSecurityId: text('plaid_security_id').notNull(),
    name: text(),
    tickerSymbol: text('ticker_symbol'),
    type: text(),
    isCashEquivalent: boolean('is_cash_equivalent'),
    closePrice: numeric('close_price'),
    closePriceAsOf: date('close_price_as_of', { mode: 'string' }),
    ...currency(),
  },
  (table) => [unique('securities_plaid_security').on(table.userId, table.plaidSecurityId)],
)

export const holdings = pgTable(
  'holdings',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnAccount(),
    securityId: uuid('security_id')
      .notNull()
      .references(() => securities.id),
    quantity: numeric().notNull(),
    institutionPrice: numeric('institution_price'),
    institutionPriceAsOf: date('institution_price_as_of', { mode: 'string' }),
    institutionValue: numeric('institution_value').notNull(),
    costBasis: numeric('cost_basis'),
    ...currency(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    ownedByAccount('holdings_owner', table),
    unique('holdings_position').on(table.accountId, table.securityId),
    index('holdings_user').on(table.userId, table.accountId, table.id),
    index('holdings_security').on(table.securityId),
    index('holdings_item').on(table.itemId),
  ],
)

/** The holdings at the end of each day, as last reported on that day. */
export const holdingDays = pgTable(
  'holding_days',
  {
    ...ofAccount(),
    securityId: uuid('security_id')
      .notNull()
      .references(() => securities.id),
    day: date({ mode: 'string' }).notNull(),
    ...ofUser(),
    quantity: numeric().notNull(),
    institutionPrice: numeric('institution_price'),
    institutionValue: numeric('institution_value').notNull(),
    costBasis: numeric('cost_basis'),
    ...currency(),
  },
  (table) => [
    primaryKey({ name: 'holding_days_position', columns: [table.accountId, table.day, table.securityId] }),
    index('holding_days_security').on(table.securityId),
    index('holding_days_user').on(table.userId, table.day),
  ],
)

export const investmentTransactions = pgTable(
  'investment_transactions',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnAccount(),
    securityId: uuid('security_id').references(() => securities.id),
    plaidInvestmentTransactionId: text('plaid_investment_transaction_id').notNull(),
    date: date({ mode: 'string' }).notNull(),
    name: text().notNull(),
    quantity: numeric().notNull(),
    amount: numeric().notNull(),
    price: numeric(),
    fees: numeric(),
    type: text().notNull(),
    subtype: text().notNull(),
    ...currency(),
    /** The item's `link_epoch` when Plaid last reported the transaction. */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    removedAt: timestamp('removed_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    ownedByAccount('investment_transactions_owner', table),
    unique('investment_transactions_plaid_id').on(table.itemId, table.plaidInvestmentTransactionId),
    index('investment_transactions_user_date')
      .on(table.userId, table.date, table.id)
      .where(sql`removed_at is null`),
    index('investment_transactions_account_date').on(table.accountId, table.date, table.id),
    index('investment_transactions_security').on(table.securityId),
  ],
)

/** Pages of a window that is too long for memory, until its commit. A logged table, like `sync_staging`. */
export const investmentStaging = pgTable(
  'investment_staging',
  {
    runId: uuid('run_id').notNull(),
    userId: uuid('user_id').notNull(),
    seq: integer().notNull(),
    plaidInvestmentTransactionId: text('plaid_investment_transaction_id').notNull(),
    plaidAccountId: text('plaid_account_id').notNull(),
    plaidSecurityId: text('plaid_security_id'),
    date: date({ mode: 'string' }).notNull(),
    name: text().notNull(),
    quantity: numeric().notNull(),
    amount: numeric().notNull(),
    price: numeric(),
    fees: numeric(),
    type: text().notNull(),
    subtype: text().notNull(),
    ...currency(),
    stagedAt: timestamp('staged_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ name: 'investment_staging_row', columns: [table.runId, table.seq] })],
)
