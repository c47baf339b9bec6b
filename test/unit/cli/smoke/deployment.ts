// A deployment as a smoke test meets it: the Worker's real HTTP app behind a TLS server on loopback, and its plain http.
// The database behind it is absent, so /ready and reads have made-up responses.
import { createServer as createPlainServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:net'
import type { SecureVersion } from 'node:tls'
import { type Certificate, makeCertificate } from '../../../support/certificate.ts'
import { productionVariables, type ServedApp, serveApp, servicesOf } from '../../http/serve-app.ts'

/** A response with this header has its own headers alone. */
export const bare = 'x-bare'

export type Change = (path: string, method: string, response: Response) => Response

export interface DeploymentChoices {
  /** Replaces a response. */
  readonly change?: Change
  readonly minVersion?: SecureVersion
  readonly certificateDays?: number
  /** Serves plain http in place of the app. */
  readonly plain?: RequestListener | null
}

export interface Deployment {
  readonly url: string
  readonly plainUrl: string
  readonly ca: string
  /** `GET /path` of each request, with the values of a header. */
  readonly asked: { readonly line: string; readonly headers: IncomingMessage['headers']; readonly isPlain: boolean }[]
  stop(): Promise<void>
}

const certificates = new Map<number, Promise<Certificate>>()

function certificateFor(days: number): Promise<Certificate> {
  const made = certificates.get(days) ?? makeCertificate(days)
  certificates.set(days, made)
  return made
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const stopOf = (server: Server) => () => new Promise<void>((resolve) => void server.close(() => resolve()))

export const readyAnswer = (frozen = false): Response =>
  Response.json({ status: 'ready', frozen, checks: {} }, { headers: { 'cache-control': 'no-store' } })

/** What a database would response. */
const withDatabase: Change = (path, method, response) => {
  if (path === '/ready') return readyAnswer()
  if (method === 'GET' && path.endsWith('?limit=1') && response.status === 503)
    return Response.json({ data: [], next_cursor: null })
  return response
}

export async function startDeployment(choices: DeploymentChoices = {}): Promise<Deployment> {
  const { change = (_path, _method, response) => response, minVersion = 'TLSv1.2', certificateDays = 90 } = choices
  const { key, cert } = await certificateFor(certificateDays)
  const services = servicesOf(productionVariables)
  const app: ServedApp = serveApp(() => services)
  const asked: Deployment['asked'] = []
  const listener =
    (isPlain: boolean): RequestListener =>
    (request, response) => {
      const { url: path = '/', method = 'GET', headers } = request
      asked.push({ line: `${method} ${path}`, headers, isPlain })
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const sent = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
          name === 'host' || name === 'connection' || value === undefined ? [] : [[name, String(value)]],
        )
        const body = chunks.length === 0 || method === 'GET' ? {} : { body: Buffer.concat(chunks) }
        const init = { method, headers: sent, ...body }
        void (async () => {
          const answered = isPlain ? await app.askPlainly(path, init) : await app.ask(path, init)
          const given = isPlain ? answered : change(path, method, withDatabase(path, method, answered))
          // A response that stands for the app's has its headers too.
          const all = new Headers(answered.headers)
          for (const [name, value] of given.headers) all.set(name, value)
          const sentBack = Object.fromEntries(given.headers.has(bare) ? given.headers : all)
          const { location } = sentBack
          if (location !== undefined) sentBack['location'] = location.replace('api.wealth.test', '127.0.0.1')
          response.writeHead(given.status, sentBack)
          response.end(Buffer.from(await given.arrayBuffer()))
        })()
      })
    }
  const old = minVersion === 'TLSv1.2' ? {} : { ciphers: 'DEFAULT:@SECLEVEL=0' }
  const secure = createServer({ key, cert, minVersion, ...old }, listener(false))
  const port = await listen(secure)
  const plain = choices.plain === null ? null : createPlainServer(choices.plain ?? listener(true))
  const plainPort = plain === null ? 1 : await listen(plain)
  return {
    url: `https://127.0.0.1:${port}`,
    plainUrl: `http://127.0.0.1:${plainPort}`,
    ca: cert,
    asked,
    async stop() {
      await stopOf(secure)()
      if (plain !== null) await stopOf(plain)()
    },
  }
}
