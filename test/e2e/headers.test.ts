// The headers of every response: successes, problems, preflights, unknown paths, and a Worker that refused its
// configuration. HSTS only where the configuration is strict, CORS only for the configured origins.
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  type Call,
  type Edge,
  expectStatus,
  type RequestParts,
  startEdge,
  webhookPath,
} from '../support/edge.ts'
import { relayHeaders, relaySecret } from '../support/deliveries.ts'

const app = 'https://app.test'

let edge: Edge
let itemId: string
beforeAll(async () => {
  edge = await startEdge({ variables: { PLAID_WEBHOOK_VERIFICATION_KEY: relaySecret } })
  ;({ id: itemId } = await edge.linkAndSync('user'))
})
afterAll(() => edge.stop())

const always: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const strictTransport = 'max-age=31536000; includeSubDomains'

function expectHeaders({ headers }: Answer, hsts: boolean, cacheControl = 'no-store'): void {
  const expected = {
    ...always,
    'cache-control': cacheControl,
    'strict-transport-security': hsts ? strictTransport : null,
  }
  const seen = Object.fromEntries(Object.keys(expected).map((name) => [name, headers.get(name)]))
  expect(seen).toEqual(expected)
  expect(headers.get('x-request-id')).toMatch(uuid)
  expect(headers.get('permissions-policy')).toMatch(/camera=\(\).*geolocation=\(\).*microphone=\(\).*payment=\(\)/)
  expect(headers.get('vary')).toContain('Origin')
  expect(headers.get('server')).toBeNull()
  expect(headers.get('x-powered-by')).toBeNull()
}

const relayed = (body: string): RequestParts => ({ body, headers: relayHeaders(body) })

/** A request of a page, whose browser may store nothing. */
const ofPage: RequestParts = { headers: { origin: app } }

/** Status, name, and the request that gets it. */
const answers: readonly (readonly [number, string, () => Promise<Answer>])[] = [
  [200, 'health', () => edge.call('GET', '/health')],
  [200, 'HEAD of health', () => edge.call('HEAD', '/health')],
  [200, 'ready', () => edge.call('GET', '/ready')],
  [200, 'a list', () => edge.as('user')('GET', '/api/v1/accounts')],
  [200, 'HEAD of a list', () => edge.as('user')('HEAD', '/api/v1/accounts')],
  [200, 'a list with a tag, for a page', () => edge.as('user')('GET', '/api/v1/transactions', ofPage)],
  [200, 'one thing', () => edge.as('user')('GET', `/api/v1/plaid/items/${itemId}`)],
  [200, 'a link token', () => edge.as('user')('POST', '/api/v1/plaid/link/token/create', { body: {} })],
  [200, 'a webhook', () => edge.call('POST', webhookPath, relayed('{"webhook_type":"NEWS","webhook_code":"FUTURE"}'))],
  [202, 'a sync', () => edge.as('nobody')('POST', '/api/v1/plaid/sync/all')],
  [204, 'an ordinary OPTIONS', () => edge.call('OPTIONS', '/api/v1/accounts')],
  [204, 'OPTIONS of an unknown path with a preflight', () => preflight('/nothing', app)],
  [204, 'a preflight', () => preflight('/api/v1/accounts', app)],
  [204, 'a preflight of a foreign origin', () => preflight('/api/v1/accounts', 'https://evil.test')],
  [200, 'an authentic webhook that is no JSON', () => edge.call('POST', webhookPath, relayed('no json'))],
  [400, 'a bad parameter', () => edge.as('user')('GET', '/api/v1/accounts?limit=0')],
  [401, 'no token', () => edge.call('GET', '/api/v1/accounts')],
  [401, 'a webhook without a signature', () => edge.call('POST', webhookPath, { body: {} })],
  [404, 'an unknown thing', () => edge.as('user')('GET', `/api/v1/accounts/${randomUUID()}`)],
  [404, 'an unknown path', () => edge.call('GET', '/nothing')],
  [404, 'the root', () => edge.call('GET', '/')],
  [405, 'a method that is not there', () => edge.call('PUT', '/api/v1/accounts')],
  [
    413,
    'a body that is too large',
    () => edge.as('user')('POST', '/api/v1/plaid/link/token/create', { body: 'x'.repeat(70_000) }),
  ],
  [
    415,
    'a body of another type',
    () =>
      edge.as('user')('POST', '/api/v1/plaid/link/token/create', {
        body: '<x/>',
        headers: { 'content-type': 'text/xml' },
      }),
  ],
]

