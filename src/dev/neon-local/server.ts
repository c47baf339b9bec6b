// A local replacement for Neon: its HTTP `/sql` and WebSocket protocols in front of one PostgreSQL server on loopback,
// with Neon's limits and failures. The Worker runs the same driver code here and in production. Never logs a statement.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { PoolClient } from 'pg'
import { createBridge } from './bridge.ts'
import { createPools, type Pools, type Server } from './pools.ts'
import { connectionLost, connectionProblem, problem, type Problem, statementProblem } from './problem.ts'
import { createRateLimit, type RequestLimit } from './rate-limit.ts'
import { isRefusal, parseSqlRequest, type SqlRequest } from './request.ts'
import { restartDatabase } from './restart.ts'
import { runRequest } from './run.ts'

/**
 * Neon's documented limit per call, in each direction. There is no time limit: a statement can hang until its client
 * disconnects.
 */
const neonMaxBytes = 64 * 1024 * 1024

export interface InterceptedRequest {
  queries: string[]
  connectionUser: string
  database: string
}

/**
 * What happens to a request.
 * - `fail-before`: 500, not run.
 * - `lose-answer`: run and committed; then the client's connection is cut without a response.
 * - `cut-before`, `cut-after`: the connection to PostgreSQL is lost before the statements or after the commit. The
 *   response is 400 with an empty code in both cases.
 * - `hang`: not run, no response.
 * - `restart`: the database restarts first, which the proxy hides from the client; then it is run.
 * - `too-many`: 500, the endpoint's limit of requests is reached.
 */
export const interceptions = [
  'pass',
  'fail-before',
  'lose-answer',
  'cut-before',
  'cut-after',
  'hang',
  'restart',
  'too-many',
] as const
export type Interception = (typeof interceptions)[number]

export interface NeonEndpointOptions {
  /** The server's URL. Requests contain their logins; this login restarts databases, and owns their tables. */
  postgresUrl: string
  /** 0 for a free one. */
  port: number
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string
  log: (message: string) => void
  intercept?: (request: InterceptedRequest) => Interception
  /** 64 MB by default, as at Neon; tests use less. */
  maxBytes?: number
  /** No limits by default; `neonRequestLimits` are Neon's. */
  requestLimits?: readonly RequestLimit[]
  /**
   * The limit of connections to PostgreSQL for all logins together. Requests beyond it are refused; without a limit
   * they wait.
   */
  maxConnections?: number
}

export interface NeonEndpoint {
  /** The value for the driver's `fetchEndpoint`. */
  url: string
  port: number
  /** Ends the database's sessions and empties its unlogged tables, as a restart of Neon's compute does. */
  restart(database: string): Promise<void>
  stop(): Promise<void>
}

/**
 * The body, or null if it is larger than `maxBytes`. The rest is read and dropped, so that the caller receives the
 * response.
 */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size <= maxBytes) chunks.push(chunk)
  }
  return size > maxBytes ? null : Buffer.concat(chunks).toString('utf8')
}

const tooManyRequests = problem(500, 'Too many connections to this endpoint. Please try again later.')

async function connect(pools: Pools, request: SqlRequest): Promise<PoolClient | Problem> {
  try {
    const client = await pools.acquire(request.connection)
    return client === 'full' ? problem(500, 'remaining connection slots are reserved', '53300') : client
  } catch (error) {
    return connectionProblem(error)
  }
}

async function answer(pools: Pools, request: SqlRequest, signal: AbortSignal, maxBytes: number): Promise<Problem> {
  const client = await connect(pools, request)
  if ('body' in client) return client
  const cancel = () => pools.cancel(client)
  // A cancelled connection is closed, not reused: a late cancellation could hit the next request that uses it.
  let cancelled = false
  try {
    const outcome = await runRequest({ client, request, signal, cancel, maxResponseLength: maxBytes })
    if ('body' in outcome) return { status: 200, body: outcome.body }
    cancelled = true
    return outcome.unfinished === 'too large'
      ? problem(507, `response is too large (max is ${maxBytes} bytes)`)
      : problem(400, 'Query cancelled, connection was terminated', '08P01')
  } catch (error) {
    return statementProblem(error)
  } finally {
    if (cancelled || signal.aborted) client.release(true)
    else void pools.giveBack(client)
  }
}

