// Stages incoming rows of a sync. A long run writes them to a staging table until its commit, so that memory holds a
// few pages at most. A commit is refused unless all staged rows still exist.
import { type SQL, sql } from 'drizzle-orm'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import type { Entity } from '../core/record.ts'
import { refuseWhen, sqlState } from '../core/sql-state.ts'
import { type Lease, renewal } from '../sync/work.ts'
import { command } from '../core/statement.ts'

const tableOf = ({ product }: Lease): SQL =>
  sql.raw(product === 'investment_transactions' ? 'investment_staging' : 'sync_staging')

/** Stages rows until the commit, and renews the lease. Returns false if the lease was lost. */
export async function stageRows<Row extends object>(
  jobs: JobsDatabase,
  lease: Lease,
  { incoming, unnest }: Entity<Row>,
  rows: readonly Partial<Row>[],
): Promise<boolean> {
  const { renewed } = await batch(jobs, {
    renewed: renewal(lease),
    staged: command(sql`insert into ${tableOf(lease)} (run_id, user_id, ${incoming})
      select ${lease.runId}::uuid, ${lease.userId}::uuid, ${incoming} from ${unnest(rows)}`),
  })
  return renewed.length > 0
}

/** The staged rows and these, one for each `key`: of several, the one with the greatest `seq`. */
export const incomingRows = <Row extends object>(
  lease: Lease,
  { incoming, unnest }: Entity<Row>,
  key: string,
  held: readonly Partial<Row>[],
): SQL =>
  sql`select distinct on (${sql.raw(key)}) * from (
      select ${incoming} from ${unnest(held)}
      union all
      select ${incoming} from ${tableOf(lease)} where run_id = ${lease.runId}
    ) incoming_rows order by ${sql.raw(key)}, seq desc`

/**
 * Rolls back the commit unless exactly `count` rows of the run are staged. A lost transaction would never be sent
 * again, because the commit stores a later cursor; a lost investment transaction would count as cancelled.
 */
export const requireStaged = (lease: Lease, count: number) =>
  command(
    sql`select ${refuseWhen(
      sql`(select count(*) from ${tableOf(lease)} where run_id = ${lease.runId}) <> ${count}::int`,
      sqlState.stagingLost,
    )}`,
  )

/** Deletes a run's staged rows. */
export const dropStaged = (lease: Lease) => command(sql`delete from ${tableOf(lease)} where run_id = ${lease.runId}`)

/** Deletes a run's staged rows before it reads everything again. */
export async function unstage(jobs: JobsDatabase, lease: Lease): Promise<void> {
  await execute(jobs, [dropStaged(lease)])
}

/** Deletes the staged rows of runs that crashed. */
export async function clearStaging(jobs: JobsDatabase, olderThanSeconds: number): Promise<void> {
  const old = sql`staged_at < now() - make_interval(secs => ${olderThanSeconds})`
  await execute(jobs, [
    command(sql`delete from sync_staging where ${old}`),
    command(sql`delete from investment_staging where ${old}`),
  ])
}
