// Applications of the operator, by the jobs' login.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { type Key, type Page, toPage } from '../core/page.ts'
import { idRow, query } from '../core/statement.ts'

const applicationRow = z
  .object({ id: z.string(), name: z.string(), issuer: z.string(), created_at: z.coerce.date() })
  .transform((row) => ({ id: row.id, name: row.name, issuer: row.issuer, createdAt: row.created_at }))
export type Application = z.output<typeof applicationRow>

const columns = sql.raw('id, name, issuer, created_at')

/** Applications that a deployment has at most. */
const mostApplications = 1000

/** Stores an application; null if there are too many. */
export async function insertApplication(
  jobs: JobsDatabase,
  { id, name, issuer }: Pick<Application, 'id' | 'name' | 'issuer'>,
  audit: AuditRow,
): Promise<Application | null> {
  const { inserted, found } = await batch(jobs, {
    inserted: query(
      idRow,
      sql`insert into applications (id, name, issuer) select ${id}::uuid, ${name}::text, ${issuer}::text
        where (select count(*) from applications) < ${mostApplications} returning id, ${recorded(audit)}`,
    ),
    found: query(applicationRow, sql`select ${columns} from applications where id = ${id}`),
  })
  return inserted.length === 0 ? null : (found[0] ?? null)
}

/** All applications, oldest first. */
export async function listApplications(
  jobs: JobsDatabase,
  limit: number,
  from: Key | null,
): Promise<Page<Application>> {
  const after = from === null ? sql`true` : sql`(created_at, id) > (${from[0]}::timestamptz, ${from[1]}::uuid)`
  const { found } = await batch(jobs, {
    found: query(
      applicationRow,
      sql`select ${columns} from applications where ${after} order by created_at, id limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, ({ createdAt, id }) => [createdAt.toISOString(), id])
}
