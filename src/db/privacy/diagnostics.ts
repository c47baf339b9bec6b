// Whose data a message concerns, and whether that person allows diagnostics.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { JobsDatabase } from '../core/client.ts'
import type { Identity } from '../core/scope.ts'
import { batch } from '../core/client.ts'
import { query } from '../core/statement.ts'

const subjectRow = z.object({ issuer: z.string(), subject: z.string(), allowed: z.boolean() })

const tables = {
  item_products: sql`item_products`,
  items: sql`items`,
  link_sessions: sql`link_sessions`,
} as const

export interface DiagnosticsSubject {
  readonly identity: Identity
  readonly allowed: boolean
}

/** The user of a row; null if there is no such row. */
export async function findDiagnosticsSubject(
  jobs: JobsDatabase,
  { table, id }: { readonly table: keyof typeof tables; readonly id: string },
): Promise<DiagnosticsSubject | null> {
  const { found } = await batch(jobs, {
    found: query(
      subjectRow,
      sql`select u.issuer, u.subject, not ('diagnostics' = any(u.not_allowed)) as allowed
        from users u where u.id = (select user_id from ${tables[table]} where id = ${id})`,
    ),
  })
  const [user] = found
  return user === undefined ? null : { identity: { issuer: user.issuer, subject: user.subject }, allowed: user.allowed }
}
