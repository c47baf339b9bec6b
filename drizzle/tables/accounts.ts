// Bank accounts and their balances, today's and one a day.
import {
  boolean,
  date,
  index,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { ofItem } from './items.ts'
import { ofUser } from './users.ts'

export const accounts = pgTable(
  'accounts',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    ...ofItem(),
    plaidAccountId: text('plaid_account_id').notNull(),
    persistentAccountId: text('persistent_account_id'),
    name: text().notNull(),
    officialName: text('official_name'),
    mask: text(),
    type: text().notNull(),
    subtype: text(),
    currentBalance: numeric('current_balance'),
    availableBalance: numeric('available_balance'),
    creditLimit: numeric('credit_limit'),
    isoCurrencyCode: text('iso_currency_code'),
    unofficialCurrencyCode: text('unofficial_currency_code'),
    balanceAsOf: timestamp('balance_as_of', { withTimezone: true, precision: 3 }),
    closed: boolean().notNull().default(false),
    /** Set when the user took this account back from Plaid; its rows are deleted when the time for removed data has come. */
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
    /** The item's when Plaid last told of the account. */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    unique('accounts_plaid_account').on(table.itemId, table.plaidAccountId),
    index('accounts_user').on(table.userId, table.createdAt, table.id),
  ],
)

/** The column of what belongs to one account, which goes with it. */
export const ofAccount = () => ({
  accountId: uuid('account_id')
    .notNull()
    .references(() => accounts.id, { onDelete: 'cascade' }),
})

export const accountBalances = pgTable(
  'account_balances',
  {
    ...ofAccount(),
    day: date({ mode: 'string' }).notNull(),
    ...ofUser(),
    current: numeric(),
    available: numeric(),
    creditLimit: numeric('credit_limit'),
    isoCurrencyCode: text('iso_currency_code'),
    unofficialCurrencyCode: text('unofficial_currency_code'),
    asOf: timestamp('as_of', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'account_balances_day', columns: [table.accountId, table.day] }),
    index('account_balances_user').on(table.userId),
  ],
)
