// Sends requests at a constant rate, whether or not earlier ones were answered. Each time counts from the moment at which
// the request was due, so that a server that stalls cannot hide it (coordinated omission). autocannon sends the requests
// of each second in one burst, which would measure another load.
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Shot } from './generator.ts'
import type { Outcome } from './traffic.ts'

const mostSockets = 64
const timeoutMs = 30_000
/** Timers are not more exact than this. */
const tickMs = 1

export interface Paced {
  readonly origin: string
  readonly shots: readonly Shot[]
  readonly perSecond: number
  readonly onResponse?: (shot: Shot, status: number) => void
  readonly signal: AbortSignal
}

function send(agent: Agent, origin: string, { path, method = 'GET', headers, body }: Shot): Promise<number> {
  return new Promise((resolve) => {
    const asked = request(new URL(path, origin), { agent, method, headers, timeout: timeoutMs }, (answer) => {
      answer.once('error', () => resolve(0))
      answer.once('end', () => resolve(answer.statusCode ?? 0))
      answer.resume()
    })
    asked.once('timeout', () => asked.destroy(new Error('No response in time.')))
    asked.once('error', () => resolve(0))
    asked.end(body)
  })
}

/** Sends each shot once. Resolves when every response has arrived. */
export async function firePaced({ origin, shots, perSecond, onResponse, signal }: Paced): Promise<readonly Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: mostSockets })
  const started = performance.now()
  const outcomes: Promise<Outcome>[] = []
  const one = async (shot: Shot, dueAt: number): Promise<Outcome> => {
    const status = await send(agent, origin, shot)
    onResponse?.(shot, status)
    return { status, ms: performance.now() - dueAt }
  }
  try {
    for (const [index, shot] of shots.entries()) {
      const dueAt = started + (index * 1000) / perSecond
      while (performance.now() < dueAt) await delay(tickMs, undefined, { signal })
      outcomes.push(one(shot, dueAt))
    }
    return await Promise.all(outcomes)
  } finally {
    agent.destroy()
  }
}
