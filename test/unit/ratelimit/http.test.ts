// The limits over HTTP: in which order they refuse a request, what the response says, and which requests pass when the
// limiter fails.
import { createHmac } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { createLimiter, type LimiterObjects } from '../../../src/ratelimit/limiter.ts'
import type { Services } from '../../../src/context.ts'
import { asUser, developmentVariables, type ServedApp, serveApp, problemOf, servicesOf } from '../http/serve-app.ts'

const relaySecret = 'relay-secret-of-the-unit-tests-0123456789'
const id = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'
const webhook = '/api/v1/plaid/webhook'

/** An app with one set of services, as in one isolate, so that its memory and its objects last as long as the app. */
function openLimited(quotas: Readonly<Record<string, number>> = {}, change: Partial<Services> = {}): ServedApp {
  const services = {
    ...servicesOf({
      ...developmentVariables,
      RATE_LIMITS: JSON.stringify(quotas),
      PLAID_WEBHOOK_VERIFICATION_KEY: relaySecret,
    }),
    ...change,
  }
  return serveApp(() => services)
}

const from = (address: string, more: Readonly<Record<string, string>> = {}) => ({
  'cf-connecting-ip': address,
  ...more,
})

/** A request that validation refuses, so that it needs no database. */
const invalid = '/api/v1/accounts/x'

async function statuses(times: number, ask: () => Promise<Response>): Promise<number[]> {
  const seen: number[] = []
  for (let request = 0; request < times; request += 1) seen.push((await ask()).status)
  return seen
}

const limitHeaders = ({ headers }: Response) => ({
  policy: headers.get('ratelimit-policy'),
  standing: headers.get('ratelimit'),
  retryAfter: headers.get('retry-after'),
})

describe('a limited response', () => {
  it('has the policies, the remaining requests and the time of each', async () => {
    const served = openLimited()
    const ask = () => served.ask('/openapi.json', { headers: from('192.0.2.1') })
    const policy = '"global";q=100;w=60, "global_hour";q=1000;w=3600'
    expect(limitHeaders(await ask())).toEqual({
      policy,
      standing: '"global";r=99;t=60, "global_hour";r=999;t=3600',
      retryAfter: null,
    })
    expect(limitHeaders(await ask())).toMatchObject({ policy, standing: expect.stringContaining('"global";r=98;t=') })
  })

  it('has the policies of the route, the address and the user', async () => {
    const served = openLimited()
    const headers = { ...(await asUser('alice')), ...from('192.0.2.1') }
    await served.ask(invalid, { headers: { ...headers, ...from('192.0.2.9') } })
    const { policy, standing } = limitHeaders(await served.ask('/api/v1/plaid/items/x', { method: 'DELETE', headers }))
    expect(policy).toBe('"address";q=3000;w=60, "global";q=100;w=60, "global_hour";q=1000;w=3600, "sensitive";q=3;w=60')
    expect(standing).toMatch(
      /^"address";r=2999;t=60, "global";r=98;t=60, "global_hour";r=998;t=3600, "sensitive";r=2;t=60$/,
    )
  })

  it('is 429 over the limit, says which, and names no earlier time than it says elsewhere', async () => {
    const served = openLimited({ global: 2 })
    const ask = () => served.ask('/openapi.json', { headers: from('192.0.2.1') })
    expect(await statuses(2, ask)).toEqual([200, 200])
    const response = await ask()
    const { policy, standing, retryAfter } = limitHeaders(response)
    expect(policy).toBe('"global";q=2;w=60, "global_hour";q=1000;w=3600')
    expect(standing).toBe(`"global";r=0;t=${retryAfter}`)
    expect(Number(retryAfter)).toBeGreaterThan(55)
    expect(Number(retryAfter)).toBeLessThanOrEqual(60)
    expect(await problemOf(response)).toMatchObject({
      status: 429,
      code: 'rate_limited',
      'violated-policies': ['global'],
    })
    expect(served.lines.at(-1)).toMatchObject({ status: 429, code: 'rate_limited', reason: 'limit global' })
    expect(JSON.stringify(served.lines)).not.toContain('192.0.2.1')
  })

  it('lets pages read the headers', async () => {
    const headers = from('192.0.2.1', { origin: 'https://app.wealth.test' })
    const response = await openLimited({ global: 1 }).ask('/openapi.json', { headers })
    expect(response.headers.get('access-control-expose-headers')).toContain('RateLimit, RateLimit-Policy, Retry-After')
  })
})

