// Cloudflare's edge over TLS on loopback, before real Workers in workerd: each request goes to a version by the traffic
// table of an invented account, or by the override header.
import { createServer } from 'node:https'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Certificate } from '../certificate.ts'
import { versionChooser } from './edge-server.ts'

export interface TlsEdge {
  readonly port: number
  /** The Workers, by version: their ports. */
  readonly workers: Map<string, number>
  /** Versions that respond with 500 to everything but /ready. */
  readonly broken: Set<string>
  /** How many requests each version got. */
  readonly served: Map<string, number>
  stop(): Promise<void>
}

/** In a strict environment the Worker sends it; the Workers here run as on a development machine. */
const strictTransport = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }

function forward(port: number, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request
  const sent = httpRequest(
    { host: '127.0.0.1', port, method, path: url, headers: { ...headers, 'cf-connecting-ip': '203.0.113.20' } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...strictTransport })
      answer.pipe(response)
    },
  )
  sent.on('error', () => response.destroy())
  request.pipe(sent)
}

export async function startTlsEdge(folder: string, workerName: string, certificate: Certificate): Promise<TlsEdge> {
  const choose = versionChooser(folder, workerName)
  const workers = new Map<string, number>()
  const broken = new Set<string>()
  const served = new Map<string, number>()
  const server = createServer({ ...certificate, minVersion: 'TLSv1.2' }, (request, response) => {
    const version = choose(request)
    if (version === null) return void response.writeHead(530).end('no deployment')
    served.set(version, (served.get(version) ?? 0) + 1)
    if (broken.has(version) && request.url !== '/ready') return void response.writeHead(500).end('broken')
    const port = workers.get(version)
    if (port === undefined) return void response.writeHead(530).end('no such version')
    return forward(port, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    // oxlint-disable-next-line typescript/consistent-type-assertions -- a TCP server's address
    port: (server.address() as AddressInfo).port,
    workers,
    broken,
    served,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
