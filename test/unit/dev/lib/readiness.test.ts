// Waiting for the local Worker's /ready, with a server that responds like the Worker and logs in wrangler's format.
import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createReasons, type Reasons, whenReady } from '../../../../src/dev/lib/readiness.ts'

const requestId = '0b5f0f5e-0000-4000-8000-000000000001'
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Responds to /ready with each status in turn, then always with the last. */
async function workerWith(statuses: readonly number[], body: object): Promise<string> {
  let asked = 0
  const server = createServer((_request, response) => {
    const status = statuses[Math.min(asked++, statuses.length - 1)] ?? 500
    response.writeHead(status, { 'x-request-id': requestId }).end(JSON.stringify(body))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

/** The reasons after one log line of the request, in wrangler's format for an error. */
function reasonsWith(reason: string): Reasons {
  const reasons = createReasons()
  const line = { level: 'error', event: 'http_request', request_id: requestId, reason }
  reasons.note('Using secrets defined in {a file} with a "reason"')
  reasons.note(`✘ [ERROR] ${JSON.stringify(line)}`)
  return reasons
}

const unlimited = new AbortController().signal

describe('whenReady', () => {
  it('rejects a wrong configuration at once, with the reason from the log', async () => {
    const url = await workerWith([500], { code: 'misconfigured', detail: 'The service is not configured correctly.' })
    await expect(whenReady(url, reasonsWith('RATE_LIMITS must be other'), unlimited)).rejects.toThrow(
      'The Worker is not ready. GET /ready returns 500 misconfigured: RATE_LIMITS must be other',
    )
  })

  it('asks again while the database is unavailable', async () => {
    const url = await workerWith([503, 200], { code: 'unavailable', detail: 'Not ready.' })
    const reasons = reasonsWith('wn_api: The database does not answer.')
    await expect(whenReady(url, reasons, unlimited)).resolves.toBeUndefined()
  })

  it('rejects with the last refusal after the timeout', async () => {
    const url = await workerWith([503], { code: 'unavailable', detail: 'Not ready.' })
    const reasons = reasonsWith('wn_api: The login is not wn_api.')
    await expect(whenReady(url, reasons, unlimited, 0)).rejects.toThrow(
      'GET /ready returns 503 unavailable: wn_api: The login is not wn_api.',
    )
  })

  it('rejects when nothing responds', async () => {
    await expect(whenReady('http://127.0.0.1:1', createReasons(), unlimited, 0)).rejects.toThrow('GET /ready: ')
  })

  it('ends when the start is interrupted', async () => {
    const url = await workerWith([503], { code: 'unavailable', detail: 'Not ready.' })
    const stopping = new AbortController()
    const waiting = whenReady(url, reasonsWith('later'), stopping.signal)
    stopping.abort()
    await expect(waiting).rejects.toThrow('aborted')
  })
})
