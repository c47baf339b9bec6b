// Checks whether a login's database is ready to serve.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import journal from '../../../migrations/meta/_journal.json' with { type: 'json' }
import { withTimeout } from '../../timeout.ts'
import { AppError } from '../../errors.ts'
import { type ApiDatabase, batch, type IdentityDatabase, type JobsDatabase } from '../core/client.ts'
import { query } from '../core/statement.ts'

/** The longest wait of a readiness request. */
const timeoutMs = 5000

/** Rejects with `unavailable` if the result takes longer. */
export const whileReadinessWaits = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
  withTimeout(timeoutMs, answer, () => {
    throw new AppError('unavailable', 'The database did not answer.')
  })

const rightsRow = z.object({
  acts: z.boolean(),
  others: z.array(z.string()),
  migrations: z.coerce.number(),
  bypasses: z.boolean(),
  owns: z.boolean(),
  touches_data: z.boolean(),
  /** The functions of built-in accounts: how many exist for logins, and how many this login may call. */
  all_functions: z.coerce.number(),
  callable_functions: z.coerce.number(),
})

/** The roles of this project's logins. */
export const rolesToTest = ['wn_api', 'wn_jobs', 'wn_identity', 'wn_backup'] as const

const question = (login: string) => sql`
  select pg_has_role(current_user, ${login}, 'usage') as acts,
    array(select r from unnest(${`{${rolesToTest.join(',')}}`}::text[]) r
      where r <> ${login} and pg_has_role(current_user, r, 'usage')) as others,
    app.applied_migrations() as migrations,
    (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as bypasses,
    exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'app', 'identity') and pg_has_role(current_user, c.relowner, 'usage')) as owns,
    exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'app', 'identity') and c.relkind in ('r', 'p', 'v', 'm')
        and (has_table_privilege(c.oid, 'select, insert, update, delete, truncate')
          or has_any_column_privilege(c.oid, 'select, insert, update'))) as touches_data,
    all_functions, callable_functions
  from (select count(*) as all_functions,
      count(*) filter (where has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid,
        'execute')) as callable_functions
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'identity' and p.prosecdef) accounts`

function problemsOf(login: string, row: z.output<typeof rightsRow>): string[] {
  const problems: string[] = []
  if (!row.acts) problems.push(`The login lacks the rights of ${login}.`)
  for (const other of row.others) problems.push(`The login has the rights of ${other}.`)
  if (row.migrations < journal.entries.length) problems.push('The database lacks migrations.')
  if (row.bypasses) problems.push('The login bypasses row-level security.')
  if (row.owns) problems.push('The login owns tables.')
  if (login === 'wn_identity') {
    if (row.touches_data) problems.push('The login may touch tables.')
    if (row.callable_functions < row.all_functions) problems.push('The login may not use the built-in accounts.')
  } else if (row.callable_functions > 0) problems.push('The login may use the built-in accounts.')
  return problems
}

/** The problems, in fixed sentences; empty if there are none. */
export async function checkDatabase(
  database: ApiDatabase | JobsDatabase | IdentityDatabase,
): Promise<{ ok: boolean; problems: string[] }> {
  try {
    const asked = batch(database, { rights: query(rightsRow, question(database.login)) })
    const { rights } = await whileReadinessWaits(asked)
    const problems = rights.flatMap((row) => problemsOf(database.login, row))
    return { ok: problems.length === 0, problems }
  } catch (error) {
    const isSilent = error instanceof AppError && error.code === 'unavailable'
    return { ok: false, problems: [isSilent ? 'The database does not answer.' : 'The database is not set up.'] }
  }
}
