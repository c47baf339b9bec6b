// Starts a Worker in workerd without a proxy in front, records its outgoing calls, and sends requests whose client
// resets its connection after a chosen call. `wrangler dev` cannot be used: its proxy keeps the request alive.
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startWorkerd } from '../../src/dev/lib/workerd-process.ts'
import { type SyncMessage, syncMessageSchema } from '../../src/messages/message.ts'
import * as z from 'zod'
import { workerVariables } from './bindings.ts'
import { type Exchange, startRecordingProxy, type RecordingProxy } from './recording-proxy.ts'
import { goodClaims, mintToken } from './tokens.ts'
import type { World } from './world.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

/** Longer than workerd takes to notice that a client has disconnected. */
const noticeMs = 60
/** A request has ended when it made no call for this long. */
const quietMs = 250
const longestMs = 20_000

export interface Visit {
  readonly method: string
  readonly path: string
  readonly subject?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Outcome {
  /**
   * Each outgoing call with a response, as `database`, `queue` or a path of Plaid. Calls that only count or wait are
   * left out.
   */
  readonly calls: readonly string[]
  /** The response as text, up to where the client disconnected. */
  readonly response: string
}

export interface DirectWorker {
  /** On 127.0.0.1. */
  readonly port: number
  /**
   * Sends a request and disconnects after the response to the `leaveAfter`th outgoing call; with 0 it stays. Resolves
   * when no further call is made and the queue messages are consumed.
   */
  visit(visit: Visit, leaveAfter: number): Promise<Outcome>
  stop(): Promise<void>
}

/**
 * Statements that count calls to Plaid, that poll whether a rotation has ended, that an isolate repeats every few
 * seconds at most, or that look for events to deliver after the response.
 */
const uncounted = /plaid_usage|is_running|select kid|name = 'freeze'|set woken_until = now/
/** A queue's response to a batch. */
const emptyQueue = JSON.stringify({
  metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } },
})
const batchSchema = z.object({ messages: z.array(z.object({ body: z.string() })) })

/** workerd sends a batch as JSON, with each body in base64. */
function messagesOf({ body }: Exchange): SyncMessage[] {
  return batchSchema
    .parse(JSON.parse(body))
    .messages.map((message) => syncMessageSchema.parse(JSON.parse(Buffer.from(message.body, 'base64').toString())))
}

function requestText({ method, path, subject, headers = {}, body }: Visit, secret: string): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: localhost', 'connection: close']
  if (subject !== undefined) lines.push(`authorization: Bearer ${mintToken({ secret, claims: goodClaims(subject) })}`)
  if (body !== undefined) lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`)
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

export interface Client {
  /** Resets the connection. */
  leave(): void
  /** The received text, once the server or the client has closed the connection. */
  readonly received: Promise<string>
}

/** Sends these bytes to a port of this machine. */
export function send(port: number, text: string): Client {
  const socket = connect(port, '127.0.0.1', () => socket.write(text))
  const chunks: string[] = []
  const received = new Promise<string>((resolve) => {
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(chunks.join('')))
  })
  // A reset, because a client that sends a FIN may still be reading.
  return { leave: () => void socket.resetAndDestroy(), received }
}

/** Starts the built Worker on the world's database and bank. */
export async function startDirectWorker(
  world: World,
  variables: Readonly<Record<string, string>> = {},
): Promise<DirectWorker> {
  const { database, simulator, stack } = world
  const [databaseTap, plaidTap, queueTap] = await Promise.all([
    startRecordingProxy(new URL(database.endpoint).origin),
    startRecordingProxy(simulator.url),
    startRecordingProxy(null, emptyQueue),
  ])
  const named: readonly (readonly [RecordingProxy, (exchange: Exchange) => string | null])[] = [
    [databaseTap, ({ body }) => (uncounted.test(body) ? null : 'database')],
    [plaidTap, ({ path }) => path],
    [queueTap, () => 'queue'],
  ]
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-direct-'))
  const given: Record<string, string> = {
    ...workerVariables(database),
    DATABASE_ENDPOINT: `${databaseTap.url}/sql`,
    PLAID_BASE_URL: plaidTap.url,
    PLAID_WEBHOOK_URL: world.services.config.plaid.webhookUrl,
    PLAID_CLIENT_ID: simulator.clientId,
    PLAID_SECRET: simulator.secret,
    PLAID_PRODUCTS: 'transactions,investments,liabilities',
    RATE_LIMIT_ENABLED: 'false',
    ...variables,
  }
  const workerd = await startWorkerd({
    projectFolder,
    folder: join(folder, 'worker'),
    bundle: await stack.bundle(),
    variables: given,
    queue: new URL(queueTap.url).host,
    signal: new AbortController().signal,
  })
  return {
    port: workerd.port,
    async visit(visit, leaveAfter) {
      const calls: string[] = []
      const consumed: Promise<unknown>[] = []
      let lastCallAt = Date.now()
      const client = send(workerd.port, requestText(visit, given['SECRET_KEY'] ?? ''))
      for (const [tap, name] of named)
        tap.onAnswer = async (exchange) => {
          lastCallAt = Date.now()
          const call = name(exchange)
          if (call === null) return
          calls.push(call)
          if (call === 'queue') consumed.push(world.consume(messagesOf(exchange)))
          if (calls.length !== leaveAfter) return
          client.leave()
          await delay(noticeMs)
          lastCallAt = Date.now()
        }
      const response = await client.received
      const deadline = Date.now() + longestMs
      while (Date.now() - lastCallAt < quietMs && Date.now() < deadline) await delay(20)
      await Promise.all(consumed)
      return { calls, response }
    },
    async stop() {
      await workerd.stop()
      await Promise.all(named.map(([tap]) => tap.stop()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
