// The migrations that a database has not seen, and whether a deployment may apply them while users are served.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import * as z from 'zod'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { withConnection } from '../lib/owner-connection.ts'
import { contractions } from './expand-only.ts'

export interface PendingMigration {
  readonly name: string
  readonly sql: string
}

export interface Pending {
  /** Whether the database has no migration at all: no version of the Worker uses it. */
  readonly isEmpty: boolean
  readonly migrations: readonly PendingMigration[]
}

const journalSchema = z.object({ entries: z.array(z.object({ when: z.number(), tag: z.string() })) })
const newestRows = z.tuple([z.object({ newest: z.coerce.number().nullable() })])

/** @throws Error if the database cannot be read */
export async function pendingMigrations(
  ownerUrl: string,
  folder = join(projectFolder, 'migrations'),
): Promise<Pending> {
  const { entries } = journalSchema.parse(JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')))
  const newest = await withConnection(ownerUrl, 'deploy', async (client) => {
    const { rows: found } = await client.query(
      "SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS exists",
    )
    if (!z.tuple([z.object({ exists: z.boolean() })]).parse(found)[0].exists) return null
    const { rows } = await client.query('SELECT max(created_at) AS newest FROM drizzle.__drizzle_migrations')
    return newestRows.parse(rows)[0].newest
  })
  const migrations = readMigrationFiles({ migrationsFolder: folder })
    .filter(({ folderMillis }) => newest === null || folderMillis > newest)
    .map(({ folderMillis, sql }) => ({
      name: entries.find(({ when }) => when === folderMillis)?.tag ?? String(folderMillis),
      // A statement can end without a semicolon where drizzle splits.
      sql: sql.join(';\n'),
    }))
  return { isEmpty: newest === null, migrations }
}

/**
 * Throws if a migration takes away what the running version uses. `allowed` names migrations that are meant to, because no
 * version that still runs, and none that a rollback could bring back, uses what they remove.
 */
export function refuseContractions({ isEmpty, migrations }: Pending, allowed: readonly string[]): void {
  if (isEmpty) return
  const checked = migrations.filter(({ name }) => !allowed.includes(name))
  const findings = contractions(checked.map(({ sql }) => sql).join(';\n'))
  if (findings.length === 0) return
  const lines = checked.flatMap((migration) => {
    const statements = findings.filter(({ statement }) =>
      contractions(migration.sql).some((found) => found.statement === statement),
    )
    return statements.map(({ statement, reason }) => `  ${migration.name}: ${reason}: ${statement}`)
  })
  throw new Error(
    `The version that runs now cannot work with these migrations:\n${lines.join('\n')}\n` +
      'Release the code that no longer needs it first, and remove it in a later release: --allow-contract NAME.',
  )
}
