// A queue for plain workerd: receives what Workers send, and delivers it as Cloudflare does, one message at a time to each
// of several consumers, with delays, retries and dead letters. Holds everything in memory.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import type { Delivered, QueueResult } from './workerd-process.ts'

export interface QueueBrokerOptions {
  readonly deliver: (message: Delivered) => Promise<QueueResult>
  /** Deliveries at the same time. */
  readonly concurrency: number
  /** Further deliveries after the first. */
  readonly maxRetries: number
}

export interface QueueBroker {
  /** `HOST:PORT`, where workerd sends messages. */
  readonly address: string
  /** Messages that wait or are being delivered. Delayed ones count. */
  waiting(): number
  /** The bodies whose last delivery failed. */
  deadLetters(): readonly unknown[]
  /** Resolves when no message waits that is due within `withinMs`. */
  idle(signal: AbortSignal, withinMs?: number): Promise<void>
  /** Accepts messages and delivers none until `resume`. */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

interface Waiting extends Delivered {
  readonly dueAtMs: number
}

/** workerd sends a batch as JSON, with each body in base64; the bodies are JSON (`queues_json_messages`). */
const sent = z.object({
  messages: z.array(z.object({ body: z.string(), delaySecs: z.number().optional() })),
})
const pollMs = 10

async function messagesOf(request: IncomingMessage, nowMs: number): Promise<Waiting[]> {
  const { messages } = sent.parse(JSON.parse(await text(request)))
  return messages.map(({ body, delaySecs = 0 }) => ({
    id: randomUUID(),
    timestamp: nowMs,
    body: JSON.parse(Buffer.from(body, 'base64').toString()) as unknown,
    attempts: 1,
    dueAtMs: nowMs + delaySecs * 1000,
  }))
}

/** Resolves with the port. */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the queue has no TCP address')
  return address.port
}

/** Starts the queue on a free port of this machine. */
export async function startQueueBroker(options: QueueBrokerOptions): Promise<QueueBroker> {
  const { deliver, concurrency, maxRetries } = options
  const waiting = new Set<Waiting>()
  const delivering = new Set<Waiting>()
  const dead: unknown[] = []
  const stopped = new AbortController()
  let isPaused = false

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      for (const message of await messagesOf(request, Date.now())) waiting.add(message)
      // The producer's `send` rejects a response without these, although the messages have arrived.
      const metrics = { backlogCount: waiting.size, backlogBytes: 0 }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ metadata: { metrics } }))
    } catch {
      response.writeHead(400).end()
    }
  }
  const server = createServer((request, response) => void take(request, response))
  const port = await listen(server)

  const again = (message: Waiting, delaySeconds: number): void => {
    if (message.attempts > maxRetries) dead.push(message.body)
    else waiting.add({ ...message, attempts: message.attempts + 1, dueAtMs: Date.now() + delaySeconds * 1000 })
  }
  const deliverOne = async (message: Waiting): Promise<void> => {
    try {
      const { outcome, retryBatch, retryMessages } = await deliver(message)
      const retried = retryMessages.find(({ msgId }) => msgId === message.id)
      if (outcome !== 'ok' || retryBatch.retry) again(message, retryBatch.delaySeconds ?? 0)
      else if (retried !== undefined) again(message, retried.delaySeconds ?? 0)
    } catch {
      // The Worker is not there, as during a restart: the platform delivers again.
      again(message, 1)
    } finally {
      delivering.delete(message)
    }
  }
  const nextDue = (): Waiting | undefined => {
    const nowMs = Date.now()
    for (const message of waiting) if (message.dueAtMs <= nowMs) return message
    return undefined
  }
  const consume = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const message = isPaused ? undefined : nextDue()
      if (message === undefined) await delay(pollMs)
      else {
        waiting.delete(message)
        delivering.add(message)
        await deliverOne(message)
      }
    }
  }
  const consumers = Array.from({ length: concurrency }, consume)
  return {
    address: `127.0.0.1:${port}`,
    waiting: () => waiting.size + delivering.size,
    deadLetters: () => dead,
    async idle(signal, withinMs = 0) {
      const isBusy = (): boolean =>
        delivering.size > 0 || [...waiting].some(({ dueAtMs }) => dueAtMs <= Date.now() + withinMs)
      while (isBusy()) await delay(pollMs, undefined, { signal })
    },
    pause: () => void (isPaused = true),
    resume: () => void (isPaused = false),
    async stop() {
      stopped.abort()
      await Promise.all(consumers)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