describe('the address', () => {
  it('is limited strictly without a login', async () => {
    const served = openLimited({ global: 2 })
    const ask = () => served.ask('/api/v1/accounts', { headers: from('192.0.2.1') })
    expect(await statuses(4, ask)).toEqual([401, 401, 429, 429])
  })

  it('is limited generously with logins, for all of its users together, before anything is validated', async () => {
    const served = openLimited({ global: 2, address: 3 })
    const seen: number[] = []
    for (const name of ['alice', 'bob', 'carol', 'dan', 'alice'])
      seen.push((await served.ask(invalid, { headers: { ...(await asUser(name)), ...from('192.0.2.1') } })).status)
    expect(seen).toEqual([400, 400, 400, 429, 429])
  })

  it('is limited strictly for tokens that do not verify, which costs its logins nothing', async () => {
    const served = openLimited({ global: 2 })
    const forged = from('192.0.2.1', { authorization: 'Bearer a.b.c' })
    expect(await statuses(4, () => served.ask('/api/v1/accounts', { headers: forged }))).toEqual([401, 401, 429, 429])
    const response = await served.ask(invalid, { headers: { ...(await asUser('alice')), ...from('192.0.2.1') } })
    expect(response.status).toBe(400)
    expect(limitHeaders(response).standing).toContain('"address";r=2999;')
  })

  it('is the one from Cloudflare for any header from a client', async () => {
    const served = openLimited({ global: 1 })
    const names = ['x-forwarded-for', 'x-real-ip', 'true-client-ip', 'forwarded', 'x-client-ip', 'cf-connecting-ipv6']
    const seen: number[] = []
    for (const [index, name] of names.entries())
      seen.push(
        (await served.ask('/openapi.json', { headers: from('192.0.2.1', { [name]: `198.51.100.${index}` }) })).status,
      )
    expect(seen).toEqual([200, 429, 429, 429, 429, 429])
  })

  it('is one for all that have none', async () => {
    const served = openLimited({ global: 2 })
    const seen: number[] = []
    for (const address of ['junk', 'more junk', '999.1.1.1'])
      seen.push((await served.ask('/openapi.json', { headers: from(address) })).status)
    seen.push((await served.ask('/openapi.json')).status)
    expect(seen).toEqual([200, 200, 429, 429])
  })

  it.each([
    ['GET', '/nowhere', 404],
    ['PUT', '/api/v1/accounts', 405],
    ['GET', webhook, 405],
    ['GET', '/ready', 503],
  ])('is limited on %s %s too', async (method, path, status) => {
    const served = openLimited({ global: 1 })
    expect(await statuses(2, () => served.ask(path, { method, headers: from('192.0.2.1') }))).toEqual([status, 429])
  })

  it('is not limited where it is only asked whether we live, or whether a page may ask', async () => {
    const served = openLimited({ global: 1 })
    const preflight = { origin: 'https://app.wealth.test', 'access-control-request-method': 'GET' }
    expect(await statuses(3, () => served.ask('/health', { headers: from('192.0.2.1') }))).toEqual([200, 200, 200])
    const ask = () => served.ask('/api/v1/accounts', { method: 'OPTIONS', headers: from('192.0.2.1', preflight) })
    expect(await statuses(3, ask)).toEqual([204, 204, 204])
    const health = await served.ask('/health')
    expect(limitHeaders(health)).toEqual({ policy: null, standing: null, retryAfter: null })
  })
})

describe('a whole /48', () => {
  it('gets four addresses’ worth without a login, and its logins are not limited by it', async () => {
    const served = openLimited({ global: 2 })
    const ask = async (subnet: number, headers: Readonly<Record<string, string>> = {}) =>
      (await served.ask('/api/v1/accounts/x', { headers: from(`2001:db8:1:${subnet}::1`, headers) })).status
    const seen: number[] = []
    for (let subnet = 0; subnet < 10; subnet += 1) seen.push(await ask(subnet))
    expect(seen).toEqual([...Array(8).fill(401), 429, 429])
    for (const [index, name] of ['alice', 'bob', 'carol'].entries())
      expect(await ask(100 + index, await asUser(name))).toBe(400)
  })

  it('is charged for tokens that turn out to be none', async () => {
    const served = openLimited({ global: 2 })
    const seen: Response[] = []
    for (let subnet = 0; subnet < 10; subnet += 1) {
      const headers = from(`2001:db8:1:${subnet}::1`, { authorization: 'Bearer a.b.c' })
      seen.push(await served.ask('/api/v1/accounts', { headers }))
    }
    expect(seen.map(({ status }) => status)).toEqual([...Array(8).fill(401), 429, 429])
    expect(seen[0]?.headers.get('www-authenticate')).toBe('Bearer')
    expect(seen[9]?.headers.get('www-authenticate')).toBeNull()
    expect(limitHeaders(seen[9] ?? Response.error()).retryAfter).toMatch(/^\d+$/)
    const valid = from('2001:db8:1:99::1', await asUser('alice'))
    expect((await served.ask(invalid, { headers: valid })).status).toBe(400)
  })
})

