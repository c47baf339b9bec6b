// API keys over HTTP: how they are made, for whom they act, what they may do, and when they end.
import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createKey } from '../../src/auth/api-key.ts'
import { callFor, isAdministrators } from '../support/administrator.ts'
import { pathWithRandomIds, readDescription } from '../support/documented.ts'
import { type Answer, type Call, type Edge, expectStatus, startEdge } from '../support/edge.ts'
import { type Issuer, issuerName, startIssuer } from '../support/issuer.ts'
import { everyRow } from '../support/tables.ts'
import { mintToken } from '../support/tokens.ts'

const keySchema = z.looseObject({ id: z.string(), key: z.string(), prefix: z.string(), scopes: z.array(z.string()) })
const applicationSchema = z.looseObject({ id: z.string(), issuer: z.string() })
const tokenSchema = z.looseObject({ access_token: z.string(), scope: z.string(), expires_in: z.int() })

const privateRoutes = (await readDescription()).routes.filter(({ isPrivate }) => isPrivate)

let edge: Edge
let issuer: Issuer
let oidcUrl: string
let admin: Call
let application: z.output<typeof applicationSchema>

/** Every key and token that was issued here. */
const issued: string[] = []

const newKey = async (body: object, headers: Record<string, string> = {}) => {
  const made = keySchema.parse(
    expectStatus(
      await admin('POST', '/api/v1/admin/api-keys', {
        headers,
        body: { application_id: application.id, name: 'server', scopes: ['read', 'write', 'link'], ...body },
      }),
      201,
    ).json(),
  )
  issued.push(made.key)
  return made
}
const issueToken = async (key: string, user: string, body: object = {}, url = edge.url): Promise<string> => {
  const answer = await edge.callTo(url)('POST', '/api/v1/tokens', { headers: acting(key, user), body })
  const { access_token: token } = tokenSchema.parse(expectStatus(answer, 200).json())
  issued.push(token)
  return token
}
const acting = (key: string, user: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${key}`,
  'wn-user': user,
})

beforeAll(async () => {
  ;[edge, issuer] = await Promise.all([startEdge(), startIssuer()])
  oidcUrl = (await edge.startAnother(issuer.variables)).url
  admin = callFor(edge, { path: '/api/v1/admin/api-keys' }, 'operator')
  application = applicationSchema.parse(
    expectStatus(await admin('POST', '/api/v1/admin/applications', { body: { name: 'Budget app' } }), 201).json(),
  )
})
afterAll(() => Promise.all([edge.stop(), issuer.stop()]))

describe('a key of an application', () => {
  test('acts for the user that WN-User names, and for no other', async () => {
    const { key, prefix } = await newKey({})
    const one = await edge.call('POST', '/api/v1/plaid/link/token/create', { headers: acting(key, 'u-1'), body: {} })
    expect(one.status).toBe(200)
    const trails = await Promise.all(
      ['u-1', 'u-2'].map(async (user) =>
        (await edge.call('GET', '/api/v1/audit', { headers: acting(key, user) })).json(),
      ),
    )
    expect(trails).toEqual([
      {
        data: [expect.objectContaining({ action: 'link_token_created', actor: 'user', api_key: prefix })],
        next_cursor: null,
      },
      { data: [], next_cursor: null },
    ])
    const users = await edge.sql('select subject from users where issuer = $1', [application.issuer])
    expect(users).toEqual([{ subject: 'u-1' }])
  })

  test('ends at once when it is revoked, and so do its tokens', async () => {
    const { id, key } = await newKey({})
    const answer = await edge.call('POST', '/api/v1/tokens', {
      headers: acting(key, 'u-3'),
      body: { scopes: ['read'] },
    })
    const { access_token: token, scope } = tokenSchema.parse(expectStatus(answer, 200).json())
    expect(scope).toBe('read')
    const client = edge.callTo(edge.url, token)
    expect((await client('GET', '/api/v1/accounts')).status).toBe(200)
    expect((await client('POST', '/api/v1/plaid/sync/all')).status).toBe(403)
    expect((await admin('DELETE', `/api/v1/admin/api-keys/${id}`)).status).toBe(204)
    expect((await client('GET', '/api/v1/accounts')).status).toBe(401)
    expect((await edge.call('GET', '/api/v1/accounts', { headers: acting(key, 'u-3') })).status).toBe(401)
  })

  test('is created once for repeated requests with an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const { id, prefix } = await newKey({}, headers)
    const again = await admin('POST', '/api/v1/admin/api-keys', {
      headers,
      body: { application_id: application.id, name: 'server', scopes: ['read'] },
    })
    expect([again.status, again.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'conflict', api_key: { id, prefix } }),
    ])
  })
})

/** The log line of a request with this id. */
async function lineOf(id: string): Promise<string> {
  const find = () => edge.lines().find((line) => line.includes(id) && line.includes('http_request'))
  await expect.poll(find).toBeDefined()
  return String(find())
}

describe('the audit trail', () => {
  const rowSchema = z.looseObject({
    action: z.string(),
    api_key: z.string().nullable(),
    target_id: z.string().nullable(),
  })
  const allRows = async () =>
    z
      .object({ data: z.array(rowSchema) })
      .parse(
        (await callFor(edge, { path: '/api/v1/admin/' }, 'auditor')('GET', '/api/v1/admin/audit?limit=100')).json(),
      ).data
  const linkTokens = { method: 'POST', path: '/api/v1/plaid/link/token/create' } as const

  test('names the key of each change: of an application, of its tokens, of a user, and of an application without a user', async () => {
    const server = await newKey({ scopes: ['read', 'link', 'webhooks', 'admin:read'] })
    const own = keySchema.parse(
      expectStatus(
        await edge.as('keyed')('POST', '/api/v1/api-keys', { body: { name: 'mine', scopes: ['link'] } }),
        201,
      ).json(),
    )
    const link = async (headers: Readonly<Record<string, string>>) =>
      expectStatus(await edge.call(linkTokens.method, linkTokens.path, { headers, body: {} }), 200)
    await link(acting(server.key, 'audited'))
    await link({ authorization: `Bearer ${await issueToken(server.key, 'audited')}` })
    await link({ authorization: `Bearer ${own.key}` })
    await link({ authorization: `Bearer ${edge.token('keyed')}` })
    const alone = edge.callTo(edge.url, server.key)
    await alone('POST', '/api/v1/webhooks/endpoints', { body: { url: 'http://127.0.0.1:9/events' } })
    await alone('GET', '/api/v1/admin/items')
    const rows = await allRows()
    const keysOf = (action: string) => rows.filter((row) => row.action === action).map((row) => row.api_key)
    expect(keysOf('link_token_created').slice(0, 4)).toEqual([null, own.prefix, server.prefix, server.prefix])
    expect(keysOf('webhook_endpoint_created')[0]).toBe(server.prefix)
    expect(keysOf('client_token_issued')[0]).toBe(server.prefix)
    const reads = rows.filter((row) => row.action === 'admin_read' && row.target_id === 'adminListItems')
    expect(reads[0]?.api_key).toBe(server.prefix)
    expect(rows.find((row) => row.action === 'api_key_created' && row.target_id === own.id)?.api_key).toBeNull()
    const mine = z
      .object({ data: z.array(rowSchema) })
      .parse((await edge.as('keyed')('GET', '/api/v1/audit')).json()).data
    expect(mine.map((row) => row.api_key)).toEqual([null, own.prefix, null])
  })
})

describe('a refused key', () => {
  const get = (key: string, headers: Record<string, string> = {}, path = '/api/v1/accounts'): Promise<Answer> =>
    edge.call('GET', path, { headers: { ...acting(key, 'u-4'), ...headers } })

  test('gets the 401 of a bad token; a malformed one costs no call of the database', async () => {
    const { key } = await newKey({})
    const { key: ended } = await newKey({ name: 'ended' })
    await edge.sql("update api_keys set expires_at = now() - interval '1 second' where name = 'ended'")
    const unknown = await createKey('test')
    const ofLive = await createKey('live')
    const reference = await edge.call('GET', '/api/v1/accounts')
    const withoutInstance = (text: string) => text.replace(/"urn:uuid:[0-9a-f-]{36}"/, '""')
    const faults: readonly [string, string, number][] = [
      [`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`, 'a malformed API key', 0],
      [key.slice(0, -1), 'a malformed API key', 0],
      ['wn_', 'a malformed API key', 0],
      [ofLive.text, 'an API key of the other environment', 0],
      [unknown.text, 'an unknown API key', 1],
      [ended, 'an API key that is expired', 1],
    ]
    for (const [text, reason, calls] of faults) {
      const id = randomUUID()
      const answer = await get(text, { 'x-request-id': id })
      expect([reason, answer.status, withoutInstance(answer.text)]).toEqual([
        reason,
        401,
        withoutInstance(reference.text),
      ])
      const line = await lineOf(id)
      expect(line).toContain(reason)
      expect([reason, /"database_calls":(\d+)/.exec(line)?.[1] ?? '0']).toEqual([reason, String(calls)])
    }
    expect((await get(key)).status).toBe(200)
  })

  test('is one that was sent in the URL, also with a valid header', async () => {
    const { key } = await newKey({})
    for (const query of [`?api_key=${key}`, `?cursor=${key}`, `?q=x${encodeURIComponent(key)}`]) {
      const answer = await get(key, {}, `/api/v1/accounts${query}`)
      expect([answer.status, answer.text.includes('Revoke it')]).toEqual([401, true])
    }
  })

  test('is one from outside of its networks', async () => {
    const { key } = await newKey({ networks: ['198.51.100.0/25', '2001:db8:1::/48'] })
    const cases: readonly [string, number][] = [
      ['198.51.100.0', 200],
      ['198.51.100.127', 200],
      ['198.51.100.128', 401],
      ['198.51.101.0', 401],
      ['::ffff:198.51.100.9', 200],
      ['::ffff:c633:6480', 401],
      ['2001:db8:1:ffff::1', 200],
      ['2001:db8:2::1', 401],
      ['not an address', 401],
    ]
    for (const [address, status] of cases)
      expect([address, (await get(key, { 'cf-connecting-ip': address })).status]).toEqual([address, status])
  })

  test('is one that was revoked, in every isolate from the next request on', async () => {
    const { id, key } = await newKey({})
    const other = (await edge.startAnother({})).url
    const ask = async (url: string) =>
      (await edge.callTo(url)('GET', '/api/v1/accounts', { headers: acting(key, 'u-5') })).status
    expect([await ask(edge.url), await ask(other)]).toEqual([200, 200])
    expectStatus(await admin('DELETE', `/api/v1/admin/api-keys/${id}`), 204)
    expect([await ask(edge.url), await ask(other)]).toEqual([401, 401])
    expectStatus(await admin('DELETE', `/api/v1/admin/api-keys/${id}`), 204)
  })

  test('is any key where the deployment accepts none, and so are their tokens', async () => {
    const { key } = await newKey({})
    const token = await issueToken(key, 'u-5')
    const off = (await edge.startAnother({ API_KEYS: 'off' })).url
    const asked = await Promise.all([
      edge.callTo(off)('GET', '/api/v1/accounts', { headers: acting(key, 'u-5') }),
      edge.callTo(off, token)('GET', '/api/v1/accounts'),
    ])
    expect(asked.map(({ status }) => status)).toEqual([401, 401])
    const listed = await edge.callTo(off, edge.token('user'))('GET', '/api/v1/api-keys')
    expect(listed.status).toBe(404)
  })
})

describe('WN-User', () => {
  test('is refused for everyone but a key of an application', async () => {
    const own = await edge.as('owner')('POST', '/api/v1/api-keys', { body: { name: 'mine', scopes: ['read'] } })
    const { key } = keySchema.parse(expectStatus(own, 201).json())
    const { key: server } = await newKey({})
    const tokens = [edge.token('owner'), key, await issueToken(server, 'u-6')]
    for (const token of tokens) {
      const call = edge.callTo(edge.url, token)
      expect((await call('GET', '/api/v1/accounts')).status).toBe(200)
      const named = await call('GET', '/api/v1/accounts', { headers: { 'wn-user': 'u-7' } })
      expect([named.status, named.text]).toEqual([400, expect.stringContaining('WN-User')])
    }
  })

  test('is required of a key of an application, in a form that no proxy changes', async () => {
    const { key } = await newKey({})
    const without = await edge.callTo(edge.url, key)('GET', '/api/v1/accounts')
    expect([without.status, without.json()]).toEqual([400, expect.objectContaining({ code: 'user_required' })])
    for (const user of ['', 'a, b', 'a,b', 'x'.repeat(256), 'caf\u00e9']) {
      const answer = await edge.call('GET', '/api/v1/accounts', { headers: acting(key, user) })
      expect([user, answer.status]).toEqual([user, 400])
    }
  })

  test('is the same user as that of a token of the provider, with its issuer alone', async () => {
    const operator = edge.callTo(oidcUrl, issuer.token('operator', { claims: { role: 'admin' } }))
    const make = async (body: object) => {
      const made = applicationSchema.parse(
        expectStatus(await operator('POST', '/api/v1/admin/applications', { body }), 201).json(),
      )
      const created = await operator('POST', '/api/v1/admin/api-keys', {
        body: { application_id: made.id, name: 'server', scopes: ['read', 'write', 'link'] },
      })
      return keySchema.parse(expectStatus(created, 201).json()).key
    }
    const [ofProvider, ofOthers] = [
      await make({ name: 'provider', issuer: issuerName }),
      await make({ name: 'other', issuer: 'https://other.test' }),
    ]
    const person = edge.callTo(oidcUrl, issuer.token('person'))
    expectStatus(await person('POST', '/api/v1/plaid/link/token/create', { body: {} }), 200)
    const trailBy = async (headers: Readonly<Record<string, string>>) =>
      (await edge.callTo(oidcUrl)('GET', '/api/v1/audit', { headers })).json()
    const mine = (await person('GET', '/api/v1/audit')).json()
    expect(mine).toMatchObject({ data: [{ action: 'link_token_created' }] })
    expect(await trailBy(acting(ofProvider, 'person'))).toEqual(mine)
    expect(await trailBy(acting(ofOthers, 'person'))).toMatchObject({ data: [] })
    // A token of the key is accepted in addition to those of the provider.
    const token = await issueToken(ofProvider, 'person', { scopes: ['read'] }, oidcUrl)
    expect((await edge.callTo(oidcUrl, token)('GET', '/api/v1/accounts')).status).toBe(200)
  })

  test('is never a user of built-in accounts', async () => {
    for (const name of ['wealthnavigator-edge', 'http://issuer.test', 'https://a:b@issuer.test', 'x', '']) {
      const answer = await admin('POST', '/api/v1/admin/applications', { body: { name: 'app', issuer: name } })
      expect([name, answer.status]).toEqual([name, 400])
    }
  })
})

describe('a key of a user', () => {
  const create = (subject: string, body: object = {}) =>
    edge.as(subject)('POST', '/api/v1/api-keys', { body: { name: 'mine', scopes: ['read'], ...body } })
  const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) })

  test('reads the data of that user, expires, and ends by an administrator too, which their trail says', async () => {
    const own = keySchema.extend({ expires_at: z.string() }).parse(expectStatus(await create('maker'), 201).json())
    const days = (new Date(own.expires_at).getTime() - Date.now()) / 86_400_000
    expect(Math.round(days)).toBe(90)
    const call = edge.callTo(edge.url, own.key)
    const trail = async () => expectStatus(await call('GET', '/api/v1/audit'), 200).json()
    expect(await trail()).toEqual((await edge.as('maker')('GET', '/api/v1/audit')).json())
    const listed = listSchema.parse((await edge.as('maker')('GET', '/api/v1/api-keys')).json())
    expect(listed.data).toEqual([expect.objectContaining({ id: own.id, prefix: own.prefix, revoked_at: null })])
    expect(JSON.stringify(listed)).not.toContain(own.key)
    expectStatus(await admin('DELETE', `/api/v1/admin/api-keys/${own.id}`), 204)
    expect((await call('GET', '/api/v1/audit')).status).toBe(401)
    expect((await edge.as('maker')('GET', '/api/v1/audit')).json()).toMatchObject({
      data: [
        { action: 'api_key_revoked', actor: 'admin', target_id: own.id },
        { action: 'api_key_created', actor: 'user', target_id: own.id },
      ],
    })
  })

  test('has no scope for administrators and no endless life, and a user has twenty at most', async () => {
    for (const body of [
      { scopes: ['admin:read'] },
      { expires_in_days: 367 },
      { expires_in_days: null },
      { scopes: [] },
    ])
      expect([body, (await create('collector', body)).status]).toEqual([body, 400])
    const statuses = await Promise.all(Array.from({ length: 24 }, async () => (await create('collector')).status))
    expect(statuses.toSorted((one, other) => one - other)).toEqual([
      ...Array<number>(20).fill(201),
      ...Array<number>(4).fill(409),
    ])
  })
})

/** What each route needs of a key: written down here by path, apart from the code. */
const linking = [
  'POST /api/v1/plaid/link/token/create',
  'POST /api/v1/plaid/item/public_token/exchange',
  'POST /api/v1/plaid/items/{id}/repaired',
]
const isForSignIns = (path: string): boolean =>
  /^\/api\/v1\/(?:auth\/|api-keys|admin\/api-keys|admin\/applications)/.test(path)

/** Routes that a key of an application calls for the application itself. */
const isOfEvents = ({ path }: { readonly path: string }): boolean => path.startsWith('/api/v1/webhooks/')

/** They change nothing, and what they get must not be in an address. */
const reading = ['POST /api/v1/live/ticket', 'POST /api/v1/admin/search', 'POST /api/v1/rules/preview']

function allowedScopes({ name, method, path }: { name: string; method: string; path: string }): string[] {
  if (isForSignIns(path)) return []
  if (name === 'POST /api/v1/tokens') return ['read', 'write', 'link']
  if (linking.includes(name)) return ['link']
  if (['GET /api/v1/admin/metrics', 'GET /api/v1/admin/crons'].includes(name)) return ['admin:read', 'admin:metrics']
  const right = method === 'GET' || reading.includes(name) ? 'read' : 'write'
  return [isAdministrators({ path }) ? `admin:${right}` : right]
}

describe('a key with one scope', () => {
  test.each(['read', 'write', 'link', 'webhooks', 'admin:read', 'admin:write', 'admin:metrics'])(
    '(%s) calls the routes of this scope and no other',
    async (scope) => {
      const { key } = await newKey({ scopes: [scope] })
      expect(privateRoutes.length).toBeGreaterThan(50)
      for (const [index, route] of privateRoutes.entries()) {
        const user = isAdministrators(route) ? {} : { 'wn-user': `${scope}-${index}` }
        const answer = await edge.callTo(edge.url, key)(route.method, pathWithRandomIds(route.path), {
          headers: user,
          ...(route.method === 'GET' ? {} : { body: {} }),
        })
        const isAllowed = allowedScopes(route).includes(scope)
        expect([route.name, answer.status === 403, answer.status === 401, answer.status < 500]).toEqual([
          route.name,
          !isAllowed,
          false,
          true,
        ])
      }
    },
    60_000,
  )

  test.each(['read', 'write', 'link', 'webhooks', 'admin:read', 'admin:write', 'admin:metrics'])(
    '(%s) that names no user calls the routes of events with webhooks alone, and no other route of users',
    async (scope) => {
      const { key } = await newKey({ scopes: [scope] })
      const routes = privateRoutes.filter((route) => !isAdministrators(route) && !isForSignIns(route.path))
      expect(routes.filter(isOfEvents)).toHaveLength(11)
      // A key with no other fault gets past the access, to an empty list, an unknown id or a body that is not valid.
      const allowed = scope === 'webhooks' ? [200, 400, 404] : [403]
      for (const route of routes) {
        const body = route.method === 'GET' ? {} : { body: {} }
        const answer = await edge.callTo(edge.url, key)(route.method, pathWithRandomIds(route.path), body)
        const { code = null } = z.object({ code: z.string().optional() }).parse(answer.json())
        const isOne = isOfEvents(route)
        const isExpected = (isOne ? allowed : [400]).includes(answer.status) && (code === 'user_required') !== isOne
        expect([route.name, answer.status, code, isExpected]).toEqual([route.name, answer.status, code, true])
      }
    },
    60_000,
  )

  test('reaches no route for administrators while it acts for a user', async () => {
    const { key } = await newKey({ scopes: ['read', 'admin:read', 'admin:write'] })
    const asOperator = await edge.callTo(edge.url, key)('GET', '/api/v1/admin/items')
    const asUser = await edge.call('GET', '/api/v1/admin/items', { headers: acting(key, 'u-8') })
    const byToken = await edge.callTo(edge.url, await issueToken(key, 'u-8'))('GET', '/api/v1/admin/items')
    expect([asOperator.status, asUser.status, byToken.status]).toEqual([200, 403, 403])
  })
})

describe('a token of a key', () => {
  const forged = (claims: Record<string, unknown>, header: Record<string, unknown> = {}, secret?: string): string =>
    mintToken({
      secret: secret ?? String(edge.variables['SECRET_KEY']),
      header: { alg: 'HS256', typ: 'at+jwt', ...header },
      claims: {
        iss: 'wealthnavigator-edge/api-keys',
        aud: 'wealthnavigator-edge/api-keys',
        sub: 'u-9',
        scope: 'read',
        jti: randomUUID(),
        iat: Math.floor(Date.now() / 1000),
        exp: Math.floor(Date.now() / 1000) + 600,
        ...claims,
      },
    })
  const statusOf = async (token: string) => (await edge.callTo(edge.url, token)('GET', '/api/v1/accounts')).status

  test('is signed, has its type and issuer, and names a live key', async () => {
    const { id } = await newKey({})
    expect(await statusOf(forged({ client_id: id }))).toBe(200)
    const hourAgo = Math.floor(Date.now() / 1000) - 3600
    const faults = [
      forged({ client_id: id }, {}, 'x'.repeat(48)),
      forged({ client_id: id }, { typ: 'JWT' }),
      forged({ client_id: id }, { alg: 'none' }),
      forged({ client_id: id }, { alg: 'HS512' }),
      forged({ client_id: id, aud: 'wealthnavigator-edge' }),
      forged({ client_id: id, iss: 'wealthnavigator-edge/other' }),
      forged({ client_id: id, exp: hourAgo }),
      forged({ client_id: id, exp: undefined }),
      forged({ client_id: id, iat: undefined }),
      forged({ client_id: id, sub: '' }),
      forged({ client_id: randomUUID() }),
      forged({ client_id: undefined }),
    ]
    expect(await Promise.all(faults.map(statusOf))).toEqual(faults.map(() => 401))
  })

  test('has no scope that its key lacks, issues no token, and manages no keys', async () => {
    const { id, key } = await newKey({ scopes: ['read'] })
    const wider = await edge.call('POST', '/api/v1/tokens', {
      headers: acting(key, 'u-10'),
      body: { scopes: ['read', 'write'] },
    })
    expect(wider.status).toBe(403)
    const writing = edge.callTo(edge.url, forged({ client_id: id, scope: 'read write link admin:read' }))
    const statuses = await Promise.all([
      writing('POST', '/api/v1/plaid/sync/all'),
      writing('POST', '/api/v1/plaid/link/token/create', { body: {} }),
      writing('GET', '/api/v1/admin/items'),
      writing('POST', '/api/v1/tokens'),
      writing('GET', '/api/v1/api-keys'),
      edge.as('owner')('POST', '/api/v1/tokens'),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403])
  })
})

test('an erased person is refused to the keys and tokens from before, and their erasure is found again', async () => {
  const { key } = await newKey({})
  const token = await issueToken(key, 'leaving')
  const erase = () => edge.call('POST', '/api/v1/privacy/erase', { headers: acting(key, 'leaving') })
  const erasure = z.looseObject({ id: z.string() })
  const { id } = erasure.parse((await erase()).json())
  const get = (headers: Readonly<Record<string, string>>) => edge.call('GET', '/api/v1/accounts', { headers })
  await expect
    .poll(async () => (await edge.sql('select id from users where subject = $1', ['leaving'])).length, {
      timeout: 30_000,
    })
    .toBe(0)
  expect((await get(acting(key, 'leaving'))).status).toBe(401)
  expect((await get({ authorization: `Bearer ${token}` })).status).toBe(401)
  expect((await edge.call('POST', '/api/v1/tokens', { headers: acting(key, 'leaving') })).status).toBe(401)
  expect((await get(acting(key, 'staying'))).status).toBe(200)
  // However long ago the erasure is: only a key from after it brings the person back.
  await edge.sql("update erasures set requested_at = requested_at - interval '1 day'")
  await edge.sql("update api_keys set created_at = created_at - interval '2 days' where digest = $1", [
    `\\x${createHash('sha256').update(key).digest('hex')}`,
  ])
  expect((await get(acting(key, 'leaving'))).status).toBe(401)
  const { key: later } = await newKey({})
  expect((await get(acting(later, 'leaving'))).status).toBe(200)
  expect(erasure.parse((await erase()).json()).id).toBe(id)
})

describe('a request with an Idempotency-Key', () => {
  const sync = (user: string, requestKey: string, path = '/api/v1/plaid/sync/all'): Promise<Answer> =>
    edge.as(user)('POST', path, { headers: { 'idempotency-key': requestKey } })

  test('runs once, also an exchange, whose repetition gets the same item', async () => {
    const call = edge.as('repeating')
    const created = await call('POST', '/api/v1/plaid/link/token/create', { body: {} })
    const { link_token } = z.object({ link_token: z.string() }).parse(created.json())
    const linked = await edge.bank.plaid('/simulator/link', { link_token })
    const { public_token } = z.object({ public_token: z.string() }).parse(linked)
    const headers = { 'idempotency-key': randomUUID() }
    const exchange = (body: object) => call('POST', '/api/v1/plaid/item/public_token/exchange', { headers, body })
    const first = expectStatus(await exchange({ public_token, link_token }), 201)
    const again = expectStatus(await exchange({ link_token, public_token }), 201)
    expect(again.json()).toEqual(first.json())
    const exchanges = edge.plaid.exchanges.filter(({ body }) => body.includes(public_token))
    expect(exchanges).toHaveLength(1)
    const other = await exchange({ public_token: `${public_token}0`, link_token })
    expect([other.status, other.json()]).toEqual([422, expect.objectContaining({ code: 'idempotency_key_reused' })])
    const stored = await edge.sql('select body::text as body from idempotent_requests')
    expect(stored.map(({ body }) => JSON.parse(String(body)) as unknown)).toEqual([first.json()])
  })

  test('waits for the first one, and is of one user and one route', async () => {
    const requestKey = randomUUID()
    expectStatus(await sync('repeating', requestKey), 202)
    const asked = await edge.sql('select count(*) as n from audit_log where action = $1', ['sync_requested'])
    expectStatus(await sync('repeating', `"${requestKey}"`), 202)
    expect(await edge.sql('select count(*) as n from audit_log where action = $1', ['sync_requested'])).toEqual(asked)
    expectStatus(await sync('somebody else', requestKey), 202)
    expectStatus(await sync('repeating', requestKey, `/api/v1/plaid/sync/item/${randomUUID()}`), 404)
    await edge.sql('update idempotent_requests set status = null, body = null')
    const waiting = await sync('repeating', requestKey)
    expect([waiting.status, waiting.json()]).toEqual([409, expect.objectContaining({ code: 'idempotency_key_in_use' })])
    // A request that died does not hold its key forever; after a day the key is free.
    await edge.sql("update idempotent_requests set started_at = now() - interval '16 minutes'")
    expectStatus(await sync('repeating', requestKey), 202)
    expectStatus(await sync('repeating', 'not a key'), 400)
  })

  test('runs again after an error', async () => {
    const requestKey = randomUUID()
    const path = `/api/v1/plaid/sync/item/${randomUUID()}`
    expectStatus(await sync('repeating', requestKey, path), 404)
    expectStatus(await sync('repeating', requestKey, path), 404)
  })

  test('is refused when its user has a thousand keys', async () => {
    expectStatus(await sync('many keys', randomUUID()), 202)
    await edge.sql(`insert into idempotent_requests (user_id, route, key_digest, request_digest, run_id, status, body)
      select u.id, 'syncAll', int4send(n), 'r', gen_random_uuid(), 202, '{}' from users u, generate_series(1, 999) n
      where u.subject = 'many keys'`)
    expect((await sync('many keys', randomUUID())).status).toBe(429)
  })
})

test('a key counts for itself: over its limit it gets 429 for every user', async () => {
  const limits = { RATE_LIMIT_ENABLED: 'true', RATE_LIMITS: '{"api_key": 4}' }
  const limited = edge.callTo((await edge.startAnother(limits)).url)
  const { key } = await newKey({})
  const statuses: number[] = []
  for (let user = 0; user < 6; user += 1)
    statuses.push((await limited('GET', '/api/v1/accounts', { headers: acting(key, `limited-${user}`) })).status)
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429])
})

test('failed keys count for their address, and stop at the database when it is over its limit', async () => {
  const limits = { RATE_LIMIT_ENABLED: 'true', RATE_LIMITS: '{"global": 3}' }
  const limited = edge.callTo((await edge.startAnother(limits)).url)
  const { key } = await newKey({})
  const from = { 'cf-connecting-ip': '198.51.100.77' }
  const good = () => limited('GET', '/api/v1/accounts', { headers: { ...from, ...acting(key, randomUUID()) } })
  expect((await good()).status).toBe(200)
  const statuses: number[] = []
  let last = ''
  for (let attempt = 0; attempt < 6; attempt += 1) {
    last = randomUUID()
    const { text } = await createKey('test')
    const headers = { ...from, ...acting(text, 'u'), 'x-request-id': last }
    statuses.push((await limited('GET', '/api/v1/accounts', { headers })).status)
  }
  expect(statuses).toEqual([401, 401, 401, 429, 429, 429])
  expect(/"database_calls":(\d+)/.exec(await lineOf(last))?.[1] ?? '0').toBe('0')
  // A key that was live in this isolate is looked up all the same.
  expect((await good()).status).toBe(200)
})

test('no key and no token is stored or logged', async () => {
  const stored = await everyRow(edge.sql)
  expect([stored.length > 10, issued.length > 10]).toEqual([true, true])
  const isLeak = (text: string): boolean =>
    /wn_(?:test|live)_[0-9A-Za-z]{9}/.test(text) || issued.some((secret) => text.includes(secret))
  expect(stored.filter(isLeak)).toEqual([])
  expect(edge.lines().filter(isLeak)).toEqual([])
})
