// Receives the bank's webhooks instead of the Worker and keeps them with their signatures, to send each of them once later.
// Plaid's signatures are valid for five minutes.
import { setTimeout as delay } from 'node:timers/promises'
import type { Shot } from './generator.ts'
import { listen, type Listener } from './listener.ts'

export const webhookPath = '/api/v1/plaid/webhook'

export interface Deliveries {
  readonly origin: string
  /** Passes what arrives on to the Worker: during the first syncs. */
  forwardTo(origin: string | null): void
  /** Takes the deliveries that arrived so far. */
  take(): Shot[]
  /** Resolves when nothing has arrived for a moment. */
  settled(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

const quietMs = 300

export async function receiveDeliveries(): Promise<Deliveries> {
  let kept: Shot[] = []
  let worker: string | null = null
  let lastAt = performance.now()
  const listener: Listener = await listen(async ({ headers, body }) => {
    lastAt = performance.now()
    const signature = headers['plaid-verification'] ?? ''
    const sent = { 'content-type': 'application/json', 'plaid-verification': signature }
    if (worker === null) {
      kept.push({ path: webhookPath, method: 'POST', headers: sent, body })
      return { status: 200 }
    }
    const response = await fetch(`${worker}${webhookPath}`, {
      method: 'POST',
      headers: sent,
      body: new Uint8Array(body),
    })
    await response.arrayBuffer()
    return { status: response.status }
  })
  return {
    origin: listener.origin,
    forwardTo: (origin) => void (worker = origin),
    take() {
      const taken = kept
      kept = []
      return taken
    },
    async settled(signal) {
      while (performance.now() - lastAt < quietMs) await delay(quietMs / 4, undefined, { signal })
    },
    stop: () => listener.stop(),
  }
}
