// Known ways around a login: headers that a proxy would trust, paths that two parsers read differently, and tokens that
// name their own key or algorithm. No response may be one that an authenticated user would get.
import { createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDescription } from '../support/documented.ts'
import { type Edge, startEdge } from '../support/edge.ts'
import { type Issuer, newRsaKey, startIssuer, withRsa } from '../support/issuer.ts'
import { fingerprint } from '../support/tables.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'
import { sendLines } from '../support/raw-http.ts'
import { sampled } from '../support/sampled.ts'

const privateRoutes = (await readDescription()).routes.filter(({ isPrivate }) => isPrivate)
const accounts = '/api/v1/accounts'

let edge: Edge
let issuer: Issuer
let oidcUrl: string
let itemId: string
/** A server with an attacker's keys. Tokens name its address; the verifier must never send it a request. */
let bait: { url: string; requests: string[]; stop: () => void }

async function startBait(keys: unknown): Promise<typeof bait> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(String(request.url))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(keys))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, requests, stop: () => server.close() }
}

const attacker = newRsaKey()
const attackersJwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: 'mine', alg: 'RS256', use: 'sig' }

beforeAll(async () => {
  ;[edge, issuer, bait] = await Promise.all([startEdge(), startIssuer(), startBait({ keys: [attackersJwk] })])
  itemId = (await edge.linkAndSync('user')).id
  oidcUrl = (await edge.startAnother(issuer.variables)).url
})
afterAll(async () => {
  bait.stop()
  await Promise.all([edge.stop(), issuer.stop()])
})

const secretOf = () => String(edge.variables['SECRET_KEY'])
const pathOf = (path: string): string => path.replaceAll(/\{\w+\}/g, itemId)

/** Fails if the response contains data of the user. */
function expectNothingShown({ status, text }: { status: number; text: string }): void {
  expect([status, text.includes(itemId), text.includes('"data"')]).toEqual([status, false, false])
  expect([0, 400, 401, 403, 404, 405]).toContain(status)
}

const believedHeaders: readonly Record<string, string>[] = [
  ...['x-original-url', 'x-rewrite-url', 'x-forwarded-uri', 'x-override-url'].map((name) => ({ [name]: '/health' })),
  ...['x-forwarded-for', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'forwarded'].map((name) => ({
    [name]: '127.0.0.1',
  })),
  ...['x-user', 'x-user-id', 'x-forwarded-user', 'x-remote-user', 'remote-user', 'x-authenticated-user', 'x-sub'].map(
    (name) => ({ [name]: 'user' }),
  ),
  { 'cf-access-authenticated-user-email': 'user' },
  { 'x-admin': 'true', 'x-role': 'admin', role: 'admin' },
  { 'cf-worker': 'wealthnavigator.test', host: 'localhost' },
  { 'x-http-method-override': 'OPTIONS', 'x-method-override': 'OPTIONS', 'x-http-method': 'OPTIONS' },
  { 'x-forwarded-host': 'localhost', 'x-forwarded-proto': 'https', 'x-forwarded-scheme': 'https' },
  { 'proxy-authorization': 'Bearer x', 'x-authorization': 'Bearer x', 'x-access-token': 'x', 'x-api-key': 'x' },
]

test.each(believedHeaders)('no private route takes %j for a login', async (headers) => {
  for (const { method, path } of sampled(privateRoutes, 4, JSON.stringify(headers).length)) {
    const { status } = await edge.call(method, pathOf(path), { headers, ...(method === 'GET' ? {} : { body: {} }) })
    expect([method, path, status]).toEqual([method, path, 401])
  }
})

test.each(['x-authorization', 'x-access-token', 'x-forwarded-authorization', 'proxy-authorization', 'x-auth-token'])(
  'a good token in %s is no login',
  async (name) => {
    const headers = { [name]: `Bearer ${edge.token('user')}` }
    expect((await edge.call('GET', accounts, { headers })).status).toBe(401)
  },
)

