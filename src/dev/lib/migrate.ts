// Migrates a database to the schema in `migrations/`, forward only. One run at a time per database. Each migration is a
// separate transaction, so that one that takes minutes does not hold the locks of earlier ones; drizzle's migrator runs
// all of them in one transaction.
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { Client, DatabaseError } from 'pg'
import * as z from 'zod'
import { inTransaction, refusePooler } from './owner-session.ts'
import { projectFolder } from './project-folder.ts'

/** The key of the advisory lock, the same in every run: "wnmg" in ASCII. */
const lockKey = 0x77_6e_6d_67
const lockTimeoutMs = 30_000
const lockNotAvailable = '55P03'

const defaultFolder = join(projectFolder, 'migrations')

/**
 * Runs `work` on a connection that holds the migration lock.
 * @throws Error if another run holds the lock for too long
 */
export async function withMigrationLock<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  refusePooler(url)
  const client = new Client({ connectionString: url, application_name: 'wealthnavigator-edge migrations' })
  // If the connection is lost, the next statement fails. Without a listener, the event would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(`SET lock_timeout = ${lockTimeoutMs}`)
    await client.query('SELECT pg_advisory_lock($1)', [lockKey]).catch((error: unknown) => {
      const isBusy = error instanceof DatabaseError && error.code === lockNotAvailable
      throw isBusy ? new Error('Another migration is running on this database: wait for it and try again.') : error
    })
    return await work(client)
  } finally {
    await client.end()
  }
}

const oldestVersion = 15
const versionRow = z.object({ server_version_num: z.string() })

/** Throws if the server is older than the migrations support. */
export async function refuseOldServer(client: Client): Promise<void> {
  const { rows } = await client.query('SHOW server_version_num')
  const version = Math.floor(Number(z.array(versionRow).parse(rows)[0]?.server_version_num) / 10_000)
  if (version >= oldestVersion) return
  throw new Error(`The server is PostgreSQL ${version}: take ${oldestVersion} or newer.`)
}

/** Where drizzle's migrator records the migrations that it applied. */
const history = `
  CREATE SCHEMA IF NOT EXISTS drizzle;
  CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`
const newestRow = z.tuple([z.object({ newest: z.coerce.number() })])

/**
 * Applies the migrations that `url`'s database does not have, in order, each in a separate transaction. A failure rolls
 * back only that migration; the next run continues with it. `url` is the owner's.
 */
export async function migrate(url: string, migrationsFolder = defaultFolder): Promise<void> {
  await withMigrationLock(url, async (client) => {
    await refuseOldServer(client)
    const migrations = readMigrationFiles({ migrationsFolder })
    await client.query(history)
    const { rows } = await client.query(
      'SELECT coalesce(max(created_at), 0) AS newest FROM drizzle.__drizzle_migrations',
    )
    const [{ newest }] = newestRow.parse(rows)
    for (const { sql, hash, folderMillis } of migrations.filter((migration) => migration.folderMillis > newest))
      await inTransaction(client, async () => {
        for (const statement of sql) await client.query(statement)
        await client.query('INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ($1, $2)', [
          hash,
          folderMillis,
        ])
      })
  })
}
