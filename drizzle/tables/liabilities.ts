// What is owed: one row an account, of one of Plaid's three kinds.
import { index, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { ofAccount } from './accounts.ts'
import { ofItem } from './items.ts'
import { ofUser } from './users.ts'

export const liabilities = pgTable(
  'liabilities',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofUser(),
    ...ofItem(),
    ...ofAccount(),
    kind: text().notNull(),
    /** Plaid's object of that kind; every number in it is exact decimal text. */
    details: jsonb().notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    unique('liabilities_account').on(table.accountId, table.kind),
    index('liabilities_user').on(table.userId, table.id),
    index('liabilities_item').on(table.itemId),
  ],
)
