// Owns bringing a database to the schema that `migrations/` describes, forward only. One run at a time per database;
// never drops or rewrites what an earlier migration made.
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import { join } from 'node:path'
import { Client, DatabaseError } from 'pg'
import * as z from 'zod'

/** "wnmg": any constant does, as long as every run takes the same. */
const LOCK_KEY = 0x77_6e_6d_67
const LOCK_TIMEOUT_MS = 30_000
const LOCK_NOT_AVAILABLE = '55P03'

const MIGRATIONS_FOLDER = join(import.meta.dirname, '..', '..', 'migrations')

/** Throws where the URL leads through a pooler that hands out another session for each transaction. */
export function refusePooler(url: string): void {
  if (!/-pooler\./.test(URL.parse(url)?.hostname ?? '')) return
  throw new Error(
    "The URL goes through Neon's pooler, where session locks do not hold: take `-pooler` out of its host.",
  )
}

/** Runs `work` on a connection that holds the lock of migrations. Throws when another run holds it for too long. */
export async function withMigrationLock<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  refusePooler(url)
  const client = new Client({ connectionString: url, application_name: 'wealthnavigator-edge migrations' })
  // The next statement fails where the connection is lost; an event that nobody hears would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]).catch((error: unknown) => {
      const isBusy = error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE
      throw isBusy ? new Error('Another migration is running on this database: wait for it and try again.') : error
    })
    return await work(client)
  } finally {
    await client.end()
  }
}

const OLDEST_VERSION = 15
const versionRow = z.object({ server_version_num: z.string() })

/** Throws where the server is older than the migrations can work with. */
export async function refuseOldServer(client: Client): Promise<void> {
  const { rows } = await client.query('SHOW server_version_num')
  const version = Math.floor(Number(z.array(versionRow).parse(rows)[0]?.server_version_num) / 10_000)
  if (version >= OLDEST_VERSION) return
  throw new Error(`The server is PostgreSQL ${version}: take ${OLDEST_VERSION} or newer.`)
}

/** Applies every migration that `url`'s database has not seen, all of them or none. `url` is the owner's. */
export async function migrate(url: string, migrationsFolder = MIGRATIONS_FOLDER): Promise<void> {
  await withMigrationLock(url, async (client) => {
    await refuseOldServer(client)
    await applyMigrations(drizzle(client), { migrationsFolder })
  })
}