function preflight(path: string, origin: string): Promise<Answer> {
  const headers = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }
  return edge.call('OPTIONS', path, { headers })
}

describe('every response has the security headers', () => {
  test.each(answers)('has status %i: %s', async (status, _what, get) => {
    const answer = await get()
    expect([answer.status, answer.text]).toEqual([status, answer.text])
    expectHeaders(answer, false)
  })

  test('201 of an exchange, 204 of a removal', async () => {
    const { id } = await edge.linkAndSync('other')
    const exchanged = edge.answers.find(({ status }) => status === 201)
    expectHeaders(exchanged ?? (await Promise.reject(new Error('nothing was exchanged'))), false)
    const removed = await edge.as('other')('DELETE', `/api/v1/plaid/items/${id}`)
    expect(removed.status).toBe(204)
    expectHeaders(removed, false)
  })

  test('a list with a tag may be stored by the client that sent the request, and by no other cache', async () => {
    const first = expectStatus(await edge.as('user')('GET', '/api/v1/transactions'), 200)
    expectHeaders(first, false, 'private, no-cache')
    const headers = { 'if-none-match': String(first.headers.get('etag')) }
    const second = expectStatus(await edge.as('user')('GET', '/api/v1/transactions', { headers }), 304)
    expectHeaders(second, false, 'private, no-cache')
  })

  test('the description is public, and the one that may be kept', async () => {
    const answer = await edge.call('GET', '/openapi.json')
    expect(answer.status).toBe(200)
    expectHeaders(answer, false, 'public, max-age=300')
  })
})

const strictVariables = (environment: string): Record<string, string> => ({
  ENVIRONMENT: environment,
  PLAID_ENV: environment === 'production' ? 'production' : 'sandbox',
  PLAID_BASE_URL: '',
  PLAID_WEBHOOK_URL: 'https://edge.test/api/v1/plaid/webhook',
  PLAID_WEBHOOK_VERIFICATION_KEY: '',
  DATABASE_ENDPOINT: '',
  RATE_LIMIT_ENABLED: '',
  DATABASE_URL: 'postgres://wn_api:pass-one@db.neon.test/wealth?sslmode=require',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:pass-two@db.neon.test/wealth?sslmode=require',
  CORS_ORIGINS: `["${app}"]`,
  AUTH_ISSUER: 'https://issuer.test',
  AUTH_AUDIENCE: 'wealth',
  AUTH_JWKS_URL: 'https://issuer.test/jwks.json',
  AUTH_WRITE_SCOPE: 'wealth:write',
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  AUDIT_KEY: randomBytes(32).toString('base64'),
  BACKUP_RECIPIENT: 'none',
  SENTRY_DSN: 'none',
})

/** Responses that need neither the database nor Plaid. */
async function outerAnswers(call: Call): Promise<Answer[]> {
  return [
    await call('GET', '/health'),
    await call('GET', '/nothing'),
    await call('GET', '/api/v1/accounts'),
    await call('PUT', '/api/v1/accounts'),
    await call('POST', webhookPath, { body: {} }),
    await call('OPTIONS', '/api/v1/accounts', { headers: { origin: app, 'access-control-request-method': 'GET' } }),
  ]
}

