// What a person decided about their data.
import { boolean, integer, pgTable, primaryKey, timestamp } from 'drizzle-orm/pg-core'
import { ofUser } from './users.ts'

/** Every decision of a user, in full; the one with the highest version holds. Without any, src/privacy/purposes.ts does. */
export const consents = pgTable(
  'consents',
  {
    ...ofUser(),
    version: integer().notNull(),
    linkingAndSync: boolean('linking_and_sync').notNull(),
    insights: boolean().notNull(),
    productEmails: boolean('product_emails').notNull(),
    diagnostics: boolean().notNull(),
    decidedAt: timestamp('decided_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ name: 'consents_version', columns: [table.userId, table.version] })],
)
