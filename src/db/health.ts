// Whether a login's database is one that may be served from.
import { sql } from 'drizzle-orm'
import journal from '../../migrations/meta/_journal.json' with { type: 'json' }
import { within } from '../deadline.ts'
import { AppError } from '../errors.ts'
import { type ApiDatabase, batch, type JobsDatabase, rows } from './client.ts'

/** Who asks whether the service is ready waits no longer than this. */
const timeoutMs = 5000

function late(): never {
  throw new AppError('unavailable', 'The database did not answer.')
}

/** What is wrong, in fixed sentences; empty when nothing is. */
export async function checkDatabase(
  database: ApiDatabase | JobsDatabase,
): Promise<{ ok: boolean; problems: string[] }> {
  const problems: string[] = []
  const other = database.login === 'wn_api' ? 'wn_jobs' : 'wn_api'
  try {
    const answer = batch(database, [
      rows<{ acts: boolean; exceeds: boolean; migrations: string; bypasses: boolean; owns: boolean }>(
        database,
        sql`select pg_has_role(current_user, ${database.login}, 'usage') as acts,
          pg_has_role(current_user, ${other}, 'usage') as exceeds, app.applied_migrations() as migrations,
          (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as bypasses,
          exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('public', 'app', 'identity') and pg_has_role(current_user, c.relowner, 'usage')) as owns`,
      ),
    ])
    const [found] = await within(timeoutMs, answer, late)
    const row = found.rows[0]
    if (row?.acts !== true) problems.push(`The login lacks the rights of ${database.login}.`)
    if (row?.exceeds !== false) problems.push(`The login has the rights of ${other}.`)
    if (Number(row?.migrations) < journal.entries.length) problems.push('The database lacks migrations.')
    if (row?.bypasses !== false) problems.push('The login bypasses row-level security.')
    if (row?.owns !== false) problems.push('The login owns tables.')
  } catch (error) {
    problems.push(
      error instanceof AppError && error.code === 'unavailable'
        ? 'The database does not answer.'
        : 'The database is not set up.',
    )
  }
  return { ok: problems.length === 0, problems }
}