describe.each(['staging', 'production'])('a response in %s', (environment) => {
  test('demands https', async () => {
    const { url } = await edge.startAnother(strictVariables(environment))
    const seen = await outerAnswers(edge.callTo(url))
    expect(seen.map(({ status }) => status)).toEqual([200, 404, 401, 405, 401, 204])
    for (const answer of seen) expectHeaders(answer, true)
  })

  test('is 500 on every path except /health with a development configuration, and reveals none of its values', async () => {
    const worker = await edge.startAnother({ ENVIRONMENT: environment })
    const [health, ...rest] = await outerAnswers(edge.callTo(worker.url, edge.token('user')))
    expect(health?.status).toBe(200)
    const refused = rest.filter(({ method }) => method !== 'OPTIONS')
    expect(refused.map(({ status }) => status)).toEqual([500, 500, 500, 500])
    for (const answer of rest) expectHeaders(answer, true)
    for (const { text } of refused) {
      expect(text).toContain('"code":"misconfigured"')
      expect(text).not.toMatch(/DATABASE|PLAID|CORS|sslmode/)
    }
    await expect.poll(() => worker.logs().join('\n')).toMatch(/DATABASE_URL.*DATABASE_JOBS_URL.*PLAID_BASE_URL/)
    const printed = [...worker.logs(), ...rest.map(({ text }) => text)].join('\n')
    const values = Object.entries(edge.variables).filter(([name, value]) => value.length >= 8 && name !== 'ENVIRONMENT')
    expect(values.filter(([, value]) => printed.includes(value)).map(([name]) => name)).toEqual([])
  })
})

describe('CORS', () => {
  test.each([app, 'http://localhost:3000', 'http://127.0.0.1:5599'])(
    'allows the page of %s, and only to read',
    async (origin) => {
      const { headers } = await edge.as('user')('GET', '/api/v1/accounts', { headers: { origin } })
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      expect(headers.get('access-control-expose-headers')).toContain('X-Request-Id')
      expect(headers.get('vary')).toMatch(/\bOrigin\b/)
    },
  )

  test('allows a preflight what the API has, and for ten minutes', async () => {
    const { headers } = await preflight('/api/v1/accounts', app)
    expect(headers.get('access-control-allow-origin')).toBe(app)
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE')
    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id',
    )
    expect(headers.get('access-control-max-age')).toBe('600')
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('vary')).toContain('Access-Control-Request-Method')
  })

  test('marks refusals too, so that a page can read why', async () => {
    const { status, headers } = await edge.call('GET', '/api/v1/accounts', { headers: { origin: app } })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([401, app])
  })

  test.each([
    'null',
    '*',
    '',
    'https://evil.test',
    'http://app.test',
    'https://app.test:8443',
    'https://app.test.evil.test',
    'https://evil-app.test',
    'https://sub.app.test',
    'https://app.test@evil.test',
    'https://app.test/',
    'https://APP.TEST',
    'https://app.test, https://evil.test',
    'https://app.test%00.evil.test',
    'https://localhost:3001',
    'http://localhost.evil.test:3000',
  ])('gives nothing to the origin "%s"', async (origin) => {
    for (const answer of [
      await edge.as('user')('GET', '/api/v1/accounts', { headers: { origin } }),
      await preflight('/api/v1/accounts', origin),
    ]) {
      const marks = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))
      expect(marks).toEqual([])
      expect(answer.headers.get('vary')).toContain('Origin')
    }
  })
})

test('a request id is created by the Worker for every id that a client sends', async () => {
  const given = randomUUID()
  const ask = async (id: string) =>
    (await edge.call('GET', '/health', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  for (const id of [given, '1', 'x'.repeat(36), `${given}0`, '<script>']) {
    const [first, second] = [await ask(id), await ask(id)]
    expect([first, second]).toEqual([expect.stringMatching(uuid), expect.stringMatching(uuid)])
    expect(new Set([id, first, second]).size).toBe(3)
  }
})
