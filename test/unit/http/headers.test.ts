import { describe, expect, it } from 'vitest'
import { routes } from '../../../src/http/app.ts'
import { asUser, type ServedApp, serveApp, pathOf, productionVariables, servicesOf } from './serve-app.ts'

const exact = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}

function expectHeaders(response: Response): void {
  expect(Object.fromEntries(response.headers)).toMatchObject(exact)
  expect(response.headers.get('permissions-policy')).toContain('camera=()')
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  expect(response.headers.get('vary')).toContain('Origin')
}

const huge = async () => ({ method: 'POST', body: 'x'.repeat(70_000), headers: await asUser() })
const preflight = {
  method: 'OPTIONS',
  headers: { origin: 'https://app.wealth.test', 'access-control-request-method': 'POST' },
}

/** One request for each kind of response. */
const answers: readonly [name: string, status: number, ask: (served: ServedApp) => Promise<Response>][] = [
  ['a success', 200, (served) => served.ask('/health')],
  ['the description', 200, (served) => served.ask('/openapi.json')],
  ['bad input', 400, async (served) => served.ask('/api/v1/accounts/x', { headers: await asUser() })],
  ['no token', 401, (served) => served.ask('/api/v1/accounts')],
  ['a refused webhook', 401, (served) => served.ask('/api/v1/plaid/webhook', { method: 'POST', body: '{}' })],
  ['an unknown path', 404, (served) => served.ask('/nowhere')],
  ['another method', 405, (served) => served.ask('/api/v1/accounts', { method: 'DELETE' })],
  ['a large body', 413, async (served) => served.ask('/api/v1/plaid/link/token/create', await huge())],
  ['a preflight', 204, (served) => served.ask('/api/v1/accounts', preflight)],
  ['OPTIONS', 204, (served) => served.ask('/api/v1/accounts', { method: 'OPTIONS' })],
  ['HEAD', 200, (served) => served.ask('/health', { method: 'HEAD' })],
  ['a dead database', 503, async (served) => served.ask('/api/v1/accounts', { headers: await asUser() })],
]

describe('the security headers', () => {
  it.each(answers)('are on %s (%i)', async (_name, status, ask) => {
    const response = await ask(serveApp())
    expect(response.status).toBe(status)
    expectHeaders(response)
    expect(response.headers.get('strict-transport-security')).toBeNull()
  })

  it.each(routes.map(({ method, path }) => [method, path]))('are on every response of %s %s', async (method, path) => {
    const response = await serveApp().ask(pathOf(path), { method })
    expect([200, 204, 400, 401, 503]).toContain(response.status)
    expectHeaders(response)
  })

  it('require https in production', async () => {
    const services = servicesOf(productionVariables)
    const response = await serveApp(() => services).ask('/health')
    expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains')
  })

  it('keep every response out of caches except the public description', async () => {
    const served = serveApp()
    for (const [name, , ask] of answers) {
      const wanted = name === 'the description' ? 'public, max-age=300' : 'no-store'
      expect([name, (await ask(served)).headers.get('cache-control')]).toEqual([name, wanted])
    }
  })
})

describe('the request id', () => {
  it('is created by the Worker; the log also has the UUID of the client', async () => {
    const given = '0B7F3A52-6A1E-4C8C-9D5A-0C1F5B0B7A11'
    const served = serveApp()
    const response = await served.ask('/health', { headers: { 'x-request-id': given } })
    const id = response.headers.get('x-request-id')
    expect(id).not.toBe(given.toLowerCase())
    expect(served.lines).toMatchObject([{ request_id: id, client_request_id: given.toLowerCase() }])
  })

  it.each(['not-a-uuid', 'x'.repeat(36), `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)} `.repeat(2), '{"a":1}'])(
    'takes nothing from a header that is no UUID: %j',
    async (given) => {
      const served = serveApp()
      const response = await served.ask('/health', { headers: { 'x-request-id': given } })
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
      expect(JSON.stringify(served.lines)).not.toContain(JSON.stringify(given).slice(1, -1))
    },
  )
})
