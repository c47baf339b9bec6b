// Access control, route by route: without a token, with every kind of bad token in both authentication modes, with
// read-only tokens, as another user, in another role, with undeclared methods. The last test fails if a route lacks one
// of these checks.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createKey } from '../../src/auth/api-key.ts'
import { routes as mounted } from '../../src/http/app.ts'
import { type SignedIn, signUp } from '../support/accounts-over-http.ts'
import { isAdministrators, tokenFor } from '../support/administrator.ts'
import { type DocumentedRoute, pathWithRandomIds, readDescription } from '../support/documented.ts'
import { type Answer, type Call, type Edge, startEdge } from '../support/edge.ts'
import { type EventServer, listenAndPing, startEventServer } from '../support/event-server.ts'
import { audience, type Issuer, issuerName, newRsaKey, startIssuer, withHmac, withRsa } from '../support/issuer.ts'
import { sampled } from '../support/sampled.ts'
import { fingerprint } from '../support/tables.ts'
import { goodClaims, mintToken, withOtherClaims, withOtherSignature, withoutSignature } from '../support/tokens.ts'

/** The checks that routes need; the last test verifies that each was made. */
type Check =
  | 'no token'
  | 'bad signature'
  | 'expired'
  | 'wrong issuer'
  | 'wrong audience'
  | 'wrong alg'
  | 'malformed token'
  | 'other user'
  | 'missing scope'
  | 'missing role'
  | 'method not listed'

const { routes } = await readDescription()
const privateRoutes = routes.filter(({ isPrivate }) => isPrivate)
/** A ticket for live changes, and a search whose id must not be in an address, change nothing. */
const readingPosts = ['POST /api/v1/live/ticket', 'POST /api/v1/admin/search', 'POST /api/v1/rules/preview']
const mayChange = ({ method, name }: { readonly method: string; readonly name: string }): boolean =>
  method !== 'GET' && !readingPosts.includes(name)
const adminRoutes = mounted.filter(({ access }) => access === 'admin').map(({ method, path }) => `${method} ${path}`)
/** Whether a route belongs to built-in accounts, which do not exist with an OIDC issuer. */
const isOfAccounts = ({ path }: Pick<DocumentedRoute, 'path'>) => path.startsWith('/api/v1/auth/')

/** Whether a route is for API keys alone. */
const needsKey = ({ name }: Pick<DocumentedRoute, 'name'>) => name === 'POST /api/v1/tokens'

/** Routes without authentication, with the reason. A public route that is not listed here is a mistake. */
const open: Readonly<Record<string, string>> = {
  'GET /health': 'tells that the Worker runs, and nothing else',
  'GET /ready': 'tells an operator what does not work, and nothing of a user',
  'GET /openapi.json': 'is public documentation',
  'GET /api/v1/privacy/erasures/{id}': 'is authenticated by an id that cannot be guessed',
  'GET /privacy': 'is the privacy policy, for everyone',
  'GET /.well-known/security.txt': 'says where to report a vulnerability',
  'GET /.well-known/apple-app-site-association': 'names the iOS apps, for everyone',
  'GET /.well-known/assetlinks.json': 'names the Android apps, for everyone',
  'POST /api/v1/plaid/webhook': 'is authenticated by a signature over the body: webhooks.test.ts',
  'GET /api/v1/live': 'is authenticated by a ticket that works once: live.test.ts',
  'POST /api/v1/auth/register': 'is how one gets an account',
  'POST /api/v1/auth/verify-email': 'is authenticated by a mailed code and the password',
  'POST /api/v1/auth/login': 'is authenticated by the password',
  'POST /api/v1/auth/refresh': 'is authenticated by the refresh token',
  'POST /api/v1/auth/logout': 'is authenticated by the refresh token',
  'POST /api/v1/auth/password/forgot': 'answers everybody alike',
  'POST /api/v1/auth/password/reset': 'is authenticated by a mailed code',
}

/** A well-formed key that was never issued, and one for production. */
const [unknownKey, liveKey] = await Promise.all([createKey('test'), createKey('live')])
const ofNoKey = () => ({
  iss: 'wealthnavigator-edge/api-keys',
  aud: 'wealthnavigator-edge/api-keys',
  client_id: randomUUID(),
  scope: 'read write link',
  jti: randomUUID(),
})

const tried = new Set<string>()
const record = (check: Check, { name }: Pick<DocumentedRoute, 'name'>) => void tried.add(`${check} · ${name}`)

