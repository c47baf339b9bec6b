// Deletes rows past their retention, in small steps by the functions of migrations/0032: the jobs' login may not delete
// these rows itself, and the functions delete none that is younger than a floor.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { bigCount, query } from '../core/statement.ts'
import { keptRemovals } from './tombstones.ts'

/** What `app.retention_rule` knows by name. */
export interface Expired {
  readonly name: string
  readonly days: number
}

const countRow = z.object({ count: bigCount })

/** How many rows of a class are due, `limit` at most. */
export async function countExpired(jobs: JobsDatabase, { name, days }: Expired, limit: number): Promise<number> {
  const { found } = await batch(jobs, {
    found: query(countRow, sql`select app.count_expired(${name}, ${days}::int, ${limit}::int) as count`),
  })
  return found[0]?.count ?? 0
}

/** Deletes at most `limit` due rows of a class; rows that another transaction holds stay. Returns how many. */
export async function purgeRows(jobs: JobsDatabase, { name, days }: Expired, limit: number): Promise<number> {
  const { purged } = await batch(jobs, {
    purged: query(countRow, sql`select app.purge_rows(${name}, ${days}::int, ${limit}::int) as count`),
  })
  return purged[0]?.count ?? 0
}

const historyRow = z.object({ purged: bigCount, scanned_to: z.string().nullable() })

export interface HistoryStep {
  readonly purged: number
  /** The account to continue after; null behind the last one. */
  readonly after: string | null
}

/** Accounts that one step looks at. */
const accountsPerStep = 500

/** Deletes at most `limit` due rows of a class among the next accounts after `after`. */
export async function purgeHistory(
  jobs: JobsDatabase,
  { name, days }: Expired,
  after: string | null,
  limit: number,
): Promise<HistoryStep> {
  const { step } = await batch(jobs, {
    step: query(
      historyRow,
      sql`select purged, scanned_to from app.purge_history(${name}, ${days}::int, ${after}::uuid,
        ${accountsPerStep}::int, ${limit}::int, ${keptRemovals}::int)`,
    ),
  })
  return { purged: step[0]?.purged ?? 0, after: step[0]?.scanned_to ?? null }
}

/** Deletes at most `limit` due rows of a change feed, in the order of their numbers. Returns how many. */
export async function purgeFeed(jobs: JobsDatabase, { name, days }: Expired, limit: number): Promise<number> {
  const given = sql`${days}::int, ${limit}::int`
  const { purged } = await batch(jobs, {
    purged:
      name === 'changes'
        ? query(countRow, sql`select app.purge_changes(${given}) as count`)
        : query(countRow, sql`select app.purge_removals(${given}) as count`),
  })
  return purged[0]?.count ?? 0
}
