// Entity tags over HTTP: 304 comes after every check of the request, belongs to one user, and no browser stores a response.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { callFor } from '../support/administrator.ts'
import { readDescription } from '../support/documented.ts'
import { type Answer, type Call, type Edge, expectStatus, startEdge } from '../support/edge.ts'

const app = 'https://app.test'
const { routes } = await readDescription()
const lists = [
  '/api/v1/transactions',
  '/api/v1/transactions/recurring',
  '/api/v1/holdings',
  '/api/v1/investments/transactions',
  '/api/v1/liabilities',
  '/api/v1/insights/cash-flow',
  '/api/v1/insights/spending',
  '/api/v1/insights/net-worth',
]
const [list = ''] = lists

let edge: Edge
beforeAll(async () => {
  edge = await startEdge({ variables: { CORS_ORIGINS: `["${app}"]` } })
  await edge.linkAndSync('user')
  await edge.linkAndSync('other')
})
afterAll(() => edge.stop())

const tagOf = ({ headers }: Answer): string => String(headers.get('etag'))
const named = (tag: string, headers: Record<string, string> = {}) => ({ headers: { 'if-none-match': tag, ...headers } })
const tagFor = async (call: Call, path = list) => tagOf(expectStatus(await call('GET', path), 200))
const code = (answer: Answer): unknown => z.looseObject({ code: z.string() }).parse(answer.json()).code

describe('a list with a tag', () => {
  test.each(lists)('responds with 304 and nothing else while it is current: %s', async (path) => {
    const call = edge.as('user')
    const first = expectStatus(await call('GET', path), 200)
    expect(tagOf(first)).toMatch(/^W\/"[\w-]{22}"$/)
    for (const method of ['GET', 'HEAD']) {
      const second = expectStatus(await call(method, path, named(tagOf(first))), 304)
      expect([second.text, second.headers.get('content-type')]).toEqual(['', null])
      for (const name of ['etag', 'cache-control', 'vary'])
        expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)])
    }
    expect(first.headers.get('cache-control')).toBe('private, no-cache')
    expect(first.headers.get('vary')?.toLowerCase().split(/, ?/)).toEqual(['authorization', 'wn-user', 'origin'])
    const head = expectStatus(await call('HEAD', path), 200)
    expect([head.text, tagOf(head)]).toEqual(['', tagOf(first)])
  })

  test('is in the description, with 304', async () => {
    const text = expectStatus(await edge.call('GET', '/openapi.json'), 200).json()
    const operation = z.looseObject({
      responses: z.record(z.string(), z.looseObject({ headers: z.unknown().optional() })),
    })
    const { paths } = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) }).parse(text)
    const described = Object.entries(paths).filter(([, { get }]) => get?.responses['304'] !== undefined)
    expect(described.map(([path]) => path).toSorted()).toEqual(lists.toSorted())
    for (const [, { get }] of described)
      for (const status of ['200', '304']) expect(get?.responses[status]?.headers).toHaveProperty('ETag')
  })

  test('has another tag after a sync that changes it, and the same after one that does not', async () => {
    const call = edge.as('syncs')
    const { id, plaidItemId } = await edge.linkAndSync('syncs')
    const sync = async () => {
      expectStatus(await call('POST', `/api/v1/plaid/sync/item/${id}`), 202)
      await edge.settled()
    }
    await sync()
    const tag = await tagFor(call)
    await sync()
    expectStatus(await call('GET', list, named(tag)), 304)
    await edge.bank.change(plaidItemId, { add: 1, silent: true })
    await sync()
    expectStatus(await call('GET', list, named(tag)), 200)
  })

  test('is stored by no browser, and its page can read the tag', async () => {
    const headers = { origin: app }
    const call = edge.as('user')
    const first = expectStatus(await call('GET', list, { headers }), 200)
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(first.headers.get('access-control-expose-headers')?.split(', ')).toContain('ETag')
    const second = expectStatus(await call('GET', list, named(tagOf(first), headers)), 304)
    expect(second.headers.get('access-control-allow-origin')).toBe(app)
    const asked = {
      origin: app,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,if-none-match',
    }
    const preflight = await edge.call('OPTIONS', list, { headers: asked })
    expect(preflight.headers.get('access-control-allow-headers')?.split(', ')).toContain('If-None-Match')
    const ofConsole = await call('GET', list, { headers: { 'sec-fetch-site': 'same-origin' } })
    expect(ofConsole.headers.get('cache-control')).toBe('no-store')
  })

  test('is on no other route', async () => {
    const others = routes.filter(({ method, path }) => method === 'GET' && !lists.includes(path) && !path.includes('{'))
    for (const { path, isPrivate } of others) {
      const { headers } = await (isPrivate ? edge.as('user') : edge.call)('GET', path)
      expect([path, headers.get('etag')]).toEqual([path, null])
    }
  })
})