test.each(['access_token', 'token', 'jwt', 'authorization', 'bearer', 'auth'])(
  'a good token in the parameter or the cookie %s is no login',
  async (name) => {
    const token = edge.token('user')
    expect((await edge.call('GET', `${accounts}?${name}=${token}`)).status).toBe(401)
    expect((await edge.call('GET', accounts, { headers: { cookie: `${name}=${token}` } })).status).toBe(401)
    const form = { body: `${name}=${token}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    expect((await edge.call('POST', '/api/v1/plaid/sync/all', form)).status).toBe(401)
  },
)

test.each(['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'])('%s changes no method', async (name) => {
  const before = await fingerprint(edge.sql)
  const path = `/api/v1/plaid/items/${itemId}`
  const answer = await edge.as('user')('GET', path, { headers: { [name]: 'DELETE' } })
  expect(answer.status).toBe(200)
  expect((await edge.as('user')('GET', `${path}?_method=DELETE`)).status).toBe(400)
  expect(await fingerprint(edge.sql)).toEqual(before)
})

describe('a request with one header too many', () => {
  const request = ['GET /api/v1/accounts HTTP/1.1', 'Host: localhost']
  const good = () => `Authorization: Bearer ${edge.token('user')}`
  const bad = 'Authorization: Bearer junk'

  test.each([
    ['two tokens, the good one first', () => [good(), bad]],
    ['two tokens, the good one last', () => [bad, good()]],
    ['the good token twice', () => [good(), good()]],
    ['two tokens in one header', () => [`${good()}, Bearer junk`]],
    ['a scheme before it', () => [`Authorization: Basic eDp5, Bearer ${edge.token('user')}`]],
    ['a space before the colon', () => [`Authorization : Bearer ${edge.token('user')}`]],
    ['a folded line', () => ['Authorization: Bearer', ` ${edge.token('user')}`]],
    ['a line feed alone', () => [`X-A: b\nAuthorization: Bearer junk`]],
    ['NUL behind it', () => [`${good()}\0`]],
  ])('%s is no login', async (what, lines) => {
    const answer = await sendLines(edge.url, [...request, ...lines()])
    expect([what, answer.status === 200]).toEqual([what, false])
    expectNothingShown(answer)
  })

  test('the same lines with one good token are one', async () => {
    expect((await sendLines(edge.url, [...request, good()])).status).toBe(200)
  })

  test.each([
    ['a length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\nGET '],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 44'], 'GET /api/v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['chunks by another name', ['Transfer-Encoding: xchunked', 'Content-Length: 2'], '{}'],
    ['a length that is none', ['Content-Length: +2'], '{}'],
  ])('smuggles no second request by %s', async (_what, lines, body) => {
    const head = ['POST /api/v1/plaid/webhook HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
    expectNothingShown(await sendLines(edge.url, [...head, ...lines], body))
  })
})

describe('a path that is read in two ways', () => {
  const around = [
    '/health/../api/v1/accounts',
    '/health/..%2fapi/v1/accounts',
    '/health%2f..%2fapi%2fv1%2faccounts',
    '/api/v1/plaid/webhook/../../accounts',
    '/api/v1/auth/login/..%2f..%2faccounts',
    '/api/v1/accounts/',
    '/api/v1/accounts//',
    '//api/v1/accounts',
    '/./api/v1/./accounts',
    '/api/v1/accounts;/health',
    '/api/v1/accounts%3b.json',
    '/api/v1/accounts.json',
    '/api/v1/accounts%20',
    '/api/v1/accounts%00',
    '/api/v1/accounts%2f',
    '/api/v1/%61ccounts',
    '/%61pi/v1/accounts',
    '/API/V1/ACCOUNTS',
    '/api/v1/Accounts',
    '/api\\v1\\accounts',
    '/api/v1/accounts#/health',
    '/openapi.json/../api/v1/accounts',
    'http://localhost/api/v1/accounts',
  ]

  test.each(around)('%s gives nothing without a token', async (path) => {
    expectNothingShown(await sendLines(edge.url, [`GET ${path} HTTP/1.1`, 'Host: localhost']))
  })

  test.each(['TRACE', 'TRACK', 'DEBUG', 'get', 'GET\t', 'OPTIONS /x HTTP/1.1\r\nX-A: GET'])(
    'the method %j gives nothing',
    async (method) => {
      const answer = await sendLines(edge.url, [`${method} /api/v1/accounts HTTP/1.1`, 'Host: localhost'])
      expect(answer.text).not.toContain('"data"')
      expect(answer.status).not.toBe(200)
    },
  )
})

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const own = (header: Record<string, unknown>) =>
  mintToken({ secret: secretOf(), claims: goodClaims('user'), header: { alg: 'HS256', typ: 'JWT', ...header } })
const bySecret = (secret: string, header: Record<string, unknown> = {}) =>
  mintToken({ secret, claims: goodClaims('user'), header: { alg: 'HS256', typ: 'JWT', ...header } })
/** A token whose header is given as text, so that a member can occur twice. */
const spelled = (header: string, claims = JSON.stringify(goodClaims('user'))) => {
  const input = [header, claims].map((part) => Buffer.from(part).toString('base64url')).join('.')
  return `${input}.${createHmac('sha256', secretOf()).update(input).digest('base64url')}`
}
const attackers = (header: Record<string, unknown>) =>
  issuer.token('user', { header, sign: withRsa(attacker.privateKey, 'sha256') })

describe('a token of this deployment', () => {
  const tricks: readonly (readonly [string, () => string])[] = [
    ['of an empty secret', () => bySecret('')],
    ['whose kid is a path', () => bySecret('', { kid: '/dev/null' })],
    ['whose kid is SQL', () => bySecret('x', { kid: "x' union select 'x'--" })],
    ['that brings its key', () => bySecret('x'.repeat(40), { jwk: { kty: 'oct', k: encode('x') } })],
    ['of the algorithm hs256', () => own({ alg: 'hs256' })],
    ['of the algorithm HS256 with a space', () => own({ alg: 'HS256 ' })],
    ['of the algorithm nOnE', () => own({ alg: 'nOnE' })],
    ['of a list of algorithms', () => own({ alg: ['HS256'] })],
    ['with an empty signature', () => `${own({}).split('.').slice(0, 2).join('.')}.`],
    ['without its last part', () => own({}).split('.').slice(0, 2).join('.')],
    ['of one part', () => own({}).replaceAll('.', '')],
    ['of four parts', () => `${own({})}.x`],
    ['of five parts, as if encrypted', () => `${encode({ alg: 'dir', enc: 'A256GCM' })}.a.b.c.d`],
    [
      'within a token',
      () => mintToken({ secret: 'x'.repeat(40), claims: goodClaims('user'), header: { alg: 'HS256', cty: 'JWT' } }),
    ],
    [
      'signed and named nested',
      () => `${encode({ alg: 'none', cty: 'JWT' })}.${Buffer.from(own({})).toString('base64url')}.`,
    ],
    ['in standard base64', () => own({ x: '??>>~~' }).replaceAll('-', '+').replaceAll('_', '/').concat('=')],
    ['with a line feed in it', () => `${own({}).slice(0, 20)}%0a${own({}).slice(20)}`],
    ['whose payload is an array', () => spelled('{"alg":"HS256"}', JSON.stringify([goodClaims('user')]))],
    ['whose payload is text', () => spelled('{"alg":"HS256"}', '"user"')],
    ['whose payload is null', () => spelled('{"alg":"HS256"}', 'null')],
    ['whose header is null', () => spelled('null')],
    [
      'whose subject is an object',
      () => spelled('{"alg":"HS256"}', JSON.stringify({ ...goodClaims('user'), sub: { x: 1 } })),
    ],
    [
      'whose subject has NUL',
      () => spelled('{"alg":"HS256"}', JSON.stringify({ ...goodClaims('user'), sub: 'user\0' })),
    ],
    [
      'whose claims say a thing by __proto__',
      () => spelled('{"alg":"HS256"}', `{"__proto__":${JSON.stringify(goodClaims('user'))}}`),
    ],
    [
      'of the year 10 million',
      () => spelled('{"alg":"HS256"}', JSON.stringify({ ...goodClaims('user'), exp: '1e300' })),
    ],
    ['of 9 kB', () => mintToken({ secret: secretOf(), claims: { ...goodClaims('user'), x: 'x'.repeat(9000) } })],
  ]

  test.each(tricks)('%s is refused', async (_what, make) => {
    const { status } = await edge.call('GET', accounts, { headers: { authorization: `Bearer ${make()}` } })
    expect(status).toBe(401)
  })

  test('is accepted with a header that no code reads', async () => {
    const headers = { authorization: `Bearer ${own({ kid: randomUUID() })}` }
    expect((await edge.call('GET', accounts, { headers })).status).toBe(200)
  })

  test('does not reach the verifier when it has a megabyte', async () => {
    const answer = await sendLines(edge.url, [
      'GET /api/v1/accounts HTTP/1.1',
      'Host: localhost',
      `Authorization: Bearer ${'a'.repeat(1_000_000)}.b.c`,
    ])
    expect([0, 400, 401, 413, 431]).toContain(answer.status)
    expect((await edge.as('user')('GET', accounts)).status).toBe(200)
  })
})

describe("an issuer's token", () => {
  const tricks: readonly (readonly [string, () => string])[] = [
    ['brings a key', () => attackers({ jwk: attackersJwk })],
    ['brings a key under the published id', () => attackers({ jwk: { ...attackersJwk, kid: 'mine' }, kid: 'mine' })],
    ['names where its keys are', () => attackers({ jku: `${bait.url}/jwks.json`, kid: 'mine' })],
    ['names where its certificate is', () => attackers({ x5u: `${bait.url}/cert.pem`, kid: 'mine' })],
    ['brings a certificate', () => attackers({ x5c: ['MIIB'], kid: 'mine' })],
    [
      'names another issuer, whose keys are published',
      () =>
        issuer.token('user', {
          claims: { iss: bait.url },
          sign: withRsa(attacker.privateKey, 'sha256'),
          header: { kid: 'mine' },
        }),
    ],
    ['has a kid that is a path', () => attackers({ kid: '../../../dev/null' })],
    ['has a kid that is a URL', () => attackers({ kid: `${bait.url}/key` })],
    ['has a kid that is __proto__', () => attackers({ kid: '__proto__' })],
    ['has a kid of 4 kB', () => attackers({ kid: 'k'.repeat(4000) })],
    ['has a kid that is an object', () => attackers({ kid: { toString: 'x' } })],
    ['has no kid', () => attackers({ kid: undefined })],
    ['asks for unencoded claims', () => issuer.token('user', { header: { b64: false, crit: ['b64'] } })],
    ['is critical of what nobody knows', () => issuer.token('user', { header: { crit: ['exp'] } })],
  ]

  test.each(tricks)('is refused when it %s', async (_what, make) => {
    const { status } = await edge.callTo(oidcUrl, make())('GET', accounts)
    expect(status).toBe(401)
  })

  test('makes the Worker fetch no address that it names', () => {
    expect(bait.requests).toEqual([])
  })

  test('is accepted when it is valid', async () => {
    expect((await edge.callTo(oidcUrl, issuer.token('user'))('GET', accounts)).status).toBe(200)
  })
})

test('no attempt made the Worker fail', () => {
  expect(edge.answers.filter(({ status }) => status >= 500)).toEqual([])
})