let edge: Edge
let issuer: Issuer
let events: EventServer
let oidcUrl: string
let account: SignedIn
let stranger: SignedIn
let revokedKey: string
/** An id of the user's data for each path with an id. */
let owned: Readonly<Record<string, string>>

const idsSchema = z.object({ data: z.array(z.object({ id: z.string() })) })

beforeAll(async () => {
  ;[edge, issuer, events] = await Promise.all([startEdge(), startIssuer(), startEventServer()])
  const { id: item } = await edge.linkAndSync('user')
  oidcUrl = (await edge.startAnother(issuer.variables)).url
  account = await signUp(edge, 'owner@app.test')
  stranger = await signUp(edge, 'stranger@app.test')
  const own = async (name: string) =>
    z
      .object({ id: z.string(), key: z.string() })
      .parse((await edge.as('user')('POST', '/api/v1/api-keys', { body: { name, scopes: ['read', 'write'] } })).json())
  await own('live')
  const { id: revokedId, key } = await own('revoked')
  revokedKey = key
  await edge.as('user')('DELETE', `/api/v1/api-keys/${revokedId}`)
  const firstId = async (call: Call, path: string) =>
    z.string().parse(idsSchema.parse((await call('GET', path)).json()).data[0]?.id)
  const { id: endpoint } = await listenAndPing(edge, 'user', events.url)
  owned = {
    '/api/v1/plaid/items/{id}': item,
    '/api/v1/plaid/sync/item/{item_id}': item,
    '/api/v1/accounts/{id}': await firstId(edge.as('user'), '/api/v1/accounts'),
    '/api/v1/transactions/{id}': await firstId(edge.as('user'), '/api/v1/transactions'),
    '/api/v1/api-keys/{id}': await firstId(edge.as('user'), '/api/v1/api-keys'),
    '/api/v1/webhooks/endpoints/{id}': endpoint,
    '/api/v1/webhooks/deliveries/{id}': await firstId(edge.as('user'), '/api/v1/webhooks/deliveries'),
    '/api/v1/rules/{id}': z
      .object({ id: z.string() })
      .parse((await edge.as('user')('POST', '/api/v1/rules', { body: { contains: 'x', hidden: true } })).json()).id,
    '/api/v1/auth/sessions/{id}': await firstId(account.call, '/api/v1/auth/sessions'),
  }
})
afterAll(() => Promise.all([edge.stop(), issuer.stop(), events.stop()]))

const secretOf = () => String(edge.variables['SECRET_KEY'])
const hourAgo = () => Math.floor(Date.now() / 1000) - 3600
/** The text without the request id, which differs in each response. */
const withoutInstance = (text: string): string => text.replace(/"urn:uuid:[0-9a-f-]{36}"/, '""')

function ask(call: Call, { method, path }: DocumentedRoute, authorization: string | null): Promise<Answer> {
  const headers: Record<string, string> = authorization === null ? {} : { authorization }
  return call(method, pathWithRandomIds(path), { headers, ...(method === 'GET' ? {} : { body: {} }) })
}

/** The fault of a token, its check, and the Authorization header; null for none. */
type Fault = readonly [what: string, check: Check, header: () => string | null]

const withClaims = (changes: Record<string, unknown>) => () =>
  `Bearer ${mintToken({ secret: secretOf(), claims: { ...goodClaims('user'), ...changes } })}`
const withHeader = (header: Record<string, unknown>) => () =>
  `Bearer ${mintToken({ secret: secretOf(), claims: goodClaims('user'), header })}`

