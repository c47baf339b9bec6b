// Liabilities: one row for each account, of one of Plaid's three kinds.
import { index, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { ofOwnAccount, ownedByAccount } from './accounts.ts'

export const liabilities = pgTable(
  'liabilities',
  {
    id: uuid().primaryKey().defaultRandom(),
    ...ofOwnAccount(),
    kind: text().notNull(),
    /** Plaid's object of that kind. Every number in it is exact decimal text. */
    details: jsonb().notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    ownedByAccount('liabilities_owner', table),
    unique('liabilities_account').on(table.accountId, table.kind),
    index('liabilities_user').on(table.userId, table.accountId, table.id),
    index('liabilities_item').on(table.itemId),
  ],
)
