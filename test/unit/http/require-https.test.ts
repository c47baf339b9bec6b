// Strict environments redirect plain http, or refuse it where a secret was sent.
import { beforeAll, describe, expect, it } from 'vitest'
import { asUser, problemOf, productionVariables, type ServedApp, serveApp, servicesOf, tokenFor } from './serve-app.ts'

let strict: ServedApp

beforeAll(() => {
  const services = servicesOf(productionVariables)
  strict = serveApp(() => services)
})

describe('plain http in a strict environment', () => {
  it.each(['GET', 'HEAD'])('redirects a %s without a secret, with its path and query', async (method) => {
    const response = await strict.askPlainly('/api/v1/transactions?q=a%20b', { method })
    expect(response.status).toBe(308)
    expect(response.headers.get('location')).toBe('https://api.wealth.test/api/v1/transactions?q=a%20b')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.text()).toBe('')
  })

  it('redirects from another port to the port of https', async () => {
    const response = await strict.askPlainly(':8080/health')
    expect(response.headers.get('location')).toBe('https://api.wealth.test/health')
  })

  it.each([
    ['authorization', 'Bearer x'],
    ['cookie', 'refresh=x'],
    ['plaid-verification', 'x'],
    ['x-webhook-signature', 't=1,v1=0'],
  ])('refuses a read with the header %s, and does not redirect it', async (name, value) => {
    const response = await strict.askPlainly('/health', { headers: { [name]: value } })
    expect(response.headers.get('location')).toBeNull()
    expect(await problemOf(response)).toMatchObject({ status: 403, code: 'https_required' })
  })

  it('does not look at a valid token', async () => {
    const response = await strict.askPlainly('/api/v1/plaid/items', { headers: await asUser() })
    expect(response.status).toBe(403)
    expect(JSON.stringify(strict.lines.at(-1))).not.toContain(await tokenFor('alice'))
    expect(strict.lines.at(-1)).toMatchObject({ route: 'plain_http', status: 403, code: 'https_required' })
    expect(strict.lines.at(-1)?.['user'] ?? null).toBeNull()
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const preflight = { origin: 'https://app.wealth.test', 'access-control-request-method': 'POST' }
    const response = await strict.askPlainly('/api/v1/plaid/webhook', { method, headers: preflight })
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('has the security headers but the one that plain http must not have', async () => {
    const response = await strict.askPlainly('/health')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('strict-transport-security')).toBeNull()
  })
})

describe('plain http elsewhere', () => {
  it.each(['localhost', '127.0.0.1:8787', '[::1]:8787'])('is served on this machine: %s', async (host) => {
    expect((await strict.askAt(`http://${host}/health`)).status).toBe(200)
  })

  it('is refused for a host that only looks local', async () => {
    expect((await strict.askAt('http://localhost.wealth.test/health')).status).toBe(308)
    expect((await strict.askAt('http://127.0.0.1.wealth.test/health')).status).toBe(308)
  })

  it('is served in development', async () => {
    expect((await serveApp().askPlainly('/health')).status).toBe(200)
  })

  it('gets the configuration error of a deployment without a configuration', async () => {
    const broken = serveApp(() => servicesOf({ ENVIRONMENT: 'production' }))
    expect(await problemOf(await broken.askPlainly('/api/v1/plaid/items'))).toMatchObject({ code: 'misconfigured' })
  })
})
