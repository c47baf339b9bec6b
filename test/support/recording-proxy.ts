// An HTTP proxy for tests that forwards requests unchanged and records both sides, or keeps the requests for the test.
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'

export interface Exchange {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Null until the response is here, and for ever when the connection was cut. */
  status: number | null
  answer: string
}

export interface RecordingProxy {
  readonly url: string
  /** Every request, oldest first. */
  readonly exchanges: readonly Exchange[]
  /** Where requests are forwarded. With null, the proxy responds 200 itself. */
  target: string | null
  /** Called before the target's response is passed on; the response waits for it. */
  onAnswer: (exchange: Exchange) => Promise<void>
  stop(): Promise<void>
}

/** Headers of one connection, not of the request (RFC 9110 §7.6.1). */
const ofTheConnection = new Set(['host', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'expect'])

function headersOf(incoming: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(incoming).flatMap(([name, value]) =>
    typeof value === 'string' && !ofTheConnection.has(name) ? [[name, value] as const] : [],
  )
  return Object.fromEntries(entries)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function passOn(
  target: string,
  exchange: Exchange,
  response: ServerResponse,
  proxy: RecordingProxy,
): Promise<void> {
  const { method, path, headers, body } = exchange
  const answer = await fetch(new URL(path, target), {
    method,
    headers,
    redirect: 'manual',
    ...(method === 'GET' ? {} : { body }),
  })
  exchange.answer = await answer.text()
  exchange.status = answer.status
  response.statusCode = answer.status
  for (const name of ['content-type', 'retry-after', 'plaid-request-id']) {
    const value = answer.headers.get(name)
    if (value !== null) response.setHeader(name, value)
  }
  await proxy.onAnswer(exchange)
  response.end(exchange.answer)
}

/** Listens on a free port of this machine. `ownBody` is the body of the proxy's own responses. */
export async function startRecordingProxy(target: string | null, ownBody = ''): Promise<RecordingProxy> {
  const exchanges: Exchange[] = []
  const server = createServer((request, response) => {
    const work = async () => {
      const headers = headersOf(request.headers)
      const body = await bodyOf(request)
      const { method = 'GET', url: path = '/' } = request
      const exchange: Exchange = { method, path, headers, body, status: null, answer: '' }
      exchanges.push(exchange)
      if (proxy.target !== null) return passOn(proxy.target, exchange, response, proxy)
      await proxy.onAnswer(exchange)
      response.end(ownBody)
    }
    // The other side cut the connection: so does this one.
    work().catch(() => request.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.')
  const proxy: RecordingProxy = {
    url: `http://127.0.0.1:${address.port}`,
    exchanges,
    target,
    onAnswer: () => Promise.resolve(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return proxy
}
