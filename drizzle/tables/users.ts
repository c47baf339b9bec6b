// Who owns what: one row for each identity that an issuer vouches for.
import { bigint, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'

export const users = pgTable(
  'users',
  {
    id: uuid().primaryKey().defaultRandom(),
    issuer: text().notNull(),
    subject: text().notNull(),
    /** The number of the newest change to the user's transactions; every commit takes the next ones from here, under this row's lock. */
    changeSeq: bigint('change_seq', { mode: 'number' }).notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [unique('users_identity').on(table.issuer, table.subject)],
)

/** The column of every table with a user's data. */
export const ofUser = () => ({
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id),
})
