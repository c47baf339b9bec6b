// A server on this machine that returns what a test says, and keeps what it received.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import * as z from 'zod'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is if it is text, otherwise as JSON. */
  readonly body?: unknown
  /** Ends the connection instead. */
  readonly drop?: true
}

export interface ScriptedApi {
  readonly url: string
  readonly received: readonly Received[]
  stop(): Promise<void>
}

function write(response: ServerResponse, { status = 200, headers = {}, body, drop }: Reply): void {
  if (drop === true) return void response.destroy()
  const isProblem = status >= 400 && typeof body === 'object'
  const type = isProblem ? 'application/problem+json' : 'application/json'
  const text = typeof body === 'string' || body === undefined ? (body ?? '') : JSON.stringify(body)
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(text)
}

/** Starts it on a free port. `answer` gets each request and the number of those before it. */
export async function startScriptedApi(
  answer: (request: Received, before: number) => Reply | Promise<Reply>,
): Promise<ScriptedApi> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const complete = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') }
      received.push(complete)
      void Promise.resolve(answer(complete, received.length - 1)).then(
        (reply) => write(response, reply),
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = z.object({ port: z.number() }).parse(server.address())
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A problem as the API sends it. */
export const problem = (status: number, code: string, more: Readonly<Record<string, unknown>> = {}): Reply => ({
  status,
  headers: { 'x-request-id': 'f0000000-0000-4000-8000-000000000000' },
  body: {
    type: `/problems/${code}`,
    title: code,
    status,
    detail: `It is ${code}.`,
    instance: 'urn:uuid:f',
    code,
    ...more,
  },
})