describe('a current tag', () => {
  test.each(lists)('brings nothing to another user: %s', async (path) => {
    const tag = await tagFor(edge.as('user'), path)
    const answer = expectStatus(await edge.as('other')('GET', path, named(tag)), 200)
    expect(tagOf(answer)).not.toBe(tag)
  })

  test('brings nothing without a good token', async () => {
    const tag = await tagFor(edge.as('user'))
    for (const ifNoneMatch of [tag, '*'])
      for (const call of [edge.call, edge.callTo(edge.url, `${edge.token('user')}x`)])
        expect(code(expectStatus(await call('GET', list, named(ifNoneMatch)), 401))).toBe('unauthorized')
  })

  test('brings nothing to a user who does not allow insights', async () => {
    const path = '/api/v1/insights/spending'
    await edge.linkAndSync('private')
    const call = edge.as('private')
    const tag = await tagFor(call, path)
    const given = (version: number, insights: boolean) => ({
      body: { version, purposes: { linking_and_sync: true, insights, product_emails: false, diagnostics: true } },
    })
    expectStatus(await call('PUT', '/api/v1/privacy/consents', given(0, false)), 200)
    for (const ifNoneMatch of [tag, '*'])
      expect(code(expectStatus(await call('GET', path, named(ifNoneMatch)), 403))).toBe('purpose_not_allowed')
  })

  test('brings nothing to a key that may not read, and belongs to the user that WN-User names', async () => {
    const admin = callFor(edge, { path: '/api/v1/admin/api-keys' }, 'operator')
    const made = expectStatus(await admin('POST', '/api/v1/admin/applications', { body: { name: 'Budget app' } }), 201)
    const application = z.looseObject({ id: z.string(), issuer: z.string() }).parse(made.json())
    const keyWith = async (scope: string) => {
      const body = { application_id: application.id, name: 'server', scopes: [scope] }
      const answer = expectStatus(await admin('POST', '/api/v1/admin/api-keys', { body }), 201)
      return z.looseObject({ key: z.string() }).parse(answer.json()).key
    }
    const [reader, linker] = [await keyWith('read'), await keyWith('link')]
    for (const subject of ['one', 'two'])
      await edge.sql('insert into users (issuer, subject) values ($1, $2)', [application.issuer, subject])
    const acting = (key: string, user: string) => ({ authorization: `Bearer ${key}`, 'wn-user': user })
    const tag = tagOf(expectStatus(await edge.call('GET', list, { headers: acting(reader, 'one') }), 200))
    expectStatus(await edge.call('GET', list, named(tag, acting(reader, 'one'))), 304)
    expectStatus(await edge.call('GET', list, named(tag, acting(reader, 'two'))), 200)
    for (const ifNoneMatch of [tag, '*'])
      expectStatus(await edge.call('GET', list, named(ifNoneMatch, acting(linker, 'one'))), 403)
  })

  test('brings nothing over the rate limit, and counts', async () => {
    const limited = await edge.startAnother({ RATE_LIMIT_ENABLED: '', RATE_LIMITS: JSON.stringify({ global: 3 }) })
    const call = edge.callTo(limited.url, edge.token('user'))
    const tag = await tagFor(call)
    expectStatus(await call('GET', list, named(tag)), 304)
    const last = expectStatus(await call('GET', list, named(tag)), 304)
    expect(last.headers.get('ratelimit')).toContain('"global";r=0')
    expect(code(expectStatus(await call('GET', list, named(tag)), 429))).toBe('rate_limited')
  })

  test('brings nothing to a person who was erased', async () => {
    await edge.linkAndSync('leaver')
    const call = edge.as('leaver')
    const tag = await tagFor(call)
    expectStatus(await call('GET', list, named(tag)), 304)
    await call('POST', '/api/v1/privacy/erase', { body: {} })
    for (const ifNoneMatch of [tag, '*'])
      expect(code(expectStatus(await call('GET', list, named(ifNoneMatch)), 401))).toBe('unauthorized')
  })
})