/** Faults of tokens of this deployment. */
const ownFaults: readonly Fault[] = [
  ['no header', 'no token', () => null],
  ['an empty header', 'no token', () => ''],
  ['no token', 'no token', () => 'Bearer '],
  ['another scheme', 'no token', () => `Basic ${edge.token('user')}`],
  ['a token without its scheme', 'no token', () => edge.token('user')],
  ['junk for a token', 'malformed token', () => 'Bearer not.a.token'],
  ['a signature that is cut off', 'bad signature', () => withoutSignature(edge.token('user'))],
  ['a changed signature', 'bad signature', () => withOtherSignature(edge.token('user'))],
  ['claims of another token', 'bad signature', () => withOtherClaims(edge.token('user'), goodClaims('somebody-else'))],
  [
    'a token for another secret',
    'bad signature',
    () => `Bearer ${mintToken({ secret: `${secretOf()}-of-another-deployment`, claims: goodClaims('user') })}`,
  ],
  ['alg none', 'wrong alg', withHeader({ alg: 'none', typ: 'JWT' })],
  ['alg None', 'wrong alg', withHeader({ alg: 'None', typ: 'JWT' })],
  ['another HMAC', 'wrong alg', withHeader({ alg: 'HS512', typ: 'JWT' })],
  ["RS256 by an issuer's key", 'wrong alg', () => `Bearer ${issuer.token('user', { claims: goodClaims('user') })}`],
  ['no alg', 'wrong alg', withHeader({ typ: 'JWT' })],
  ['an unknown critical header', 'malformed token', withHeader({ alg: 'HS256', crit: ['b64'], b64: false })],
  ['a token that has expired', 'expired', withClaims({ exp: hourAgo() })],
  ['a token that expired two minutes ago', 'expired', () => withClaims({ exp: hourAgo() + 3480 })()],
  ['no expiry', 'expired', withClaims({ exp: undefined })],
  ['an expiry that is no number', 'expired', withClaims({ exp: 'tomorrow' })],
  ['a token of the future', 'malformed token', withClaims({ nbf: hourAgo() + 7200 })],
  ['another issuer', 'wrong issuer', withClaims({ iss: 'https://issuer.test' })],
  ['an issuer that begins alike', 'wrong issuer', withClaims({ iss: 'wealthnavigator-edge.test' })],
  ['no issuer', 'wrong issuer', withClaims({ iss: undefined })],
  ['several issuers', 'wrong issuer', withClaims({ iss: ['wealthnavigator-edge', 'https://issuer.test'] })],
  ['no subject', 'malformed token', withClaims({ sub: undefined })],
  ['an empty subject', 'malformed token', withClaims({ sub: '' })],
  ['an API key with a wrong checksum', 'malformed token', () => `Bearer wn_test_${'A'.repeat(49)}`],
  ['an API key that was never issued', 'bad signature', () => `Bearer ${unknownKey.text}`],
  ['an API key for production', 'malformed token', () => `Bearer ${liveKey.text}`],
  ['an API key that was revoked', 'expired', () => `Bearer ${revokedKey}`],
  [
    'a token of an unknown API key',
    'wrong issuer',
    () =>
      `Bearer ${mintToken({ secret: secretOf(), header: { alg: 'HS256', typ: 'at+jwt' }, claims: { ...goodClaims('user'), ...ofNoKey() } })}`,
  ],
]

const byIssuer = (faults: Parameters<Issuer['token']>[1]) => () => `Bearer ${issuer.token('user', faults)}`
const hmac = (secret: () => string | Buffer) => () =>
  `Bearer ${issuer.token('user', { header: { alg: 'HS256' }, sign: (input) => withHmac(secret())(input) })}`

/** Faults of tokens of an OIDC issuer whose key is public. */
const issuerFaults: readonly Fault[] = [
  ['no header', 'no token', () => null],
  ['junk for a token', 'malformed token', () => 'Bearer not.a.token'],
  ['an API key that was never issued', 'bad signature', () => `Bearer ${unknownKey.text}`],
  ['a token that this deployment signed', 'wrong alg', () => `Bearer ${edge.token('user')}`],
  ['a signature that is cut off', 'bad signature', () => withoutSignature(issuer.token('user'))],
  ['a changed signature', 'bad signature', () => withOtherSignature(issuer.token('user'))],
  [
    'a key of its own under a published id',
    'bad signature',
    byIssuer({ sign: withRsa(newRsaKey().privateKey, 'sha256') }),
  ],
  ['a key id that nobody published', 'bad signature', byIssuer({ header: { kid: randomUUID() } })],
  ['alg none', 'wrong alg', byIssuer({ header: { alg: 'none' }, sign: () => Buffer.alloc(0) })],
  ['HS256 with the public key as text', 'wrong alg', hmac(() => issuer.publicKey.pem)],
  ['HS256 with the public key as text, trimmed', 'wrong alg', hmac(() => issuer.publicKey.pem.trim())],
  ['HS256 with the public key as bytes', 'wrong alg', hmac(() => issuer.publicKey.der)],
  ['HS256 with the public key as JWK', 'wrong alg', hmac(() => issuer.publicKey.jwk)],
  ['HS256 with the modulus', 'wrong alg', hmac(() => Buffer.from(issuer.publicKey.modulus, 'base64url'))],
  ['HS256 with nothing', 'wrong alg', hmac(() => '')],
  ['RS384, which its key is not for', 'wrong alg', byIssuer({ header: { alg: 'RS384' } })],
  ['PS256, which its key is not for', 'wrong alg', byIssuer({ header: { alg: 'PS256' } })],
  ['ES256 over an RSA key', 'wrong alg', byIssuer({ header: { alg: 'ES256' } })],
  ['a token that has expired', 'expired', byIssuer({ claims: { exp: hourAgo() } })],
  ['no expiry', 'expired', byIssuer({ claims: { exp: undefined } })],
  ['another issuer', 'wrong issuer', byIssuer({ claims: { iss: 'https://other.test' } })],
  ['the issuer with a slash', 'wrong issuer', byIssuer({ claims: { iss: `${issuerName}/` } })],
  ['our own name as issuer', 'wrong issuer', byIssuer({ claims: { iss: 'wealthnavigator-edge' } })],
  ['no issuer', 'wrong issuer', byIssuer({ claims: { iss: undefined } })],
  ['another audience', 'wrong audience', byIssuer({ claims: { aud: 'another-app' } })],
  ['other audiences', 'wrong audience', byIssuer({ claims: { aud: ['a', 'b', `${audience} `] } })],
  ['no audience', 'wrong audience', byIssuer({ claims: { aud: undefined } })],
  ['an empty list of audiences', 'wrong audience', byIssuer({ claims: { aud: [] } })],
]

