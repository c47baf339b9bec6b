// The local stack's database: a server, its schema, the Worker's four logins, and the Neon endpoint in front of it.
import { bootstrap, type BootstrapOptions, type LoginUrls } from '../lib/bootstrap.ts'
import { migrate } from '../lib/migrate.ts'
import { startNeonEndpoint } from '../neon-local/server.ts'
import type { HeldFolder } from '../postgres/held-folder.ts'
import { startPostgresIn } from '../postgres/server.ts'
import { readLogins } from './logins.ts'
import type { Start } from './starting.ts'

export interface LocalDatabase {
  ownerUrl: string
  sqlUrl: string
  logins: LoginUrls
}

async function startDatabase(start: Start, held: HeldFolder): Promise<string> {
  const given = start.environment['LOCAL_DATABASE_URL']
  if (given) {
    start.print('postgres', 'using the server of LOCAL_DATABASE_URL')
    return given
  }
  const postgres = await startPostgresIn(held, {
    port: start.ports.PG_PORT,
    log: (message) => start.print('postgres', message, 'warn'),
    onExit: start.onFailure,
  })
  start.undo('postgres', postgres)
  start.print('postgres', `ready on port ${postgres.port}, data in ${held.folder}`)
  return postgres.url
}

/** Starts all of it, or uses the server of LOCAL_DATABASE_URL. Registers how to stop each part. */
export async function startLocalDatabase(start: Start, held: HeldFolder): Promise<LocalDatabase> {
  const ownerUrl = await startDatabase(start, held)
  start.signal.throwIfAborted()
  await migrate(ownerUrl)
  const isOwn = !start.environment['LOCAL_DATABASE_URL']
  const passwords: BootstrapOptions = isOwn ? await readLogins(held.folder) : {}
  // Always the same generation, so that the Worker's URLs stay the same.
  const logins = await bootstrap(ownerUrl, { ...passwords, generation: 'a', force: true })
  start.print('postgres', 'migrated, logins ready')
  start.signal.throwIfAborted()
  const log = (message: string) => start.print('neon', message)
  const endpoint = await startNeonEndpoint({ postgresUrl: ownerUrl, port: start.ports.SQL_PORT, log })
  start.undo('neon', endpoint)
  return { ownerUrl, sqlUrl: endpoint.url, logins }
}
