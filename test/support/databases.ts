// The databases of one test run: a migrated template and its copies, on an embedded server or on the one that
// TEST_DATABASE_URL names. Drops every database that it created and touches no other.
import { createHash, randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { bootstrap, withLogin } from '../../src/dev/lib/bootstrap.ts'
import { migrate, withMigrationLock } from '../../src/dev/lib/migrate.ts'
import { startNeonEndpoint } from '../../src/dev/neon-local/server.ts'
import type { InterceptedRequest, Interception } from '../../src/dev/neon-local/server.ts'
import { startPostgres } from '../../src/dev/postgres/server.ts'
import type { TestDatabase } from './stack.ts'

/** Autovacuum would visit a hundred databases every minute and change statistics while a test reads plans. */
const settings = { autovacuum: 'off' }

export interface Databases {
  create(): Promise<TestDatabase>
  drop(name: string): Promise<void>
  stop(): Promise<void>
}

interface Server {
  url: string
  stop(): Promise<void>
}

const quiet = () => undefined

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client(url)
  client.on('error', quiet)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Logins belong to the whole server, so runs that share one must derive the same passwords. */
function sharedPassword(url: string, login: string): string {
  return createHash('sha256').update(`${login} ${url}`).digest('base64url')
}

async function makeTemplate(server: Server, name: string): Promise<void> {
  const url = withDatabase(server.url, name)
  await execute(server.url, `CREATE DATABASE ${name}`)
  const passwords = {
    apiPassword: sharedPassword(server.url, 'wn_api'),
    jobsPassword: sharedPassword(server.url, 'wn_jobs'),
    identityPassword: sharedPassword(server.url, 'wn_identity'),
    backupPassword: sharedPassword(server.url, 'wn_backup'),
    generation: 'a' as const,
    force: true,
  }
  // Roles belong to the whole server, so only one run at a time creates them.
  await withMigrationLock(server.url, async () => {
    await migrate(url)
    await bootstrap(url, passwords)
  })
}

/**
 * Starts the server and the Neon endpoint, and migrates the template. With `givenUrl` no server is started; its login
 * must be allowed to create roles and databases.
 */
export async function startDatabases(
  givenUrl: string | undefined,
  intercept: (request: InterceptedRequest) => Interception,
): Promise<Databases> {
  const server: Server = givenUrl
    ? { url: givenUrl, stop: () => Promise.resolve() }
    : await startPostgres({ dataDir: ':memory:', port: 0, log: quiet, settings })
  const prefix = `wn_test_${randomBytes(4).toString('hex')}`
  const template = `${prefix}_template`
  const names = new Set<string>()
  let endpoint: Awaited<ReturnType<typeof startNeonEndpoint>> | undefined
  const drop = async (name: string) => {
    if (!names.delete(name)) throw new Error(`${name} is no database of this run`)
    await execute(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
  const stop = async () => {
    await endpoint?.stop()
    if (givenUrl) for (const name of names) await drop(name)
    await server.stop()
  }
  try {
    names.add(template)
    await makeTemplate(server, template)
    const { url: endpointUrl } = (endpoint = await startNeonEndpoint({
      postgresUrl: server.url,
      port: 0,
      log: quiet,
      intercept,
    }))
    let count = 0
    const create = async () => {
      const name = `${prefix}_${(count += 1)}`
      names.add(name)
      await execute(server.url, `CREATE DATABASE ${name} TEMPLATE ${template}`)
      const ownerUrl = withDatabase(server.url, name)
      const login = (role: string) => withLogin(ownerUrl, `${role}_a`, sharedPassword(server.url, role))
      return {
        name,
        ownerUrl,
        apiUrl: login('wn_api'),
        jobsUrl: login('wn_jobs'),
        identityUrl: login('wn_identity'),
        backupUrl: login('wn_backup'),
        endpoint: endpointUrl,
      }
    }
    return { create, drop, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
