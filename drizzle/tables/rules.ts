// Rules of a user: which new transactions get a category, or are hidden.
import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  numeric,
  pgTable,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { users } from './users.ts'

export const rules = pgTable(
  'rules',
  {
    id: uuid().primaryKey().defaultRandom(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The order; of equal ones, the id decides. */
    position: integer().notNull(),
    /** Text in the name or the merchant. */
    contains: text(),
    minAmount: numeric('min_amount'),
    maxAmount: numeric('max_amount'),
    accountId: uuid('account_id'),
    userCategory: text('user_category'),
    hidden: boolean().notNull().default(false),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    index('rules_user').on(table.userId, table.position, table.id),
    index('rules_account').on(table.accountId),
    // A rule about one account ends with it, and cannot name an account of another user.
    foreignKey({
      name: 'rules_account_owner',
      columns: [table.accountId, table.userId],
      foreignColumns: [accounts.id, accounts.userId],
    }).onDelete('cascade'),
    check('rules_text', sql`char_length(contains) between 1 and 200 and char_length(user_category) between 1 and 100`),
    check('rules_condition', sql`num_nonnulls(contains, min_amount, max_amount, account_id) > 0`),
    check('rules_action', sql`user_category is not null or hidden`),
  ],
)
