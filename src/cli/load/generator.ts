// Sends requests at full rate over a number of connections, with autocannon, and keeps every response's status and time.
import autocannon from 'autocannon'
import type { Outcome } from './traffic.ts'

export interface Shot {
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

export interface Volley {
  readonly origin: string
  readonly shots: readonly Shot[]
  readonly connections: number
  /** The longest time that it takes. */
  readonly seconds: number
  /** Sends each shot once and then ends. Otherwise the shots repeat until the time has passed. */
  readonly once?: boolean
  /** Called for each response to a shot. */
  readonly onResponse?: (shot: Shot, status: number) => void
  readonly signal: AbortSignal
}

export interface Fired {
  readonly outcomes: readonly Outcome[]
  /** From the first request to the last response. */
  readonly seconds: number
}

/** A phase also ends when so many responses have arrived. */
const mostResponses = 2_000_000
const responseTimeoutSeconds = 30
const sampleMs = 50

/**
 * The shots of each connection. Once: a part for each, as large as autocannon expects. Otherwise all, from another start,
 * so that connections do not send the same at the same time.
 */
export function sharesOf<Item>(items: readonly Item[], connections: number, once: boolean): Item[][] {
  let start = 0
  return Array.from({ length: connections }, (_, index) => {
    if (!once) {
      const from = Math.floor((index * items.length) / connections)
      return [...items.slice(from), ...items.slice(0, from)]
    }
    const size = Math.floor(items.length / connections) + (index < items.length % connections ? 1 : 0)
    start += size
    return items.slice(start - size, start)
  })
}

function requestsOf(shots: readonly Shot[], onResponse: Volley['onResponse']): autocannon.Request[] {
  return shots.map((shot) => {
    const { path, method = 'GET', headers, body } = shot
    const request = { path, method, headers: { ...headers }, ...(body === undefined ? {} : { body }) }
    return onResponse === undefined ? request : { ...request, onResponse: (status) => onResponse(shot, status) }
  })
}

/** Resolves when all is sent or the time has passed. Rejects when `signal` aborts, after all connections are closed. */
export async function fire(volley: Volley): Promise<Fired> {
  const { origin, shots, once = false, seconds, onResponse, signal } = volley
  if (shots.length === 0) throw new Error('There is nothing to send.')
  signal.throwIfAborted()
  const connections = Math.min(volley.connections, shots.length)
  const shares = sharesOf(shots, connections, once).values()
  const outcomes: Outcome[] = []
  const started = performance.now()
  let last = started
  const options: autocannon.Options = {
    url: origin,
    connections,
    timeout: responseTimeoutSeconds,
    sampleInt: sampleMs,
    ...(once ? { amount: shots.length } : { duration: seconds }),
    setupClient: (client) => client.setRequests(requestsOf(shares.next().value ?? [], onResponse)),
  }
  await new Promise<void>((resolve, reject) => {
    const run = autocannon(options, (error: unknown) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      if (error instanceof Error) reject(error)
      else resolve()
    })
    const stop = (): void => run.stop()
    const timer = setTimeout(stop, seconds * 1000)
    signal.addEventListener('abort', stop, { once: true })
    const note = (status: number, ms: number): void => {
      last = performance.now()
      outcomes.push({ status, ms })
      if (outcomes.length >= mostResponses) stop()
    }
    run.on('response', (_client, status, _bytes, ms) => note(status, ms))
    run.on('reqError', () => note(0, responseTimeoutSeconds * 1000))
  })
  signal.throwIfAborted()
  return { outcomes, seconds: Math.max(last - started, 1) / 1000 }
}
