// A database for one benchmark: the real server, migrated, with the Worker's two logins, in a temporary folder.
// Statements of src/db reach it through the local Neon endpoint, as the Worker's do, or over one plain connection.
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neonConfig } from '@neondatabase/serverless'
import { Client, Pool } from 'pg'
import * as z from 'zod'
import { type ApiDatabase, connect, type JobsDatabase } from '../../db/core/client.ts'
import { bootstrap } from '../../dev/lib/bootstrap.ts'
import { migrate } from '../../dev/lib/migrate.ts'
import { isRefusal, parseSqlRequest } from '../../dev/neon-local/request.ts'
import { runRequest } from '../../dev/neon-local/run.ts'
import { type InterceptedRequest, startNeonEndpoint } from '../../dev/neon-local/server.ts'
import { startPostgres } from '../../dev/postgres/server.ts'

export interface ScratchDatabase {
  /** The owner of the tables, on a separate connection. */
  readonly owner: Client
  readonly api: ApiDatabase
  readonly jobs: JobsDatabase
  readonly apiUrl: string
  readonly jobsUrl: string
  readonly identityUrl: string
  /** The Neon endpoint's URL. */
  readonly endpoint: string
  /**
   * Runs `work` with src/db's statements on one plain connection instead of the endpoint. Resolves with the
   * milliseconds that the statements took, without the driver and HTTP. Nothing else may use the database meanwhile.
   */
  directly(work: () => Promise<void>): Promise<number>
  stop(): Promise<void>
}

type Opened = Omit<ScratchDatabase, 'stop'> & { close(): Promise<void> }

const longestAnswer = 64 * 1024 * 1024

/** A connection whose loss fails its statements instead of the process. */
export async function openConnection(url: string): Promise<Client> {
  const client = new Client(url)
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/**
 * A fetch function for the driver that replaces the endpoint. Measures only the time of the statements, from BEGIN to
 * COMMIT.
 */
function plainFetch(poolOf: (login: string) => Pool) {
  let spent = 0
  return {
    spentMs: () => spent,
    async fetch(_: string, { headers, body }: RequestInit): Promise<Response> {
      const request = parseSqlRequest(Object.fromEntries(new Headers(headers)), z.string().parse(body))
      if (isRefusal(request)) throw new Error(request.message)
      const client = await poolOf(request.connection.user).connect()
      const { signal } = new AbortController()
      const run = { client, request, signal, cancel: () => undefined, maxResponseLength: longestAnswer }
      const started = performance.now()
      try {
        const outcome = await runRequest(run)
        return new Response('body' in outcome ? outcome.body : null)
      } finally {
        spent += performance.now() - started
        client.release()
      }
    },
  }
}

function openPool(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 1 })
  pool.on('error', () => undefined)
  return pool
}

async function open(ownerUrl: string, endpoint: string): Promise<Opened> {
  await migrate(ownerUrl)
  const { apiUrl, jobsUrl, identityUrl } = await bootstrap(ownerUrl)
  const pools = { wn_api: openPool(apiUrl), wn_jobs: openPool(jobsUrl) }
  const owner = await openConnection(ownerUrl)
  return {
    owner,
    apiUrl,
    jobsUrl,
    identityUrl,
    endpoint,
    api: connect('wn_api', apiUrl, endpoint),
    jobs: connect('wn_jobs', jobsUrl, endpoint),
    async directly(work) {
      const plain = plainFetch((login) => (login === new URL(apiUrl).username ? pools.wn_api : pools.wn_jobs))
      neonConfig.fetchFunction = (url: string, init: RequestInit) => plain.fetch(url, init)
      try {
        await work()
      } finally {
        neonConfig.fetchFunction = undefined
      }
      return plain.spentMs()
    },
    async close() {
      await owner.end()
      await Promise.all([pools.wn_api.end(), pools.wn_jobs.end()])
    },
  }
}

export interface ScratchOptions {
  /** Called for every request to the endpoint. */
  readonly onRequest?: (request: InterceptedRequest) => void
  /** Waits for the disk at each commit, as a production server does; by default it does not. */
  readonly durable?: boolean
}

/** Starts the server in a temporary folder. */
async function startServer(durable: boolean): Promise<{ url: string; stop(): Promise<void> }> {
  const log = (): void => undefined
  if (!durable) return await startPostgres({ dataDir: ':memory:', port: 0, log })
  const folder = join(tmpdir(), `wealthnavigator-edge-bench-${randomBytes(8).toString('hex')}`)
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const server = await startPostgres({ dataDir: folder, port: 0, log })
    const stop = async (): Promise<void> => {
      await server.stop()
      await remove()
    }
    return { url: server.url, stop }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * Starts the database. Only one at a time in a process, because the driver knows one endpoint. After a failure nothing
 * is left running.
 */
export async function startScratchDatabase(options: ScratchOptions = {}): Promise<ScratchDatabase> {
  const quiet = (): void => undefined
  const server = await startServer(options.durable ?? false)
  let endpoint: Awaited<ReturnType<typeof startNeonEndpoint>> | undefined
  try {
    const intercept = (request: InterceptedRequest): 'pass' => {
      options.onRequest?.(request)
      return 'pass'
    }
    const listening = (endpoint = await startNeonEndpoint({ postgresUrl: server.url, port: 0, log: quiet, intercept }))
    const opened = await open(server.url, listening.url)
    return {
      ...opened,
      async stop() {
        await opened.close()
        await listening.stop()
        await server.stop()
      },
    }
  } catch (error) {
    await endpoint?.stop()
    await server.stop()
    throw error
  }
}