describe('the user', () => {
  it('is limited over all addresses together, without effect on others', async () => {
    const served = openLimited({ sync: 2 })
    const sync = async (name: string, last: number) => {
      const headers = { ...(await asUser(name)), ...from(`192.0.2.${last}`) }
      return await served.ask('/api/v1/plaid/sync/item/x', { method: 'POST', headers })
    }
    const seen = [await sync('alice', 1), await sync('alice', 2), await sync('alice', 3)]
    expect(seen.map(({ status }) => status)).toEqual([400, 400, 429])
    // The address had room in its limits, so `RateLimit` leaves it out: it would name another time than `Retry-After`.
    expect(seen[2]?.headers.get('ratelimit')).toMatch(/^"sync";r=0;t=\d+$/)
    expect((await sync('bob', 3)).status).toBe(400)
  })
})

describe('webhooks', () => {
  const send = (served: ServedApp, headers: Readonly<Record<string, string>>, body = '{}') =>
    served.ask(webhook, { method: 'POST', body, headers })
  const sign = (body: string): Record<string, string> => {
    const time = Math.floor(Date.now() / 1000)
    const mac = createHmac('sha256', relaySecret).update(`${time}.${body}`).digest('hex')
    return { 'x-webhook-signature': `t=${time},v1=${mac}` }
  }
  const signed = (served: ServedApp, address: string) => send(served, from(address, sign('{}')), '{}')

  it('get 401 up to the limit and 429 beyond when verification fails, and nothing else', async () => {
    const served = openLimited({ webhook_failed: 3, global: 1 })
    const seen = await statuses(5, () => send(served, from('192.0.2.1')))
    expect(seen).toEqual([401, 401, 401, 429, 429])
    const response = await send(served, from('192.0.2.1', { 'x-webhook-signature': 't=1,v1=00' }))
    expect(limitHeaders(response)).toEqual({
      policy: '"webhook_failed";q=3;w=60',
      standing: expect.stringMatching(/^"webhook_failed";r=0;t=\d+$/),
      retryAfter: expect.stringMatching(/^\d+$/),
    })
    expect(await problemOf(response)).toMatchObject({ code: 'rate_limited' })
    expect((await send(served, from('192.0.2.2'))).status).toBe(401)
    expect((await served.ask('/openapi.json', { headers: from('192.0.2.1') })).status).toBe(200)
  })

  it('are never limited when they verify, even from an address over its limit', async () => {
    const served = openLimited({ webhook_failed: 1, global: 1 })
    // 503: the webhook is authentic, and there is no database to record it.
    expect(await statuses(5, () => signed(served, '192.0.2.1'))).toEqual([503, 503, 503, 503, 503])
    expect(await statuses(3, () => send(served, from('192.0.2.1')))).toEqual([401, 429, 429])
    const response = await signed(served, '192.0.2.1')
    expect(response.status).toBe(503)
    expect(limitHeaders(response)).toEqual({ policy: null, standing: null, retryAfter: null })
  })

  it('get four times the limit for a /48 when they fail', async () => {
    const served = openLimited({ webhook_failed: 1 })
    const seen: number[] = []
    for (let subnet = 0; subnet < 6; subnet += 1)
      seen.push((await send(served, from(`2001:db8:1:${subnet}::1`))).status)
    expect(seen).toEqual([401, 401, 401, 401, 429, 429])
  })
})

function failing(failure: Error): LimiterObjects {
  const fail = (): Promise<never> => Promise.reject(failure)
  return { getByName: () => ({ check: fail, look: fail }) }
}

