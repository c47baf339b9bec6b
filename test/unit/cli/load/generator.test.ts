// What a load run sends: each delivery once, bounded in time and number, and to the target only.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { fire, sharesOf, type Shot } from '../../../../src/cli/load/generator.ts'
import { firePaced } from '../../../../src/cli/load/paced.ts'
import { loadTarget } from '../../../../src/cli/load/run.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    handle(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const shotsOf = (count: number): Shot[] =>
  Array.from({ length: count }, (_, index) => ({
    path: `/${index}`,
    method: 'POST',
    headers: {},
    body: Buffer.from(String(index)),
  }))
const signal = (): AbortSignal => AbortSignal.timeout(20_000)

describe('the shares of connections', () => {
  it.each([1, 2, 3, 7])('cover each request once over %d connections', (connections) => {
    const shares = sharesOf([1, 2, 3, 4, 5, 6, 7], connections, true)
    expect(shares.flat()).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(shares).toHaveLength(connections)
  })

  it('start at another request each where requests repeat', () => {
    expect(sharesOf([1, 2, 3, 4], 2, false)).toEqual([
      [1, 2, 3, 4],
      [3, 4, 1, 2],
    ])
  })
})

describe('a run at full rate', () => {
  it('sends each request once, and ends', async () => {
    const seen: string[] = []
    const origin = await serve((request, response) => {
      seen.push(request.url ?? '')
      response.writeHead(seen.length % 5 === 0 ? 503 : 200).end('{}')
    })
    const responded: string[] = []
    const { outcomes } = await fire({
      origin,
      shots: shotsOf(23),
      connections: 4,
      seconds: 10,
      once: true,
      onResponse: ({ path }) => void responded.push(path),
      signal: signal(),
    })
    const all = shotsOf(23).map(({ path }) => path)
    expect(seen.toSorted()).toEqual(all.toSorted())
    expect(responded.toSorted()).toEqual(all.toSorted())
    expect(outcomes.filter(({ status }) => status === 503)).toHaveLength(4)
    expect(outcomes).toHaveLength(23)
  })

  it('ends after its time although the server never responds', async () => {
    const origin = await serve(() => undefined)
    const started = performance.now()
    const { outcomes } = await fire({
      origin,
      shots: shotsOf(3),
      connections: 2,
      seconds: 1,
      once: true,
      signal: signal(),
    })
    expect(performance.now() - started).toBeLessThan(5000)
    expect(outcomes).toEqual([])
  })

  it('ends when it is interrupted', async () => {
    const origin = await serve((_, response) => void response.end('{}'))
    const stop = new AbortController()
    const running = fire({ origin, shots: shotsOf(3), connections: 2, seconds: 60, signal: stop.signal })
    stop.abort(new Error('Stopped.'))
    await expect(running).rejects.toThrow('Stopped.')
  })
})

describe('a run at a constant rate', () => {
  it('counts the time from the moment at which a request was due', async () => {
    const origin = await serve((_, response) => void setTimeout(() => response.writeHead(200).end(), 150))
    const started = performance.now()
    const outcomes = await firePaced({ origin, shots: shotsOf(10), perSecond: 50, signal: signal() })
    expect(performance.now() - started).toBeGreaterThan(9 * 20 + 140)
    expect(outcomes.every(({ status, ms }) => status === 200 && ms >= 140)).toBe(true)
  })

  it('counts a refused connection as no response', async () => {
    const outcomes = await firePaced({
      origin: 'http://127.0.0.1:9',
      shots: shotsOf(2),
      perSecond: 50,
      signal: signal(),
    })
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0])
  })
})

describe('a run against a deployment', () => {
  const options = {
    tokens: ['one', 'two'],
    isOwn: false,
    seconds: 1,
    connections: 2,
    soakMinutes: null,
    json: false,
    url: null,
  }
  const quiet = (): void => undefined

  it('reads lists and insights of each user, and nothing else', async () => {
    const seen = new Set<string>()
    const origin = await serve((request, response) => {
      seen.add(`${request.method} ${request.url?.split('?')[0]} ${request.headers.authorization ?? ''}`)
      response.end('{}')
    })
    const report = await loadTarget(options, origin, quiet, signal())
    expect(report.findings.map(({ ok }) => ok)).toEqual([true, true])
    expect([...seen].filter((line) => !/^GET \/(?:health |api\/v1\/[\w/-]+ Bearer (?:one|two)$)/.test(line))).toEqual(
      [],
    )
    expect(seen).toContain('GET /api/v1/transactions Bearer one')
    expect(seen).toContain('GET /api/v1/insights/spending Bearer two')
  })

  it('follows no redirect, and counts it as not good', async () => {
    let elsewhere = 0
    const other = await serve((_, response) => {
      elsewhere += 1
      response.end('{}')
    })
    const origin = await serve((request, response) => {
      if (request.url === '/health') response.end('{}')
      else response.writeHead(302, { location: other }).end()
    })
    const report = await loadTarget(options, origin, quiet, signal())
    expect(report.findings[0]).toMatchObject({ value: 0, ok: false })
    expect(elsewhere).toBe(0)
  })

  it('sends nothing to another machine', async () => {
    await expect(loadTarget(options, 'http://203.0.113.7', quiet, signal())).rejects.toThrow('--i-own-this')
  })
})
