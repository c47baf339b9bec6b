// Receives webhooks on this machine. The simulator reaches it directly; Plaid's sandbox through a tunnel that the
// operator opened to its port.
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface ReceivedWebhook {
  readonly verification: string
  readonly body: string
}

export interface WebhookInbox {
  /** The webhook URL for Plaid. */
  readonly url: string
  /** The first webhook whose body contains `text`. Rejects after `timeoutMs`. */
  wait(text: string, timeoutMs: number): Promise<ReceivedWebhook>
  stop(): Promise<void>
}

const pollMs = 50

/** @param publicUrl the URL that leads to the port from outside; null for the port itself */
export async function openInbox(port: number, publicUrl: string | null): Promise<WebhookInbox> {
  const received: ReceivedWebhook[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const verification = request.headers['plaid-verification']
      const body = Buffer.concat(chunks).toString('utf8')
      received.push({ verification: typeof verification === 'string' ? verification : '', body })
      response.end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The receiver of webhooks has no port.')
  return {
    url: publicUrl ?? `http://127.0.0.1:${address.port}/`,
    async wait(text, timeoutMs) {
      const deadline = performance.now() + timeoutMs
      for (;;) {
        const found = received.find(({ body }) => body.includes(text))
        if (found !== undefined) return found
        if (performance.now() > deadline) throw new Error(`no webhook with ${text} came in ${timeoutMs} ms`)
        await delay(pollMs)
      }
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
