// Owns the local stand-in for Neon: its HTTP `/sql` and WebSocket protocols before one PostgreSQL server on loopback,
// with its limits, so that the Worker runs the same driver code here and in production. Never logs a statement.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createBridge } from './neon/bridge.ts'
import { createPools } from './neon/pools.ts'
import type { Pools, Server } from './neon/pools.ts'
import { problem, problemOf } from './neon/problem.ts'
import type { Problem } from './neon/problem.ts'
import { isRefusal, parseSqlRequest } from './neon/request.ts'
import type { SqlRequest } from './neon/request.ts'
import { runRequest } from './neon/run.ts'

/** Neon's documented limits, each way and a call. */
const MAX_BYTES = 64 * 1024 * 1024
const TIME_LIMIT_MS = 15_000

export interface InterceptedRequest {
  queries: string[]
  connectionUser: string
  database: string
}

/** `fail-before`: refused and not run. `lose-answer`: run, committed, and the connection cut instead of an answer. */
export type Interception = 'pass' | 'fail-before' | 'lose-answer'

export interface NeonEndpointOptions {
  /** The server's URL; its login is of no interest, every request brings its own. */
  postgresUrl: string
  /** 0 takes a free one. */
  port: number
  log: (message: string) => void
  intercept?: (request: InterceptedRequest) => Interception
  /** 15 s and 64 MB, as Neon's; tests take less. */
  timeLimitMs?: number
  maxBytes?: number
}

export interface NeonEndpoint {
  /** What the driver's `fetchEndpoint` is to be. */
  url: string
  port: number
  stop(): Promise<void>
}

interface Limits {
  timeLimitMs: number
  maxBytes: number
}

/** The body, or null where it is larger than `maxBytes`; the rest is then read and dropped, so that the caller hears. */
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

async function answer(pools: Pools, request: SqlRequest, signal: AbortSignal, limits: Limits): Promise<Problem> {
  const client = await pools.acquire(request.connection)
  const cancel = () => pools.cancel(client)
  // A cancelled connection is closed, not cleaned: the late cancellation could hit whoever gets it next.
  let cancelled = false
  try {
    const outcome = await runRequest({ client, request, signal, cancel, maxAnswerLength: limits.maxBytes })
    if ('body' in outcome) return { status: 200, body: outcome.body }
    cancelled = true
    return outcome.unfinished === 'too large'
      ? problem(507, `response is too large (max is ${limits.maxBytes} bytes)`)
      : problem(400, 'Query cancelled, connection was terminated', '08P01')
  } catch (error) {
    return problemOf(error)
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
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function createHandler(pools: Pools, options: NeonEndpointOptions, limits: Limits) {
  const run = async (request: SqlRequest, signal: AbortSignal): Promise<Problem | 'cut'> => {
    const { queries, connection } = request
    const { user, database } = connection
    const seen = { queries: queries.map(({ query }) => query), connectionUser: user, database }
    const interception = options.intercept?.(seen) ?? 'pass'
    if (interception === 'fail-before') return problem(500, 'injected failure: nothing was run')
    const result = await answer(pools, request, signal, limits)
    return interception === 'lose-answer' ? 'cut' : result
  }

  const respond = async (request: IncomingMessage, signal: AbortSignal): Promise<Problem | 'cut'> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (request.method !== 'POST' || pathname !== '/sql') return problem(400, 'query is not supported')
    const text = await readBody(request, limits.maxBytes)
    if (text === null) return problem(413, `request is too large (max is ${limits.maxBytes} bytes)`)
    const parsed = parseSqlRequest(request.headers, text)
    return isRefusal(parsed) ? problem(parsed.status, parsed.message) : run(parsed, signal)
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(limits.timeLimitMs)])
    try {
      const result = await respond(request, signal)
      if (result === 'cut') response.destroy()
      else send(response, result)
    } catch (error) {
      if (gone.signal.aborted) return
      send(response, problemOf(error))
    }
  }
}

/** Starts the endpoint on loopback. Rejects when the port is taken. */
export async function startNeonEndpoint(options: NeonEndpointOptions): Promise<NeonEndpoint> {
  const target = serverOf(options.postgresUrl)
  const pools = createPools(target)
  const bridge = createBridge(target)
  const limits = { timeLimitMs: options.timeLimitMs ?? TIME_LIMIT_MS, maxBytes: options.maxBytes ?? MAX_BYTES }
  const handle = createHandler(pools, options, limits)
  const server = createServer((request, response) => void handle(request, response))
  server.on('upgrade', (request, socket, head) => bridge.upgrade(request, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The Neon endpoint has no port.')
  options.log(`Neon endpoint before ${target.host}:${target.port} on port ${address.port}`)
  return {
    url: `http://127.0.0.1:${address.port}/sql`,
    port: address.port,
    async stop() {
      bridge.end()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await pools.end()
    },
  }
}