function serverOf(postgresUrl: string): Server {
  const { hostname, port } = new URL(postgresUrl)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 5432) }
}

function send(response: ServerResponse, { status, body }: Problem): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'neon-request-id': randomUUID(),
  })
  response.end(body)
}

/** Resolves when the client has disconnected. */
async function untilGone(signal: AbortSignal): Promise<'cut'> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  return 'cut'
}

interface Behind {
  pools: Pools
  options: NeonEndpointOptions
  maxBytes: number
  restart: (database: string) => Promise<void>
}

/** Runs a request, or applies what `intercept` returns. `cut` closes the client's connection without a response. */
async function run(behind: Behind, request: SqlRequest, signal: AbortSignal): Promise<Problem | 'cut'> {
  const { pools, options, maxBytes, restart } = behind
  const { queries, connection } = request
  const { user, database } = connection
  const seen = { queries: queries.map(({ query }) => query), connectionUser: user, database }
  const result = () => answer(pools, request, signal, maxBytes)
  switch (options.intercept?.(seen) ?? 'pass') {
    case 'pass':
      return await result()
    case 'fail-before':
      return problem(500, 'injected failure: nothing was run')
    case 'too-many':
      return tooManyRequests
    case 'cut-before':
      return connectionLost
    case 'hang':
      return await untilGone(signal)
    case 'restart':
      await restart(database)
      return await result()
    case 'cut-after': {
      const given = await result()
      return given.status === 200 ? connectionLost : given
    }
    case 'lose-answer':
      await result()
      return 'cut'
  }
}

function createHandler(behind: Behind) {
  const { options, maxBytes } = behind
  const isAllowed = createRateLimit(options.requestLimits ?? [])

  const respond = async (request: IncomingMessage, signal: AbortSignal): Promise<Problem | 'cut'> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (request.method !== 'POST' || pathname !== '/sql') return problem(400, 'query is not supported')
    const text = await readBody(request, maxBytes)
    if (text === null) return problem(413, `request is too large (max is ${maxBytes} bytes)`)
    const parsed = parseSqlRequest(request.headers, text)
    if (isRefusal(parsed)) return problem(parsed.status, parsed.message)
    return isAllowed(performance.now()) ? await run(behind, parsed, signal) : tooManyRequests
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    try {
      const result = await respond(request, gone.signal)
      if (result === 'cut') response.destroy()
      else send(response, result)
    } catch (error) {
      if (gone.signal.aborted) return
      send(response, connectionProblem(error))
    }
  }
}

/** The host of a URL that reaches a server on this address. */
function urlHost(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return address.includes(':') ? `[${address}]` : address
}

/** Starts the endpoint. Rejects if the port is taken. */
export async function startNeonEndpoint(options: NeonEndpointOptions): Promise<NeonEndpoint> {
  const target = serverOf(options.postgresUrl)
  const { host = '127.0.0.1' } = options
  const pools = createPools(target, options.maxConnections)
  const bridge = createBridge(target)
  const restart = (database: string) => restartDatabase(options.postgresUrl, database)
  const handle = createHandler({ pools, options, maxBytes: options.maxBytes ?? neonMaxBytes, restart })
  const server = createServer((request, response) => void handle(request, response))
  server.on('upgrade', (request, socket, head) => bridge.upgrade(request, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The Neon endpoint has no port.')
  options.log(`Neon endpoint before ${target.host}:${target.port} on port ${address.port}`)
  return {
    url: `http://${urlHost(host)}:${address.port}/sql`,
    port: address.port,
    restart,
    async stop() {
      bridge.end()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await pools.end()
    },
  }
}