const roleFor = (route: DocumentedRoute) => (adminRoutes.includes(route.name) ? { role: 'admin' } : {})

/** A new user for each request, so that the effect of one route cannot influence the next. */
let visitors = 0
const visitor = (): string => `visitor-${(visitors += 1)}`

/** Every route must respond with the same 401, and change nothing. */
async function expectRefused(asked: readonly DocumentedRoute[], url: string, [, check, header]: Fault): Promise<void> {
  const before = await fingerprint(edge.sql)
  const call = edge.callTo(url)
  const reference = await call('GET', '/api/v1/plaid/items')
  const answers = await Promise.all(asked.map(async (route) => ({ route, ...(await ask(call, route, header())) })))
  for (const { route, status, headers, text } of answers) {
    expect([route.name, status, headers.get('www-authenticate')]).toEqual([route.name, 401, 'Bearer'])
    expect(withoutInstance(text)).toBe(withoutInstance(reference.text))
    record(check, route)
  }
  expect(reference.json()).toMatchObject({ status: 401, code: 'unauthorized' })
  expect(await fingerprint(edge.sql)).toEqual(before)
}

describe('a request without a good token', () => {
  test.each(sampled(ownFaults, 3))('gets the same 401 from every private route: %s', async (...fault) => {
    await expectRefused(privateRoutes, edge.url, fault)
  })

  test.each(sampled(issuerFaults, 3))('gets the same 401 where an OIDC issuer is configured: %s', async (...fault) => {
    await expectRefused(
      privateRoutes.filter((route) => !isOfAccounts(route)),
      oidcUrl,
      fault,
    )
  })

  test('invalid tokens made the Worker fetch keys no more often than its cool-down allows', () => {
    expect(issuer.requests()).toBeLessThanOrEqual(3)
  })

  test('gets no role that the token does not prove', async () => {
    const forged = mintToken({ secret: 'x'.repeat(48), claims: { ...goodClaims('user'), role: 'admin' } })
    expect((await edge.callTo(edge.url, forged)('GET', '/api/v1/plaid/items')).status).toBe(401)
  })

  test('leaves the reason of its refusal in the log, and not its token', async () => {
    const headers = { authorization: withClaims({ exp: hourAgo() })(), 'x-request-id': randomUUID() }
    await edge.call('GET', '/api/v1/accounts', { headers })
    const line = () => edge.lines().find((one) => one.includes(headers['x-request-id']))
    await expect.poll(line).toContain('ERR_JWT_EXPIRED')
    expect(edge.lines().join('\n')).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/)
  })
})

