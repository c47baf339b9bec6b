// Restarts one database like Neon restarts a compute (at each update, about once a week): its sessions end and its
// unlogged tables are empty afterwards. Other databases of the server are not affected.
import { Client } from 'pg'
import * as z from 'zod'

const endTimeoutMs = 10_000
const tableRows = z.array(z.object({ name: z.string() }))

/** `ownerUrl` belongs to a login that owns the tables and may end sessions of other logins. */
export async function restartDatabase(ownerUrl: string, database: string): Promise<void> {
  const url = new URL(ownerUrl)
  url.pathname = `/${encodeURIComponent(database)}`
  const client = new Client({ connectionString: url.href, application_name: 'neon-restart' })
  await client.connect()
  try {
    await client.query(
      `SELECT pg_terminate_backend(pid, ${endTimeoutMs}) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'neon-endpoint'`,
    )
    const { rows } = await client.query(
      "SELECT oid::regclass::text AS name FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'",
    )
    const tables = tableRows.parse(rows).map(({ name }) => name)
    if (tables.length > 0) await client.query(`TRUNCATE ${tables.join(', ')}`)
  } finally {
    await client.end()
  }
}