describe('a limiter that fails', () => {
  const broken = () => {
    const reported: unknown[] = []
    const error = new Error('the object is overloaded')
    const limiter = createLimiter({ objects: failing(error) })
    const reporter: Services['reporter'] = () => ({
      captureError: (what) => void reported.push(what),
      captureMessage: () => {},
      isPaused: () => false,
      captureOperation: () => {},
      captureCheckIn: () => {},
    })
    const config = { ...servicesOf().config, sentry: { dsn: 'https://key@sentry.example/1', tracesSampleRate: 0 } }
    return { served: openLimited({}, { limiter, reporter, config }), reported, error }
  }

  it.each([
    ['POST', '/api/v1/plaid/link/token/create'],
    ['POST', `/api/v1/plaid/items/${id}/repaired`],
    ['DELETE', `/api/v1/plaid/items/${id}`],
    ['POST', '/api/v1/plaid/sync/all'],
    ['POST', '/api/v1/plaid/sync/item/x'],
    ['POST', '/api/v1/auth/login'],
    ['POST', '/api/v1/auth/password/change'],
  ])('refuses %s %s, and raises an alarm', async (method, path) => {
    const { served, reported } = broken()
    const headers = { ...(await asUser()), ...from('192.0.2.1') }
    const response = await served.ask(path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) })
    expect(limitHeaders(response)).toMatchObject({ standing: null, retryAfter: '5' })
    expect(await problemOf(response)).toMatchObject({ status: 503, code: 'unavailable' })
    // Whether the user allows diagnostics is read after the response.
    await vi.waitFor(() => expect(reported).toMatchObject([{ reason: 'the rate limiter failed' }]))
    expect(served.lines.at(-1)).toMatchObject({ level: 'error', reason: 'the rate limiter failed' })
  })

  it.each([
    ['GET', '/openapi.json', 200],
    ['GET', invalid, 400],
    ['POST', webhook, 401],
    ['GET', '/nowhere', 404],
  ])('admits %s %s, and raises an alarm', async (method, path, status) => {
    const { served, reported, error } = broken()
    const headers = { ...(await asUser()), ...from('192.0.2.1') }
    expect((await served.ask(path, { method, headers })).status).toBe(status)
    await vi.waitFor(() => expect(reported[0]).toBe(error))
    const alarm = served.lines.find((line) => line['event'] === 'rate_limiter_failed')
    expect(alarm).toMatchObject({ level: 'error', error: { name: 'Error' } })
  })
})

describe('a flood while the limiter does not respond', () => {
  it('is handled at most fifty times a second and raises one alarm', async () => {
    const reported: unknown[] = []
    let nowMs = Date.now()
    const objects = failing(new Error('the object is overloaded'))
    const limiter = createLimiter({ objects, now: () => nowMs })
    const reporter: Services['reporter'] = () => ({
      captureError: (what) => void reported.push(what),
      captureMessage: () => {},
      isPaused: () => false,
      captureOperation: () => {},
      captureCheckIn: () => {},
    })
    const served = openLimited({}, { limiter, reporter })
    const seen = await statuses(80, () => served.ask('/openapi.json', { headers: from('192.0.2.1') }))
    expect(seen).toEqual([...Array<number>(50).fill(200), ...Array<number>(30).fill(503)])
    expect(reported).toHaveLength(1)
    nowMs += 1000
    expect((await served.ask('/openapi.json', { headers: from('192.0.2.1') })).status).toBe(200)
  })
})

describe('a request that is handled without the limiter', () => {
  const quota = 600
  const preflight = { origin: 'https://app.test', 'access-control-request-method': 'GET' }

  it.each([
    ['whether the Worker is alive', 'GET', '/health', {}, 200],
    ['a preflight', 'OPTIONS', '/api/v1/accounts', preflight, 204],
  ])('is limited by address in the isolate: %s', async (_what, method, path, headers, status) => {
    const served = openLimited()
    const ask = (address: string) => served.ask(path, { method, headers: from(address, headers) })
    expect(await statuses(quota + 2, () => ask('192.0.2.1'))).toEqual([...Array<number>(quota).fill(status), 429, 429])
    const refused = await ask('192.0.2.1')
    expect(limitHeaders(refused).retryAfter).toMatch(/^([1-9]|[1-5]\d|60)$/)
    expect((await ask('192.0.2.2')).status).toBe(status)
  })

  it('is not limited where limits are switched off', async () => {
    const services = servicesOf({ ...developmentVariables, RATE_LIMIT_ENABLED: 'false' })
    const served = serveApp(() => services)
    expect(new Set(await statuses(quota + 2, () => served.ask('/health')))).toEqual(new Set([200]))
  })
})

describe('a body that is too large by its declared length', () => {
  const headers = from('192.0.2.1', { 'content-length': '70000', 'content-type': 'application/json' })

  it.each(['/api/v1/plaid/sync/all', '/api/v1/auth/login'])('counts as a request without a login: %s', async (path) => {
    const served = openLimited({ global: 2 })
    expect(await statuses(4, () => served.ask(path, { method: 'POST', headers, body: '{}' }))).toEqual([
      413, 413, 429, 429,
    ])
  })
})

describe('a rate limiter that is switched off', () => {
  it('limits nothing and reports nothing', async () => {
    const services = servicesOf({ ...developmentVariables, RATE_LIMIT_ENABLED: 'false', RATE_LIMITS: '{"global":1}' })
    const served = serveApp(() => services)
    expect(await statuses(3, () => served.ask('/openapi.json'))).toEqual([200, 200, 200])
    expect(limitHeaders(await served.ask('/openapi.json'))).toEqual({ policy: null, standing: null, retryAfter: null })
  })
})
