// Requests that a browser sends for pages of other sites. Cookies count only in requests from this deployment's own
// pages, and form bodies are refused.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goodPassword, signUp } from '../support/accounts-over-http.ts'
import { callFor } from '../support/administrator.ts'
import { pathWithRandomIds, readDescription } from '../support/documented.ts'
import { type Edge, expectStatus, startEdge } from '../support/edge.ts'
import { readOperations } from '../support/operations.ts'
import { fingerprint } from '../support/tables.ts'

const app = 'https://app.test'
const { routes } = await readDescription()
const { operations } = await readOperations()
/** Routes whose description has a cookie parameter. */
const cookieRoutes = operations.filter(({ parameters }) => parameters.some((one) => one.name === 'cookie'))

let edge: Edge
let cookie: string
beforeAll(async () => {
  edge = await startEdge({ variables: { CORS_ORIGINS: `["${app}"]` } })
  const { email } = await signUp(edge, 'browser@app.test')
  const body = { email, password: goodPassword, transport: 'cookie' }
  const signedIn = expectStatus(await edge.call('POST', '/api/v1/auth/login', { body, headers: { origin: app } }), 200)
  cookie = String(signedIn.headers.getSetCookie()[0]?.split(';')[0])
})
afterAll(() => edge.stop())

test('a cookie is read by the routes of built-in accounts alone', () => {
  expect(cookieRoutes.length).toBeGreaterThan(2)
  expect(cookieRoutes.filter(({ path }) => !path.startsWith('/api/v1/auth/'))).toEqual([])
})

test('no private route takes a cookie for a token', async () => {
  const token = edge.token('user')
  const cookies = [cookie, `access_token=${token}`, `Authorization=Bearer ${token}`, `session=${token}; token=${token}`]
  for (const { method, path, isPrivate } of routes)
    for (const given of isPrivate ? cookies : []) {
      const headers = { cookie: given, origin: app }
      const answer = await edge.call(method, pathWithRandomIds(path), {
        headers,
        ...(method === 'GET' ? {} : { body: {} }),
      })
      expect([method, path, answer.status]).toEqual([method, path, 401])
    }
})

describe('a session in a cookie', () => {
  const foreign = [
    null,
    '',
    'null',
    'https://evil.test',
    `${app}.evil.test`,
    'http://app.test',
    `${app}:8443`,
    `${app}/`,
  ]

  test.each(['/api/v1/auth/refresh', '/api/v1/auth/logout'])(
    'is not used by %s of another site’s page',
    async (path) => {
      const before = await fingerprint(edge.sql)
      for (const origin of foreign) {
        const headers = { cookie, ...(origin === null ? {} : { origin }), referer: `${app}/` }
        const answer = await edge.call('POST', path, { body: {}, headers })
        expect([origin, answer.status, answer.headers.getSetCookie()]).toEqual([origin, 403, []])
      }
      expect(await fingerprint(edge.sql)).toEqual(before)
    },
  )

  test.each(cookieRoutes.map(({ path }) => path))('%s gives no cookie to a page of others', async (path) => {
    for (const origin of foreign) {
      const body = { email: 'browser@app.test', password: goodPassword, transport: 'cookie' }
      const given = path.endsWith('/login')
        ? body
        : path.endsWith('/verify-email')
          ? { ...body, email: undefined, code: 'x' }
          : {}
      const headers = { cookie, ...(origin === null ? {} : { origin }) }
      const answer = await edge.call('POST', path, { body: given, headers })
      expect([origin, answer.status, answer.headers.getSetCookie()]).toEqual([origin, 403, []])
    }
  })

  test('is refused when the cookie is sent twice, because one may be injected', async () => {
    const twice = { cookie: `${cookie}; ${cookie.replace(/=.*/, `=${'A'.repeat(64)}`)}`, origin: app }
    expect((await edge.call('POST', '/api/v1/auth/refresh', { body: {}, headers: twice })).status).toBe(401)
  })

  test('still works for the own page afterwards', async () => {
    const answer = await edge.call('POST', '/api/v1/auth/refresh', { body: {}, headers: { cookie, origin: app } })
    expect(answer.status).toBe(200)
    const [set = ''] = answer.headers.getSetCookie()
    expect(set).toMatch(/^refresh_token=[^;]+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/)
    expect(answer.json()).not.toHaveProperty('refresh_token')
  })
})

test.each([
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/plain;application/json',
])('no route reads a body that a form can send (%s)', async (type) => {
  const before = await fingerprint(edge.sql)
  for (const { method, path, body } of operations) {
    if (method === 'GET' || path === '/api/v1/plaid/webhook') continue
    const headers = { 'content-type': type, origin: 'https://evil.test', cookie }
    const call = callFor(edge, { path }, 'user')
    const answer = await call(method, pathWithRandomIds(path), { body: '{"refresh_token":"x"}', headers })
    // Only an API key may ask for a client's token, for any body.
    const expected = path === '/api/v1/tokens' ? [403] : body === null ? [400, 415] : [415]
    expect([path, expected.includes(answer.status) || path.startsWith('/api/v1/auth/')]).toEqual([path, true])
    expect(answer.status).toBeGreaterThanOrEqual(400)
  }
  expect(await fingerprint(edge.sql)).toEqual(before)
})

test('no GET or HEAD route changes anything', async () => {
  await edge.linkAndSync('user')
  const before = await fingerprint(edge.sql)
  for (const { path } of routes.filter(({ method }) => method === 'GET'))
    for (const method of ['GET', 'HEAD'])
      expect((await callFor(edge, { path }, 'user')(method, pathWithRandomIds(path))).status).toBeLessThan(500)
  // A request by an administrator may write to the audit log and may create the administrator's row in `users`.
  const after = await fingerprint(edge.sql)
  const changed = Object.keys(before).filter((table) => after[table] !== before[table])
  expect(changed.filter((table) => !/^public\.(?:audit\w*|users)$/.test(table))).toEqual([])
})
