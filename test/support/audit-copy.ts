// A copy of the audit trail that a test can tamper with: its tables in a separate schema, without triggers, as the
// owner of a database could have them.
import { sql } from 'drizzle-orm'
import { type Anchor, type Verification, verifyAudit } from '../../src/audit/verify.ts'
import type { AuditKeys } from '../../src/audit/keys.ts'
import { batchAfter, connect } from '../../src/db/core/client.ts'
import { command } from '../../src/db/core/statement.ts'
import type { World } from './world.ts'

const tables = ['log', 'people', 'unchained', 'chains', 'links', 'checkpoints', 'prunings'].map(
  (name) => `audit_${name}`,
)

export interface AuditCopy {
  /** Runs a statement as an owner with all rights; tables without a schema are the copy's. */
  tamper(text: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>
  verify(options?: { anchors?: readonly Anchor[]; keys?: AuditKeys; pageSize?: number }): Promise<Verification>
}

let count = 0

export async function copyAudit(world: World): Promise<AuditCopy> {
  count += 1
  const schema = `audit_copy_${count}`
  await world.sql(`create schema ${schema}`)
  for (const table of tables) await world.sql(`create table ${schema}.${table} as table public.${table}`)
  const { endpoint, ownerUrl } = world.database
  const database = connect('wn_jobs', ownerUrl, endpoint)
  return {
    tamper: (text, params = []) =>
      world.sql(
        text.replaceAll(/\baudit_(?:log|people|unchained|chains|links|checkpoints|prunings)\b/g, `${schema}.$&`),
        params,
      ),
    verify: ({ anchors = [], keys = world.services.auditKeys, pageSize = 3 } = {}) =>
      verifyAudit({
        keys,
        anchors,
        pageSize,
        run: async (statement) => {
          const path = command(sql`select set_config('search_path', ${`${schema}, pg_catalog`}, true)`)
          const { found } = await batchAfter(database, [path], { found: statement })
          return found
        },
      }),
  }
}