describe('a request with a good token', () => {
  test('is accepted by every private route', async () => {
    expect(privateRoutes.length).toBeGreaterThan(10)
    for (const route of privateRoutes.filter((one) => !isOfAccounts(one) && !needsKey(one)))
      for (const [url, token] of [
        [edge.url, tokenFor(edge, route, visitor())],
        [oidcUrl, issuer.token(visitor(), { claims: roleFor(route) })],
      ] as const) {
        const { status } = await ask(edge.callTo(url), route, `Bearer ${token}`)
        expect([route.name, status, ![401, 403].includes(status) && status < 500]).toEqual([route.name, status, true])
      }
  })

  test('is accepted by every private route of built-in accounts with the token of a sign-in', async () => {
    for (const route of privateRoutes.filter(isOfAccounts)) {
      const { accessToken } = await signUp(edge, `${route.path.replaceAll(/\W/g, '')}@app.test`)
      const { status, text } = await ask(edge.call, route, `Bearer ${accessToken}`)
      expect([route.name, text, status !== 401 && status < 500]).toEqual([route.name, text, true])
    }
  })

  test('is accepted with our audience among several', async () => {
    const token = issuer.token('user', { claims: { aud: ['another-app', audience] } })
    expect((await edge.callTo(oidcUrl, token)('GET', '/api/v1/plaid/items')).status).toBe(200)
  })

  test('reads no data of the same subject at another issuer', async () => {
    const [here, there] = await Promise.all(
      [edge.as('user'), edge.callTo(oidcUrl, issuer.token('user'))].map((call) => call('GET', '/api/v1/plaid/items')),
    )
    expect(idsSchema.parse(here?.json()).data).toHaveLength(1)
    expect(idsSchema.parse(there?.json()).data).toEqual([])
  })

  test('finds no routes of built-in accounts where an OIDC issuer is configured', async () => {
    for (const route of routes.filter(isOfAccounts)) {
      const { status } = await ask(edge.callTo(oidcUrl), route, `Bearer ${issuer.token('user')}`)
      expect([route.name, status]).toEqual([route.name, 404])
    }
  })
})

/** The route's path with an id of the owner; null if it has none. */
function ownedPath({ path }: DocumentedRoute): string | null {
  if (!path.includes('{')) return null
  const prefix = path.slice(0, path.indexOf('}') + 1)
  const id = owned[prefix]
  if (id === undefined) throw new Error(`Say which thing of the user ${prefix} names.`)
  return path.replaceAll(/\{\w+\}/g, id)
}

/** Bodies of routes with an id in the path. */
const bodies: Readonly<Record<string, { readonly body: object }>> = {
  'PATCH /api/v1/accounts/{id}': { body: { hidden: true } },
  'PUT /api/v1/rules/{id}': { body: { contains: 'x', hidden: true } },
  'PATCH /api/v1/transactions/{id}': { body: { hidden: true } },
  'PATCH /api/v1/webhooks/endpoints/{id}': { body: { enabled: false } },
  'POST /api/v1/plaid/items/{id}/duplicates/{account_id}': { body: { keep: true } },
}

/** The digest of the database once background work has ended: two in a row are equal. */
async function whenQuiet(): Promise<Record<string, string>> {
  for (let before = await fingerprint(edge.sql); ;) {
    await delay(1000)
    const now = await fingerprint(edge.sql)
    if (isDeepStrictEqual(before, now)) return now
    before = now
  }
}

test('what a path names does not exist for another user', async () => {
  const naming = privateRoutes.filter(({ path, name }) => path.includes('{') && !adminRoutes.includes(name))
  expect(naming.length).toBeGreaterThan(5)
  const before = await whenQuiet()
  for (const route of naming) {
    const path = String(ownedPath(route))
    const [mine, other] = isOfAccounts(route) ? [account.call, stranger.call] : [edge.as('user'), edge.as('stranger')]
    const found = route.method === 'GET' ? (await mine('GET', path)).status : 200
    expect([route.name, found]).toEqual([route.name, 200])
    const body = bodies[route.name] ?? {}
    const answer = await other(route.method, path, body)
    expect([route.name, answer.status]).toEqual([route.name, 404])
    record('other user', route)
  }
  const after = await fingerprint(edge.sql)
  // The only permitted change is the row of the user who sent the request.
  const unchanged = Object.keys(before).filter((name) => name !== 'public.users')
  expect(unchanged.filter((name) => after[name] !== before[name])).toEqual([])
})

