import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { type ServedApp, serveApp, productionVariables, servicesOf } from './serve-app.ts'

const ours = 'https://app.wealth.test'
const strangers = [
  'null',
  '*',
  'http://app.wealth.test',
  'https://app.wealth.test.evil.test',
  'https://evil-app.wealth.test',
  'https://app.wealth.test:8443',
  'https://APP.wealth.test',
  'https://app.wealth.test/',
  'https://evil.test',
  'https://app.wealth.test, https://evil.test',
]

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' },
})

const allowHeaders = (response: Response): string[] =>
  [...response.headers.keys()].filter((name) => name.startsWith('access-control-'))

describe('CORS', () => {
  it('names a configured origin and what its pages may read', async () => {
    const { headers } = await serveApp().ask('/api/v1/accounts', { headers: { origin: ours } })
    expect(headers.get('access-control-allow-origin')).toBe(ours)
    expect(headers.get('access-control-expose-headers')).toBe(
      'ETag, X-Request-Id, RateLimit, RateLimit-Policy, Retry-After',
    )
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('vary')).toBe('Origin')
  })

  it.each(strangers)('says nothing to a page of %s', async (origin) => {
    const served = serveApp()
    const simple = await served.ask('/health', { headers: { origin } })
    expect(simple.status).toBe(200)
    expect(allowHeaders(simple)).toEqual([])
    expect(simple.headers.get('vary')).toBe('Origin')
    const asked = await served.ask('/api/v1/accounts', preflight(origin))
    expect(asked.status).toBe(204)
    expect(allowHeaders(asked)).toEqual([])
    expect(asked.headers.get('vary')).toContain('Origin')
  })

  it.each(['http://localhost:5599', 'http://127.0.0.1:1', 'http://[::1]:3000', 'http://localhost'])(
    'allows the loopback page %s in development alone',
    async (origin) => {
      const ask = (served: ServedApp) => served.ask('/api/v1/accounts', { headers: { origin } })
      const local = await ask(serveApp())
      expect(local.headers.get('access-control-allow-origin')).toBe(origin)
      expect(allowHeaders(await ask(serveApp(() => servicesOf(productionVariables))))).toEqual([])
    },
  )

  it.each(['https://localhost:3000', 'http://localhost.evil.test', 'http://127.0.0.2:3000', 'http://0.0.0.0:3000'])(
    'says nothing to %s in development',
    async (origin) => {
      const response = await serveApp().ask('/api/v1/accounts', { headers: { origin } })
      expect(allowHeaders(response)).toEqual([])
    },
  )

  it('says nothing to a request without an origin', async () => {
    const response = await serveApp().ask('/health')
    expect(allowHeaders(response)).toEqual([])
  })

  it('accepts a preflight without a token', async () => {
    const response = await serveApp().ask('/api/v1/transactions/1', preflight(ours))
    expect(response.status).toBe(204)
    expect(await response.text()).toBe('')
    const { headers } = response
    expect(headers.get('access-control-allow-origin')).toBe(ours)
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE')
    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id',
    )
    expect(headers.get('access-control-max-age')).toBe('600')
    expect(headers.get('vary')).toContain('Access-Control-Request-Method')
  })

  it('allows no origin when the configuration was refused', async () => {
    const served = serveApp(() => {
      throw new AppError('misconfigured', 'The service is not configured correctly.')
    })
    expect(allowHeaders(await served.ask('/health', { headers: { origin: ours } }))).toEqual([])
    expect(allowHeaders(await served.ask('/api/v1/accounts', preflight(ours)))).toEqual([])
  })
})
