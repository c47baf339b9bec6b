// The record of backups: which were made, which failed, and which were restored for a test.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { batch, execute, type JobsDatabase } from '../core/client.ts'
import { bigCount, command, idRow, query } from '../core/statement.ts'

/** Longer than Cloudflare lets a cron run: what still says `running` was interrupted. */
const longestRun = sql.raw("interval '20 minutes'")
/** Two daily backups and the time of one: none since then is an alarm. */
const overdueAfter = sql.raw("interval '26 hours'")
/** Days that rows are kept (src/retention/policy.ts). */
const keptDays = 400
const mostListed = 100

export type BackupProblem = 'time_limit' | 'error' | 'interrupted'

const moment = z.coerce.date()
const backupRow = z
  .object({
    id: z.string(),
    place: z.enum(['bucket', 'command']),
    state: z.enum(['running', 'complete', 'failed']),
    started_at: moment,
    finished_at: moment.nullable(),
    rows: bigCount.nullable(),
    bytes: bigCount.nullable(),
    problem: z.enum(['time_limit', 'error', 'interrupted']).nullable(),
    verified_at: moment.nullable(),
  })
  .transform((row) => ({
    id: row.id,
    place: row.place,
    state: row.state,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    rows: row.rows,
    bytes: row.bytes,
    problem: row.problem,
    verifiedAt: row.verified_at,
  }))
export type RecordedBackup = z.output<typeof backupRow>

const isInterrupted = sql`state = 'running' and started_at < now() - ${longestRun}`
const selectBackups = sql`select id, place, case when ${isInterrupted} then 'failed' else state end as state,
  started_at, finished_at, rows, bytes, verified_at,
  case when ${isInterrupted} then 'interrupted' else problem end as problem
  from backups`

/** False while another backup runs: Cloudflare may start a cron twice. */
export async function beginBackup(jobs: JobsDatabase, id: string, startedAt: Date): Promise<boolean> {
  const { begun } = await batch(jobs, {
    // Of two runs at the same time, the second sees the row of the first.
    locked: command(sql`select pg_advisory_xact_lock(hashtext('backups'))`),
    begun: query(
      idRow,
      sql`insert into backups (id, place, state, started_at)
        select ${id}, 'bucket', 'running', ${startedAt.toISOString()}
        where not exists (select from backups where state = 'running' and not (${isInterrupted})) returning id`,
    ),
  })
  return begun.length > 0
}

interface Finished {
  readonly id: string
  readonly rows: number
  readonly bytes: number
}

export async function completeBackup(jobs: JobsDatabase, { id, rows, bytes }: Finished, row: AuditRow): Promise<void> {
  await execute(jobs, [
    command(sql`update backups set state = 'complete', finished_at = now(), rows = ${rows}, bytes = ${bytes}
      where id = ${id}`),
    recordAudit(row),
  ])
}

export async function failBackup(
  jobs: JobsDatabase,
  id: string,
  problem: Exclude<BackupProblem, 'interrupted'>,
  row: AuditRow,
): Promise<void> {
  await execute(jobs, [
    command(sql`update backups set state = 'failed', finished_at = now(), problem = ${problem} where id = ${id}`),
    recordAudit(row),
  ])
}

/** Records that a backup was restored and compared. It may be one that a command made, which has no row yet. */
export async function recordVerified(jobs: JobsDatabase, id: string, takenAt: Date, row: AuditRow): Promise<void> {
  await execute(jobs, [
    command(sql`insert into backups (id, place, state, started_at, verified_at)
      values (${id}, 'command', 'complete', ${takenAt.toISOString()}, now())
      on conflict (id) do update set verified_at = now()`),
    recordAudit(row),
  ])
}

/** Records which backups a cleanup deletes from the bucket, before it does. Rows of older ones are deleted with it. */
export async function recordDeleted(jobs: JobsDatabase, rows: readonly AuditRow[]): Promise<void> {
  await execute(jobs, [
    ...rows.map((row) => recordAudit(row)),
    command(sql`delete from backups where started_at < now() - make_interval(days => ${keptDays})
      and id not in (select id from backups where state = 'complete' order by started_at desc limit 1)
      and id not in (select id from backups where verified_at is not null order by verified_at desc limit 1)`),
  ])
}

export interface BackupStates {
  readonly lastBackup: RecordedBackup | null
  readonly lastVerified: RecordedBackup | null
  /** Whether the last complete backup is too old. */
  readonly isOverdue: boolean
  /** The newest ones, newest first. */
  readonly newest: readonly RecordedBackup[]
}

const overdueRow = z.object({ overdue: z.boolean() })

const selectOverdue = () =>
  query(
    overdueRow,
    sql`select coalesce(coalesce((select max(started_at) from backups where state = 'complete'),
      (select min(started_at) from backups), (select min(created_at) from users))
        < now() - ${overdueAfter}, false) as overdue`,
  )

export async function isBackupOverdue(jobs: JobsDatabase): Promise<boolean> {
  const { found } = await batch(jobs, { found: selectOverdue() })
  return found[0]?.overdue === true
}

export async function readBackups(jobs: JobsDatabase): Promise<BackupStates> {
  const { last, verified, overdue, newest } = await batch(jobs, {
    last: query(backupRow, sql`${selectBackups} where state = 'complete' order by started_at desc, id desc limit 1`),
    verified: query(
      backupRow,
      sql`${selectBackups} where verified_at is not null order by verified_at desc, id desc limit 1`,
    ),
    overdue: selectOverdue(),
    newest: query(backupRow, sql`${selectBackups} order by started_at desc, id desc limit ${mostListed}`),
  })
  return {
    lastBackup: last[0] ?? null,
    lastVerified: verified[0] ?? null,
    isOverdue: overdue[0]?.overdue === true,
    newest,
  }
}
