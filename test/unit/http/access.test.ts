import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { routes } from '../../../src/http/app.ts'
import { asUser, serveApp, pathOf, problemOf, tokenFor } from './serve-app.ts'

const closed = routes.filter(({ access }) => access !== 'public')

describe('a route', () => {
  it('is public only where this is intended', () => {
    const open = routes.filter(({ access }) => access === 'public').map(({ path }) => path)
    const accounts = ['register', 'verify-email', 'login', 'refresh', 'logout', 'password/forgot', 'password/reset']
    expect(open).toEqual([
      '/health',
      '/api/v1/live',
      '/ready',
      '/openapi.json',
      '/.well-known/security.txt',
      '/.well-known/apple-app-site-association',
      '/.well-known/assetlinks.json',
      '/privacy',
      '/api/v1/privacy/erasures/{id}',
      '/api/v1/plaid/webhook',
      ...accounts.map((name) => `/api/v1/auth/${name}`),
    ])
  })

  it.each(closed.map(({ method, path }) => [method, path]))('%s %s needs a token', async (method, path) => {
    const served = serveApp()
    const response = await served.ask(pathOf(path), { method })
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(served.lines.at(-1)).toMatchObject({ route: path, status: 401, actor: 'anonymous' })
  })

  it('is refused before the body is read', async () => {
    const response = await serveApp().ask('/api/v1/plaid/link/token/create', { method: 'POST', body: '{' })
    expect(response.status).toBe(401)
  })
})

describe('a token', () => {
  const claims = () => new SignJWT({}).setSubject('alice').setExpirationTime('5 minutes')
  const key = new TextEncoder().encode('a-secret-key-of-the-unit-tests-0123456789')
  const issuer = 'wealthnavigator-edge'
  const refused: readonly [string, () => string | Promise<string>][] = [
    ['of another key', () => tokenFor('alice', 'another-secret-key-of-the-unit-tests-01')],
    ['of another issuer', () => claims().setProtectedHeader({ alg: 'HS256' }).setIssuer('x').sign(key)],
    ['of another algorithm', () => claims().setProtectedHeader({ alg: 'HS512' }).setIssuer(issuer).sign(key)],
    ['without a signature', () => new UnsecuredJWT({ sub: 'alice', exp: 9e9 }).setIssuer(issuer).encode()],
    [
      'without an end',
      () => new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'HS256' }).setIssuer(issuer).sign(key),
    ],
    ['that is junk', () => 'junk'],
  ]

  it.each(refused)('%s is refused like every other', async (_name, make) => {
    const headers = { authorization: `Bearer ${await make()}` }
    const { instance: _, ...problem } = await problemOf(await serveApp().ask('/api/v1/accounts', { headers }))
    expect(problem).toEqual({
      type: '/problems/unauthorized',
      title: 'Unauthorized',
      status: 401,
      detail: 'A valid access token is required.',
      code: 'unauthorized',
    })
  })

  it('is ignored in the query string', async () => {
    const response = await serveApp().ask(`/api/v1/accounts?access_token=${await tokenFor('alice')}`)
    expect(response.status).toBe(401)
  })

  it('reaches the database when it is valid', async () => {
    const served = serveApp()
    const response = await served.ask('/api/v1/accounts', { headers: await asUser() })
    expect(await problemOf(response)).toMatchObject({ status: 503, code: 'unavailable' })
    expect(served.lines.at(-1)).toMatchObject({ actor: 'user' })
  })
})
