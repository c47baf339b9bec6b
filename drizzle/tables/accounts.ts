// Bank accounts and their balances: the current ones and one a day.
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  boolean,
  check,
  date,
  foreignKey,
  index,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { ofOwnItem, ownedByItem } from './items.ts'
import { ofUser } from './users.ts'

export const accounts = pgTable(
  'accounts',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnItem(),
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
    /** The user's name for the account; null for the institution's. */
    ownName: text('own_name'),
    /** Whether the user left the account and its rows out of lists. */
    hidden: boolean().notNull().default(false),
    /** Whether the account counts in sums. */
    inInsights: boolean('in_insights').notNull().default(true),
    /**
     * Set when the user revoked the consent to this account. Its rows are deleted when the retention time of removed
     * data ends.
     */
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
    /** The item's `link_epoch` when Plaid last reported the account. */
    linkEpoch: smallint('link_epoch').notNull().default(0),
    /** The user's account that this one duplicates or may duplicate; null if there is none. */
    duplicateOf: uuid('duplicate_of').references((): AnyPgColumn => accounts.id, { onDelete: 'set null' }),
    /**
     * `possible`: it may duplicate the other one, and the user has not decided · `same`: it is the same account,
     * reported by two items · `kept`: the user decided that it is a different account. Null if it was never compared
     * successfully.
     */
    duplicateState: text('duplicate_state'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    unique('accounts_plaid_account').on(table.itemId, table.plaidAccountId),
    unique('accounts_owner').on(table.id, table.itemId, table.userId),
    // What belongs to one account of a user wherever the account moves refers to it.
    uniqueIndex('accounts_of_user').on(table.id, table.userId),
    ownedByItem('accounts_item_owner', table),
    index('accounts_revoked')
      .on(table.revokedAt)
      .where(sql`revoked_at is not null`),
    index('accounts_user').on(table.userId, table.createdAt, table.id),
    index('accounts_duplicate').on(table.duplicateOf),
    check('accounts_duplicate_state', sql`duplicate_state in ('possible', 'same', 'kept')`),
  ],
)

/** The owner columns of an account's data. `ownedByAccount` is their foreign key. */
export const ofOwnAccount = () => ({
  ...ofOwnItem(),
  accountId: uuid('account_id').notNull(),
})

interface AccountColumns {
  readonly accountId: AnyPgColumn
  readonly itemId: AnyPgColumn
  readonly userId: AnyPgColumn
}

/**
 * A row is deleted with its account, and cannot refer to an account of another item or user. One check a row is enough:
 * the account's key guarantees the item, and the item's key the user.
 */
export const ownedByAccount = (name: string, table: AccountColumns) =>
  foreignKey({
    name,
    columns: [table.accountId, table.itemId, table.userId],
    foreignColumns: [accounts.id, accounts.itemId, accounts.userId],
  }).onDelete('cascade')

/** The column of data that belong to one account and are deleted with it. */
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
