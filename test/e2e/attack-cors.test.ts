// Pages of other origins can read no response of any route, for every spelling of their origin. Cookies are sent only
// with built-in accounts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pathWithRandomIds, readDescription } from '../support/documented.ts'
import { type Answer, type Edge, startEdge } from '../support/edge.ts'
import { sampled } from '../support/sampled.ts'

const { routes } = await readDescription()
const app = 'https://app.test'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge({ variables: { CORS_ORIGINS: `["${app}"]` } })
})
afterAll(() => edge.stop())

const mark = (answer: Answer, name: string) => answer.headers.get(`access-control-${name}`)
const marks = ({ headers }: Answer) => [...headers.keys()].filter((name) => name.startsWith('access-control-'))
const vary = ({ headers }: Answer) => (headers.get('vary') ?? '').toLowerCase().split(/\s*,\s*/)

const foreign: Readonly<Record<string, string>> = {
  'somebody else': 'https://evil.test',
  'a sandboxed page': 'null',
  everybody: '*',
  'ours with something before': 'https://evilapp.test',
  'ours with something behind': 'https://app.test.evil.test',
  'ours with letters behind': 'https://app.testevil.com',
  'ours as a login': 'https://app.test@evil.test',
  'ours as a subdomain of theirs': 'https://app.evil.test',
  'a subdomain of ours': 'https://sub.app.test',
  'ours over http': 'http://app.test',
  'ours on another port': 'https://app.test:444',
  'ours with the usual port': 'https://app.test:443',
  'ours in capitals': 'HTTPS://APP.TEST',
  'ours with a slash': 'https://app.test/',
  'ours with a path': 'https://app.test/x',
  'ours with a dot': 'https://app.test.',
  'ours twice': 'https://app.test https://app.test',
  'ours in a list': 'https://app.test,https://evil.test',
  'a regular expression of ours': 'https://appXtest',
  'ours with an escape': 'https://app.test%60.evil.test',
  'ours with an underscore': 'https://app.test_.evil.test',
  'a name that begins like a loopback address': 'http://127.0.0.1.evil.test',
  'a file': 'file://',
  'an extension': 'chrome-extension://abcdefghijklmnop',
}

describe.each(Object.entries(foreign))('a page of %s (%s)', (_what, origin) => {
  test('may read no route, with a preflight or without', async () => {
    for (const { method, path, name } of sampled(routes, 8, origin.length)) {
      const asked = {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization',
      }
      const preflight = await edge.call('OPTIONS', pathWithRandomIds(path), { headers: asked })
      const direct = await edge.as('user')(method, pathWithRandomIds(path), {
        headers: { origin },
        ...(method === 'GET' ? {} : { body: {} }),
      })
      for (const answer of [preflight, direct]) {
        expect([name, answer.status < 500, marks(answer)]).toEqual([name, true, []])
        expect(vary(answer)).toContain('origin')
        expect(JSON.stringify([...answer.headers])).not.toContain(origin === '*' ? '"*"' : `"${origin}"`)
      }
    }
  })
})

test.each(sampled(routes, 4).map((route) => [route.name, route] as const))(
  '%s allows our own page, by name, and cookies for built-in accounts alone',
  async (_name, { method, path }) => {
    const credentials = path.startsWith('/api/v1/auth/') ? 'true' : null
    const asked = { origin: app, 'access-control-request-method': method }
    const preflight = await edge.call('OPTIONS', pathWithRandomIds(path), { headers: asked })
    const direct = await edge.call(method, pathWithRandomIds(path), {
      headers: { origin: app },
      ...(method === 'GET' ? {} : { body: {} }),
    })
    for (const answer of [preflight, direct]) {
      expect([mark(answer, 'allow-origin'), mark(answer, 'allow-credentials')]).toEqual([app, credentials])
      expect(mark(answer, 'expose-headers')).not.toBe('*')
      expect(vary(answer)).toContain('origin')
    }
    expect(mark(preflight, 'allow-headers')).toBe(
      'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id',
    )
    expect(mark(preflight, 'allow-methods')).not.toContain('*')
    expect(vary(preflight)).toEqual(
      expect.arrayContaining(['access-control-request-method', 'access-control-request-headers']),
    )
  },
)

test('no page may reach the Worker from a public network into a private one', async () => {
  const headers = {
    origin: app,
    'access-control-request-method': 'GET',
    'access-control-request-private-network': 'true',
  }
  const answer = await edge.call('OPTIONS', '/api/v1/accounts', { headers })
  expect(mark(answer, 'allow-private-network')).toBeNull()
})

test('a cacheable response varies by origin', async () => {
  const answer = await edge.call('GET', '/openapi.json')
  expect(answer.headers.get('cache-control')).toContain('public')
  expect(vary(answer)).toContain('origin')
})
