// The change feed of everything but transactions, which have their numbers in their own rows (./transactions.ts).
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { users } from './users.ts'

/**
 * The newest change of each row of `items`, `accounts`, `holdings`, `investment_transactions`, `liabilities` and
 * `recurring_streams` that the API shows. Written by triggers alone. Whether a row was removed is not stored: then the API
 * does not show it. Old rows are deleted; `users.feed_from` says up to which number.
 */
export const changes = pgTable(
  'changes',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    seq: bigint({ mode: 'number' }).notNull(),
    kind: text().notNull(),
    rowId: uuid('row_id').notNull(),
    changedAt: timestamp('changed_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'changes_number', columns: [table.userId, table.seq] }),
    unique('changes_row').on(table.rowId, table.kind),
    index('changes_changed').on(table.changedAt),
    check(
      'changes_kind',
      sql`kind in ('item', 'account', 'holding', 'investment_transaction', 'liability', 'recurring_stream')`,
    ),
  ],
)
