// A webhook receiver that keeps what it gets and responds as the test says.
import { createServer } from 'node:http'

export interface Received {
  jwt: string | null
  text: string
  body: Record<string, unknown>
}

export interface Receiver {
  url: string
  received: Received[]
  /** Statuses of the next responses, `never` for no response; then 200. */
  answers: { status: number | 'never'; headers?: Record<string, string> }[]
  /** Resolves when this many webhooks have arrived. Rejects after fifteen seconds. */
  arrived(count: number): Promise<Received[]>
  codes(): string[]
  stop(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const answers: Receiver['answers'] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const jwt = request.headers['plaid-verification']
      received.push({ jwt: typeof jwt === 'string' ? jwt : null, text, body: parsed(text) })
      const answer = answers.shift() ?? { status: 200 }
      if (answer.status !== 'never') response.writeHead(answer.status, answer.headers).end('{}')
      for (const look of waiting) look()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}/webhook`,
    received,
    answers,
    codes: () => received.map(({ body }) => String(body['webhook_code'])),
    arrived: (count) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`only ${received.length} of ${count} webhooks came`)), 15_000)
        const look = (): void => {
          if (received.length < count) return
          clearTimeout(late)
          waiting.delete(look)
          resolve(received)
        }
        waiting.add(look)
        look()
      }),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
