// What a person decided about their data, and what is left of those who had them erased.
import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { ofUser, users } from './users.ts'

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

/**
 * Erasures: in progress while `completed_at` is null. Later the row is the tombstone of a person: it names no person, and
 * keeps tokens from before the erasure, and a restored backup, from bringing the person back.
 */
export const erasures = pgTable(
  'erasures',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** Null once the user is deleted. */
    userId: uuid('user_id').references(() => users.id),
    /** SHA-256 of issuer and subject, in hexadecimal. */
    subjectHash: text('subject_hash').notNull(),
    requestedAt: timestamp('requested_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** Table → how many rows were deleted so far. */
    deleted: jsonb().notNull().default({}),
    plaidUserRemoved: boolean('plaid_user_removed').notNull().default(false),
    attempts: integer().notNull().default(0),
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    completedAt: timestamp('completed_at', { withTimezone: true, precision: 3 }),
    /** The signed certificate. */
    certificate: text(),
    /** When the bucket of backups had the tombstone; null until then. */
    copiedAt: timestamp('copied_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    unique('erasures_user').on(table.userId),
    index('erasures_subject').on(table.subjectHash, table.requestedAt),
    index('erasures_due')
      .on(table.nextAttemptAt)
      .where(sql`completed_at is null`),
    index('erasures_uncopied')
      .on(table.requestedAt)
      .where(sql`copied_at is null`),
  ],
)
