// Expired rows of built-in accounts: sessions, codes in e-mails, counts of attempts.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { IdentityDatabase } from '../core/client.ts'
import { bigCount } from '../core/statement.ts'
import { ask } from './credentials.ts'

const dueRow = z.object({ class: z.string(), count: bigCount }).transform(({ class: name, count }) => ({ name, count }))

/** How many rows of each table are due, `limit` at most. */
export const countExpiredLogins = (database: IdentityDatabase, limit: number) =>
  ask(database, dueRow, sql`select class, due as count from identity.count_expired(${limit}::int)`)

/** Deletes at most `limit` due rows of each table. Returns how many of each. */
export const purgeExpiredLogins = (database: IdentityDatabase, limit: number) =>
  ask(database, dueRow, sql`select class, purged as count from identity.purge_expired(${limit}::int)`)
