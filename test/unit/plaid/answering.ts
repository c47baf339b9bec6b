// A server in Plaid's place that responds as the test says and remembers the requests.
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { PlaidResult } from '../../../src/plaid/client.ts'
import { createUsageCounter } from '../../../src/plaid/usage-counter.ts'

export interface Asked {
  readonly path: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Answer = (response: ServerResponse, asked: Asked) => void

export interface Answering {
  readonly url: string
  readonly asked: readonly Asked[]
  /** The next responses, in order; the last one repeats. */
  answer(...answers: Answer[]): void
  stop(): Promise<void>
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** A response with this text as its body. */
export function json(text: string, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(text)
  }
}

/** An error in Plaid's shape. */
export function plaidError(status: number, type: string, code: string, headers: Record<string, string> = {}): Answer {
  return json(
    JSON.stringify({
      error_type: type,
      error_code: code,
      error_message: 'a message that nobody may repeat',
      display_message: 'neither this',
      request_id: 'request-1',
    }),
    status,
    headers,
  )
}

export async function startAnswering(): Promise<Answering> {
  const asked: Asked[] = []
  let answers: Answer[] = []
  const server = createServer((request, response) => {
    const work = async (): Promise<void> => {
      const { url: path = '/', method = 'GET', headers } = request
      const entry = { path, method, headers, body: await textOf(request) }
      asked.push(entry)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer === undefined) throw new Error('The test has given no answer.')
      answer(response, entry)
    }
    // The client cut the connection, or the test's response threw: close this side too.
    work().catch(() => request.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    answer(...given) {
      asked.length = 0
      answers = given
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** No usage is counted here; rate-limit/client.test.ts tests that. */
export const uncounted = {
  caller: { priority: 'interactive', itemId: null, userId: null },
  limiter: null,
  usage: createUsageCounter(),
  freeze: { check: () => Promise.resolve('open' as const) },
} as const

/** The failure of a call. Throws when it succeeded. */
export function failureOf(result: PlaidResult<unknown>) {
  if (result.ok) throw new Error('the call succeeded')
  return result.failure
}