test.each(sampled(['read', 'read accounts', '  read  '], 3))(
  'a token with the scope "%s" reads and changes nothing',
  async (scope) => {
    const before = await fingerprint(edge.sql)
    for (const route of privateRoutes) {
      const refused = mayChange(route)
      const role = roleFor(route)
      const tokens = [
        [edge.url, mintToken({ secret: secretOf(), claims: { ...goodClaims('user'), ...role, scope } })],
        ...(isOfAccounts(route) ? [] : [[oidcUrl, issuer.token('user', { claims: { ...role, scope } })] as const]),
      ] as const
      for (const [url, token] of tokens) {
        const path = adminRoutes.includes(route.name) ? pathWithRandomIds(route.path) : (ownedPath(route) ?? route.path)
        const answer = await edge.callTo(url, token)(route.method, path, route.method === 'GET' ? {} : { body: {} })
        const isForbidden = answer.text.includes('"code":"forbidden"')
        expect([route.name, answer.status === 403, isForbidden]).toEqual([route.name, refused, refused])
      }
      if (refused) record('missing scope', route)
    }
    const after = await fingerprint(edge.sql)
    const unchanged = Object.keys(before).filter((name) => !/^public\.(?:audit\w*|users|user_visits)$/.test(name))
    expect(unchanged.filter((name) => after[name] !== before[name])).toEqual([])
  },
)

test.each(sampled(['user', 'Admin', 'admin ', 'admin user', ['Admin'], true, { admin: true }, null], 4))(
  'a token with the role %j is no administrator’s',
  async (role) => {
    // With a role that is not a string, the whole token can be invalid.
    const refusals = typeof role === 'string' ? [403] : [401, 403]
    const before = await fingerprint(edge.sql)
    for (const route of routes.filter(({ name }) => adminRoutes.includes(name))) {
      const ours = mintToken({ secret: secretOf(), claims: { ...goodClaims('user'), role } })
      for (const [url, token] of [
        [edge.url, ours],
        [oidcUrl, issuer.token('user', { claims: { role } })],
      ] as const) {
        const { status } = await ask(edge.callTo(url), route, `Bearer ${token}`)
        expect([route.name, status, refusals.includes(status)]).toEqual([route.name, status, true])
      }
      record('missing role', route)
    }
    const after = await fingerprint(edge.sql)
    const unchanged = Object.keys(before).filter((name) => !/^public\.(?:audit\w*|users)$/.test(name))
    expect(unchanged.filter((name) => after[name] !== before[name])).toEqual([])
  },
)

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'PROPFIND']

test.each(routes.map((route) => [route.name, route] as const))(
  'the path %s has no method but the documented ones',
  async (_name, route) => {
    const known = routes.filter(({ path }) => path === route.path).map(({ method }) => method)
    const allowed = new Set([...known, ...(known.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])
    for (const method of methods.filter((name) => !allowed.has(name))) {
      const answer = await edge.as('user')(method, pathWithRandomIds(route.path))
      expect([method, answer.status]).toEqual([method, 405])
      expect(answer.json()).toMatchObject({ status: 405, code: 'method_not_allowed' })
      expect(new Set(answer.headers.get('allow')?.split(', '))).toEqual(allowed)
    }
    record('method not listed', route)
  },
)

/** The checks that a route needs. */
function needed(route: DocumentedRoute): Check[] {
  const checks: Check[] = ['method not listed']
  if (route.isPrivate) checks.push('no token', 'bad signature', 'expired', 'wrong issuer', 'wrong alg')
  if (route.isPrivate && !isOfAccounts(route)) checks.push('wrong audience')
  if (route.isPrivate && route.path.includes('{') && !adminRoutes.includes(route.name)) checks.push('other user')
  if (route.isPrivate && mayChange(route)) checks.push('missing scope')
  if (adminRoutes.includes(route.name)) checks.push('missing role')
  return checks
}

test('every route of the app is documented, and had every check that it needs', () => {
  const names = mounted.map(({ method, path }) => `${method} ${path}`)
  expect(names.toSorted()).toEqual(routes.map(({ name }) => name).toSorted())
  const openRoutes = routes.filter(({ isPrivate }) => !isPrivate)
  expect(openRoutes.map(({ name }) => name).toSorted()).toEqual(Object.keys(open).toSorted())
  // Other test files choose the caller by the path, so the paths must be right.
  expect(adminRoutes.toSorted()).toEqual(
    routes
      .filter(isAdministrators)
      .map(({ name }) => name)
      .toSorted(),
  )
  const missing = routes.flatMap((route) => needed(route).map((check) => `${check} · ${route.name}`))
  expect(missing.filter((one) => !tried.has(one))).toEqual([])
})
