// Requests whose framing and headers the test decides.
import { request } from 'node:http'
import type { Answer, Edge } from './edge.ts'

export interface RawRequest {
  readonly url: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Sends a request with these headers only. */
export function sendExactly({ url, method, path, headers, body = Buffer.alloc(0) }: RawRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { method, headers })
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const received = Object.entries(response.headersDistinct).map(([name, values]): [string, string] => [
          name,
          String(values),
        ])
        const json = (): unknown => JSON.parse(text)
        resolve({ method, path, status: response.statusCode ?? 0, headers: new Headers(received), text, json })
      })
    })
    // A server that has responded may close the connection while the body is still sent.
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Sends a request as a user with these headers only: without Content-Length, the body is sent in chunks. */
export function sendRaw(
  edge: Edge,
  subject: string,
  method: string,
  path: string,
  body: Buffer,
  headers: Record<string, string>,
): Promise<Answer> {
  const authorization = `Bearer ${edge.token(subject)}`
  const sent = { authorization, 'content-type': 'application/json', ...headers }
  return sendExactly({ url: edge.url, method, path, headers: sent, body })
}
