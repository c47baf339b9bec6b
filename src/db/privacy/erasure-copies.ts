// Which erasures the bucket of backups has, and which of these copies no stored backup needs any more.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, execute, type JobsDatabase } from '../core/client.ts'
import { bigCount, command, query } from '../core/statement.ts'
import { erasureColumns } from './erasure-columns.ts'

const uncopiedRow = z.object({ id: z.string(), subject_hash: z.string(), requested_at: z.string() })
export type Uncopied = z.output<typeof uncopiedRow>

const columns = sql.raw(erasureColumns)

/** The erasure, unless it is copied. */
export async function findUncopied(jobs: JobsDatabase, id: string): Promise<Uncopied | null> {
  const { found } = await batch(jobs, {
    found: query(uncopiedRow, sql`select ${columns} from erasures where id = ${id} and copied_at is null`),
  })
  return found[0] ?? null
}

/** Some erasures that are not copied, in no order: one that cannot be copied never holds up the others. */
export async function listUncopied(jobs: JobsDatabase, limit: number): Promise<readonly Uncopied[]> {
  const { found } = await batch(jobs, {
    found: query(
      uncopiedRow,
      sql`select ${columns} from erasures where copied_at is null order by random() limit ${limit}`,
    ),
  })
  return found
}

export async function noteCopied(jobs: JobsDatabase, id: string): Promise<void> {
  await execute(jobs, [command(sql`update erasures set copied_at = now() where id = ${id}`)])
}

const countRow = z.object({ count: bigCount })

/** How many erasures have waited for their copy for hours. */
export async function countLongUncopied(jobs: JobsDatabase): Promise<number> {
  const { found } = await batch(jobs, {
    found: query(
      countRow,
      sql`select count(*) as count from erasures
        where copied_at is null and requested_at < now() - interval '2 hours'`,
    ),
  })
  return found[0]?.count ?? 0
}

export interface Copy {
  readonly key: string
  readonly subject_hash: string
  readonly requested_at: string
}

const keyRow = z.object({ key: z.string() }).transform((row) => row.key)

/**
 * The keys of copies that no restoration needs: the person was gone before `oldest`, when the oldest backup began, and
 * before the oldest recorded backup of a command. Backups that began later have the row itself. The hour is for the end
 * of the transaction that deleted the person, and for clocks that differ.
 */
export async function listNeedless(
  jobs: JobsDatabase,
  copies: readonly Copy[],
  oldest: Date,
): Promise<readonly string[]> {
  const { found } = await batch(jobs, {
    found: query(
      keyRow,
      sql`select c.key from json_to_recordset(${JSON.stringify(copies)}::json)
          as c (key text, subject_hash text, requested_at timestamptz)
        where exists (select 1 from erasures e
          where e.subject_hash = c.subject_hash and e.requested_at >= c.requested_at
            and e.completed_at < least(${oldest.toISOString()}::timestamptz,
              (select min(started_at) from backups
                where place = 'command' and state = 'complete')) - interval '1 hour')`,
    ),
  })
  return found
}
