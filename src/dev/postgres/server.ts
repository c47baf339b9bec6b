// The embedded PostgreSQL server: a real one, on loopback only, with passwords, one per data folder. The next start
// clears a server or a throwaway folder that a killed run left.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { serverUser } from '../lib/data-folder.ts'
import { freePort } from '../lib/ports.ts'
import { findPostgres } from './binaries.ts'
import { type Cluster, clusterName, type ClusterPlace, openCluster, serverEnvironment } from './cluster.ts'
import { type HeldFolder, holdFolder, type Log } from './held-folder.ts'

const readyLine = 'database system is ready to accept connections'
const startTimeoutMs = 60_000
const stopTimeoutMs = 10_000
const startAttempts = 20
const retryMs = 500
/**
 * Start errors that pass within a moment: the last children of a killed server, a port that was taken between two
 * calls.
 */
const passingFailure = /pre-existing shared memory block|lock file "postmaster.pid" already exists/
const portTaken = /Address already in use/

export const ownerRole = 'wn_owner'
export const databaseName = 'wealthnavigator'

export interface PostgresOptions {
  /** A folder, relative to the working directory, or `:memory:` for one that is removed with the server. */
  dataDir: string
  /** 0 for a free one. */
  port: number
  log: Log
  /** Called when the server ends unexpectedly. */
  onExit?: (message: string) => void
  /** In addition to the server's default settings. */
  settings?: Readonly<Record<string, string>>
}

export interface Postgres {
  /** The owner's URL. Like the owner of a Neon database it can create roles and databases but is not a superuser. */
  url: string
  /** The superuser's URL, for what the operator of a server can do: statistics, other sessions. */
  superuserUrl: string
  port: number
  pid: number
  /** The stack's data folder, which contains PostgreSQL's. */
  folder: string
  stop(): Promise<void>
}

function serverArguments(
  data: string,
  port: number,
  throwaway: boolean,
  given: Readonly<Record<string, string>> = {},
): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Logs the server's messages but no failing statements: these can contain personal data, and their callers report
    // them.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    ...(throwaway ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...given,
  }
  return [
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}

/** Resolves when the server reports that it is ready. Rejects with its last lines when it ends or takes too long. */
function whenReady(child: ChildProcess, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`PostgreSQL was not ready after ${startTimeoutMs} ms: ${output}`))
    }, startTimeoutMs)
    child.stderr?.on('data', (chunk: Buffer) => {
      const text = chunk.toString()
      output = (output + text).slice(-4_000)
      for (const line of text.split('\n')) if (/ (WARNING|FATAL|PANIC): /.test(line)) log(line)
      if (!text.includes(readyLine)) return
      clearTimeout(timer)
      resolve()
    })
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(timer)
      reject(new Error(`PostgreSQL did not start: ${output.trim()}`))
    })
  })
}

async function launch(
  place: ClusterPlace,
  data: string,
  options: Omit<PostgresOptions, 'dataDir'>,
  attempt = 1,
): Promise<[ChildProcess, number]> {
  const port = options.port === 0 ? await freePort() : options.port
  const child = spawn(
    join(place.home, 'bin', 'postgres'),
    serverArguments(data, port, place.throwaway, options.settings),
    {
      cwd: place.folder,
      ...place.user,
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C reaches the whole terminal group; the server must end last, when `stop` ends it.
      detached: true,
    },
  )
  try {
    await whenReady(child, options.log)
    return [child, port]
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const passes = passingFailure.test(message) || (options.port === 0 && portTaken.test(message))
    if (!passes || attempt >= startAttempts) throw error
    await delay(retryMs)
    return launch(place, data, options, attempt + 1)
  }
}

/**
 * Creates the owner and its database if they are missing. The owner has the rights that Neon gives: everything except
 * superuser.
 */
async function makeOwner(url: string, password: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ownerRole])
    if (roles.rowCount === 0) {
      await client.query(`CREATE ROLE ${ownerRole} LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD '${password}'`)
      await client.query(`GRANT pg_monitor, pg_signal_backend TO ${ownerRole} WITH ADMIN OPTION`)
    }
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName])
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName} OWNER ${ownerRole}`)
  } finally {
    await client.end()
  }
}

async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = new Promise((resolve) => child.once('close', resolve))
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  child.kill('SIGINT')
  await closed
  clearTimeout(timer)
}

async function run(
  place: ClusterPlace,
  cluster: Cluster,
  options: Omit<PostgresOptions, 'dataDir'>,
): Promise<Postgres> {
  const { superuser, owner } = cluster.credentials
  const [child, port] = await launch(place, cluster.data, options)
  const superuserUrl = `postgres://postgres:${superuser}@127.0.0.1:${port}/postgres`
  try {
    await makeOwner(superuserUrl, owner)
  } catch (error) {
    await endServer(child)
    throw error
  }
  let stopping = false
  child.once('close', () => {
    if (!stopping) options.onExit?.('PostgreSQL ended unexpectedly')
  })
  return {
    url: `postgres://${ownerRole}:${owner}@127.0.0.1:${port}/${databaseName}`,
    superuserUrl,
    port,
    pid: child.pid ?? 0,
    folder: place.folder,
    stop: () => {
      stopping = true
      return endServer(child)
    },
  }
}

/**
 * Starts PostgreSQL in a folder that the caller holds, and resolves when it accepts connections. Rejects with the
 * remedy if the port is taken, if this platform has no binaries, or if the folder's data do not belong to this
 * server.
 */
export async function startPostgresIn(held: HeldFolder, options: Omit<PostgresOptions, 'dataDir'>): Promise<Postgres> {
  const binaries = await findPostgres()
  try {
    const user = await serverUser(join(held.folder, clusterName))
    const place = { home: binaries.home, folder: held.folder, user, throwaway: held.throwaway }
    const server = await run(place, await openCluster(place), options)
    const stop = async () => {
      await server.stop()
      await binaries.dispose()
    }
    return { ...server, stop }
  } catch (error) {
    await binaries.dispose()
    throw error
  }
}

/** Takes the folder, starts PostgreSQL in it, and releases the folder at `stop`. */
export async function startPostgres({ dataDir, ...options }: PostgresOptions): Promise<Postgres> {
  const held = await holdFolder(dataDir, process.cwd(), options.log)
  try {
    const server = await startPostgresIn(held, options)
    const stop = async () => {
      await server.stop()
      await held.release()
    }
    return { ...server, stop }
  } catch (error) {
    await held.release()
    throw error
  }
}
