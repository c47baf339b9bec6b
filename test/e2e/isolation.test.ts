// No user can read or change another user's data: every documented route, with one user's token and another user's ids.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { callFor, isAdministrators } from '../support/administrator.ts'
import { readDescription } from '../support/documented.ts'
import { type Answer, type Call, type Edge, expectStatus, type Linked, startEdge } from '../support/edge.ts'
import { type EventServer, listenAndPing, startEventServer } from '../support/event-server.ts'
import { partsOf, textOf } from '../support/exact.ts'
import { userTables } from '../support/tables.ts'

// Left out: routes of built-in accounts, whose only ids are those of sessions, and routes for administrators, which
// users may not call. security-matrix.test.ts tests both.
const routes = (await readDescription()).routes.filter(
  (route) => !route.path.startsWith('/api/v1/auth/') && !isAdministrators(route),
)

interface Ids {
  readonly item: string
  readonly account: string
  readonly transaction: string
  readonly rule: string
  readonly publicToken: string
  readonly apiKey: string
  readonly endpoint: string
  readonly delivery: string
}

let edge: Edge
let owner: Linked
let owned: Ids
let events: EventServer
const unknown: Ids = {
  item: randomUUID(),
  account: randomUUID(),
  transaction: randomUUID(),
  rule: randomUUID(),
  publicToken: `public-sandbox-${randomUUID()}`,
  apiKey: randomUUID(),
  endpoint: randomUUID(),
  delivery: randomUUID(),
}

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })), next_cursor: z.string().nullable() })

beforeAll(async () => {
  ;[edge, events] = await Promise.all([startEdge(), startEventServer()])
  owner = await edge.linkAndSync('owner')
  await startKeys()
  await edge.linkAndSync('neighbour')
  for (const subject of ['owner', 'neighbour'])
    for (const name of ['first', 'second'])
      expectStatus(await edge.as(subject)('POST', '/api/v1/api-keys', { body: { name, scopes: ['read'] } }), 201)
  const firstId = async (path: string) => {
    const { data } = listSchema.parse((await edge.as('owner')('GET', path)).json())
    return z.string().parse(data[0]?.id)
  }
  for (const subject of ['owner', 'neighbour']) await listenAndPing(edge, subject, events.url)
  owned = {
    item: owner.id,
    account: await firstId('/api/v1/accounts'),
    transaction: await firstId('/api/v1/transactions'),
    rule: z
      .object({ id: z.string() })
      .parse((await edge.as('owner')('POST', '/api/v1/rules', { body: { contains: 'x', hidden: true } })).json()).id,
    publicToken: owner.publicToken,
    apiKey: await firstId('/api/v1/api-keys'),
    endpoint: await firstId('/api/v1/webhooks/endpoints'),
    delivery: await firstId('/api/v1/webhooks/deliveries'),
  }
})
afterAll(() => Promise.all([edge.stop(), events.stop()]))

/** A user who sends an application's API key, and one who sends a token of it. */
const ofKeys = ['keyed', 'with a token of a key']
const callers = new Map<string, Call>()
const as = (subject: string): Call => callers.get(subject) ?? edge.as(subject)

async function startKeys(): Promise<void> {
  const made = z.object({ id: z.string() })
  const admin = callFor(edge, { path: '/api/v1/admin/' }, 'operator')
  const application = expectStatus(await admin('POST', '/api/v1/admin/applications', { body: { name: 'app' } }), 201)
  const body = { application_id: made.parse(application.json()).id, name: 'key', scopes: ['read', 'write', 'link'] }
  const created = expectStatus(await admin('POST', '/api/v1/admin/api-keys', { body }), 201)
  const { key } = z.object({ key: z.string() }).parse(created.json())
  const call = edge.callTo(edge.url, key)
  const headers = { 'wn-user': 'owner' }
  const token = expectStatus(await call('POST', '/api/v1/tokens', { headers }), 200)
  callers.set('keyed', (method, path, parts = {}) => call(method, path, { ...parts, headers }))
  const { access_token } = z.object({ access_token: z.string() }).parse(token.json())
  callers.set('with a token of a key', edge.callTo(edge.url, access_token))
}

/** A request of the route with these ids. */
type Probe = (call: Call, ids: Ids) => Promise<Answer>

/**
 * Routes with an id in the path. For another user's id, the response must be the same as for an id that does not exist.
 */
const byId: Record<string, Probe> = {
  'POST /api/v1/plaid/link/token/create': (call, { item }) =>
    call('POST', '/api/v1/plaid/link/token/create', { body: { item_id: item } }),
  'POST /api/v1/plaid/item/public_token/exchange': (call, { publicToken }) =>
    call('POST', '/api/v1/plaid/item/public_token/exchange', { body: { public_token: publicToken } }),
  'GET /api/v1/plaid/items/{id}': (call, { item }) => call('GET', `/api/v1/plaid/items/${item}`),
  'DELETE /api/v1/plaid/items/{id}': (call, { item }) => call('DELETE', `/api/v1/plaid/items/${item}?purge=true`),
  'POST /api/v1/plaid/items/{id}/repaired': (call, { item }) => call('POST', `/api/v1/plaid/items/${item}/repaired`),
  'POST /api/v1/plaid/items/{id}/refresh': (call, { item }) => call('POST', `/api/v1/plaid/items/${item}/refresh`),
  'GET /api/v1/rules/{id}': (call, { rule }) => call('GET', `/api/v1/rules/${rule}`),
  'PUT /api/v1/rules/{id}': (call, { rule }) =>
    call('PUT', `/api/v1/rules/${rule}`, { body: { contains: 'not mine', hidden: true } }),
  'DELETE /api/v1/rules/{id}': (call, { rule }) => call('DELETE', `/api/v1/rules/${rule}`),
  'PUT /api/v1/rules/order': (call, { rule }) => call('PUT', '/api/v1/rules/order', { body: { ids: [rule] } }),
  'POST /api/v1/rules': (call, { account }) =>
    call('POST', '/api/v1/rules', { body: { account_id: account, hidden: true } }),
  'POST /api/v1/rules/preview': (call, { account, rule }) =>
    call('POST', '/api/v1/rules/preview', { body: { account_id: account, hidden: true, replaces: rule } }),
  'POST /api/v1/plaid/items/{id}/access_token/rotate': (call, { item }) =>
    call('POST', `/api/v1/plaid/items/${item}/access_token/rotate`),
  'GET /api/v1/plaid/items/{id}/duplicates': (call, { item }) => call('GET', `/api/v1/plaid/items/${item}/duplicates`),
  'POST /api/v1/plaid/items/{id}/duplicates/{account_id}': (call, { item, account }) =>
    call('POST', `/api/v1/plaid/items/${item}/duplicates/${account}`, { body: { keep: true } }),
  'POST /api/v1/plaid/sync/item/{item_id}': (call, { item }) => call('POST', `/api/v1/plaid/sync/item/${item}`),
  'GET /api/v1/accounts/{id}': (call, { account }) => call('GET', `/api/v1/accounts/${account}`),
  'PATCH /api/v1/accounts/{id}': (call, { account }) =>
    call('PATCH', `/api/v1/accounts/${account}`, { body: { name: 'not mine', hidden: true, in_insights: false } }),
  'GET /api/v1/accounts/{id}/balances': (call, { account }) => call('GET', `/api/v1/accounts/${account}/balances`),
  'DELETE /api/v1/api-keys/{id}': (call, { apiKey }) => call('DELETE', `/api/v1/api-keys/${apiKey}`),
  'GET /api/v1/transactions/{id}': (call, { transaction }) => call('GET', `/api/v1/transactions/${transaction}`),
  'PATCH /api/v1/transactions/{id}': (call, { transaction }) =>
    call('PATCH', `/api/v1/transactions/${transaction}`, { body: { note: 'not mine', hidden: true } }),
  'GET /api/v1/webhooks/endpoints/{id}': (call, { endpoint }) => call('GET', `/api/v1/webhooks/endpoints/${endpoint}`),
  'PATCH /api/v1/webhooks/endpoints/{id}': (call, { endpoint }) =>
    call('PATCH', `/api/v1/webhooks/endpoints/${endpoint}`, { body: { enabled: false } }),
  'DELETE /api/v1/webhooks/endpoints/{id}': (call, { endpoint }) =>
    call('DELETE', `/api/v1/webhooks/endpoints/${endpoint}`),
  'POST /api/v1/webhooks/endpoints/{id}/secret': (call, { endpoint }) =>
    call('POST', `/api/v1/webhooks/endpoints/${endpoint}/secret`),
  'POST /api/v1/webhooks/endpoints/{id}/ping': (call, { endpoint }) =>
    call('POST', `/api/v1/webhooks/endpoints/${endpoint}/ping`),
  'GET /api/v1/webhooks/deliveries/{id}': (call, { delivery }) =>
    call('GET', `/api/v1/webhooks/deliveries/${delivery}`),
  'POST /api/v1/webhooks/deliveries/{id}/replay': (call, { delivery }) =>
    call('POST', `/api/v1/webhooks/deliveries/${delivery}/replay`),
}

/** Lists, and the filter that could request another user's rows. */
const lists: Record<string, 'item_id' | 'account_id' | 'endpoint_id' | null> = {
  'GET /api/v1/plaid/items': null,
  'GET /api/v1/plaid/sync/runs': 'item_id',
  'GET /api/v1/accounts': null,
  'GET /api/v1/transactions': 'account_id',
  'GET /api/v1/transactions/recurring': 'account_id',
  'GET /api/v1/holdings': 'account_id',
  'GET /api/v1/investments/transactions': 'account_id',
  'GET /api/v1/liabilities': null,
  'GET /api/v1/audit': null,
  'GET /api/v1/api-keys': null,
  'GET /api/v1/webhooks/endpoints': null,
  'GET /api/v1/webhooks/deliveries': 'endpoint_id',
}

/** Sums over the caller's data. */
const sums = ['GET /api/v1/insights/net-worth', 'GET /api/v1/insights/cash-flow', 'GET /api/v1/insights/spending']
const feeds = ['GET /api/v1/transactions/changes', 'GET /api/v1/changes']
const everything = 'GET /api/v1/privacy/export'

/** Routes that act on all of the caller's data. */
const onOwn: Record<string, Probe> = {
  'POST /api/v1/plaid/sync/all': (call) => call('POST', '/api/v1/plaid/sync/all'),
}

/** The rules of the caller, and their application to the caller's transactions. */
const rules = ['GET /api/v1/rules', 'POST /api/v1/rules/apply']

/** A person's decisions about their own data. */
const decisions = ['GET /api/v1/privacy/consents', 'PUT /api/v1/privacy/consents', 'POST /api/v1/privacy/erase']

/** The same for every user: the state of the deployment. */
const common = ['GET /api/v1/status']

/** The sockets of the caller: live.test.ts. */
const sockets = ['POST /api/v1/live/ticket']

/** API keys of the caller alone, and tokens that need one: api-keys.test.ts. */
const keys = ['POST /api/v1/api-keys', 'POST /api/v1/tokens']
/** Routes that make endpoints, or send deliveries to them again. */
const ofEvents = ['POST /api/v1/webhooks/endpoints', 'POST /api/v1/webhooks/deliveries/replay']

/** Public routes, without data of a user. */
const open: Record<string, Probe> = {
  'GET /health': (call) => call('GET', '/health'),
  'GET /ready': (call) => call('GET', '/ready'),
  'GET /openapi.json': (call) => call('GET', '/openapi.json'),
  'GET /api/v1/privacy/erasures/{id}': (call) => call('GET', `/api/v1/privacy/erasures/${randomUUID()}`),
  'GET /privacy': (call) => call('GET', '/privacy'),
  'GET /api/v1/live': (call) => call('GET', '/api/v1/live?ticket=none'),
  'GET /.well-known/security.txt': (call) => call('GET', '/.well-known/security.txt'),
  'GET /.well-known/apple-app-site-association': (call) => call('GET', '/.well-known/apple-app-site-association'),
  'GET /.well-known/assetlinks.json': (call) => call('GET', '/.well-known/assetlinks.json'),
  'POST /api/v1/plaid/webhook': (call) => call('POST', '/api/v1/plaid/webhook', { body: {} }),
}

/** The body without the request id. */
function bodyOf({ text }: Answer): string {
  return text.replaceAll(/urn:uuid:[0-9a-f-]{36}/g, 'urn:uuid:*')
}

/** Every row of a user, in every table, as text. */
async function rowsOf(subject: string): Promise<string[]> {
  // The keys of an application act for another user with the same subject.
  const isUser = `subject = '${subject}' and issuer = 'wealthnavigator-edge'`
  const user = `(select id from users where ${isUser})`
  const tables = await userTables(edge.sql)
  const selects = tables.map((table) => `select '${table} ' || r::text as line from ${table} r where user_id = ${user}`)
  const users = `select 'users ' || u::text as line from users u where ${isUser}`
  const rows = await edge.sql([...selects, users].join(' union all '))
  return rows.map(({ line }) => String(line)).toSorted()
}

async function changesNothingOf(subject: string, act: () => Promise<unknown>): Promise<void> {
  const before = await rowsOf(subject)
  expect(before.length).toBeGreaterThan(200)
  await act()
  await edge.settled()
  expect(await rowsOf(subject)).toEqual(before)
}

/** Reads a page of a list with the name `GET /path`. */
async function read(subject: string, name: string, query: string) {
  const answer = await as(subject)('GET', `${name.slice('GET '.length)}${query}`)
  return listSchema.parse(answer.json())
}

test('every documented route is tried here', () => {
  const tried = [
    ...feeds,
    everything,
    ...common,
    ...keys,
    ...ofEvents,
    ...sockets,
    ...decisions,
    ...sums,
    ...Object.keys({ ...byId, ...lists, ...onOwn, ...open }),
    ...rules,
  ]
  expect(tried.toSorted()).toEqual(routes.map(({ name }) => name).toSorted())
})

describe.each(['stranger', 'neighbour', ...ofKeys])('another user (a %s)', (subject) => {
  /** No key manages keys: api-keys.test.ts. */
  const isOpen = (name: string): boolean => !ofKeys.includes(subject) || !name.includes('/api-keys')
  test.each(Object.entries(byId).filter(([name]) => isOpen(name)))(
    'gets for %s what an id gets that does not exist',
    async (_name, probe) => {
      const call = as(subject)
      await changesNothingOf('owner', async () => {
        const [mine, absent] = [await probe(call, owned), await probe(call, unknown)]
        expect(mine.status).toBe(absent.status)
        expect([400, 404]).toContain(mine.status)
        expect(bodyOf(mine)).toBe(bodyOf(absent))
        expect([...mine.headers.keys()]).toEqual([...absent.headers.keys()])
      })
    },
  )

  test.each(Object.entries(lists).filter(([name]) => isOpen(name)))(
    'sees nothing of the owner in %s',
    async (name, filter) => {
      const theirs = await read('owner', name, '?limit=500')
      const ids = new Set(theirs.data.map(({ id }) => id))
      expect(ids.size).toBeGreaterThan(0)
      const seen = await read(subject, name, '?limit=500')
      expect(seen.data.filter(({ id }) => ids.has(id))).toEqual([])
      // The trail of a user of a key has the key's token.
      const hasOwn = subject === 'neighbour' || (ofKeys.includes(subject) && name === 'GET /api/v1/audit')
      expect(seen.data.length > 0).toBe(hasOwn)
      if (filter === null) return
      const query = `?${filter}=${String(theirs.data[0]?.[filter])}`
      expect((await read('owner', name, query)).data.length).toBeGreaterThan(0)
      expect(await read(subject, name, query)).toEqual({ data: [], next_cursor: null })
    },
  )

  test.each(Object.keys(lists).filter(isOpen))("%s gives nothing for another user's cursor", async (name) => {
    // A list with one row has no cursor.
    const { next_cursor: cursor } = await read('owner', name, '?limit=1')
    const ids = new Set((await read('owner', name, '?limit=500')).data.map(({ id }) => id))
    const seen = await read(subject, name, cursor === null ? '' : `?cursor=${cursor}`)
    expect(seen.data.filter(({ id }) => ids.has(id))).toEqual([])
  })
})

test('a user lists own rules and no others', async () => {
  const listed = async (subject: string) => (await edge.as(subject)('GET', '/api/v1/rules')).text
  expect(await listed('owner')).toContain(owned.rule)
  expect(await listed('neighbour')).not.toContain(owned.rule)
})

const feedSchema = z.object({
  data: z.array(z.object({ seq: z.int(), transaction: z.object({ id: z.string() }) })),
  next_since: z.int(),
})
const changesOf = async (subject: string) =>
  feedSchema.parse((await edge.as(subject)('GET', '/api/v1/transactions/changes?limit=100')).json())

test('the change feed contains no changes of other users, who have separate numbers', async () => {
  const [theirs, mine] = [await changesOf('owner'), await changesOf('neighbour')]
  const ids = new Set(theirs.data.map(({ transaction }) => transaction.id))
  expect(ids.size).toBe(100)
  expect(mine.data).toHaveLength(100)
  expect(mine.data.filter(({ transaction }) => ids.has(transaction.id))).toEqual([])
  expect(mine.data[0]?.seq).toBeLessThan(100)
  expect(await changesOf('stranger')).toEqual({ data: [], next_since: 0 })
  const asked = await edge.as('stranger')('GET', `/api/v1/transactions/changes?since=${theirs.next_since}`)
  expect(asked.status).toBe(400)
})

const wholeFeedSchema = z.object({
  data: z.array(z.looseObject({ kind: z.string(), id: z.string() })),
  next_since: z.string(),
})
const everythingOf = async (subject: string, since = '0') =>
  wholeFeedSchema.parse((await edge.as(subject)('GET', `/api/v1/changes?limit=500&since=${since}`)).json())

test('the feed of everything contains no rows of other users, also at the place of another user', async () => {
  const [theirs, mine] = [await everythingOf('owner'), await everythingOf('neighbour')]
  const ids = new Set(theirs.data.map(({ id }) => id))
  expect(new Set(theirs.data.map(({ kind }) => kind)).size).toBeGreaterThan(5)
  expect(mine.data.length).toBeGreaterThan(0)
  expect(mine.data.filter(({ id }) => ids.has(id))).toEqual([])
  expect((await everythingOf('stranger')).data).toEqual([])
  for (const subject of ['neighbour', 'stranger']) {
    const { status } = await edge.as(subject)('GET', `/api/v1/changes?since=${theirs.next_since}`)
    expect(status).toBe(410)
  }
})

const sumsSchema = z.object({ data: z.array(z.looseObject({ currency: z.string().nullable() })) })
const balancesSchema = z.object({ current: z.string().nullable(), currency: z.string().nullable() })

test('the consents of one user concern no other', async () => {
  const path = '/api/v1/privacy/consents'
  const purposes = { linking_and_sync: true, insights: true, product_emails: false, diagnostics: false }
  await changesNothingOf('owner', async () => {
    const changed = await edge.as('consenting')('PUT', path, { body: { version: 0, purposes } })
    expect([changed.status, changed.json()]).toEqual([200, expect.objectContaining({ version: 1, purposes })])
  })
  expect((await edge.as('owner')('GET', path)).json()).toMatchObject({ version: 0, history: [] })
})

test('endpoints of one user get no events of another, and replay none', async () => {
  await changesNothingOf('owner', async () => {
    await listenAndPing(edge, 'listening', events.url)
    const since = encodeURIComponent('2026-01-01T00:00:00Z')
    const replayed = await edge.as('listening')('POST', `/api/v1/webhooks/deliveries/replay?since=${since}`)
    expect([replayed.status, replayed.json()]).toEqual([202, { replayed: 0 }])
  })
  expect((await read('listening', 'GET /api/v1/webhooks/deliveries', '?limit=500')).data).toHaveLength(1)
})

test('the erasure of one user erases no other', async () => {
  await edge.linkAndSync('erased')
  await changesNothingOf('owner', async () => {
    const { status } = await edge.as('erased')('POST', '/api/v1/privacy/erase')
    expect([200, 202]).toContain(status)
  })
  expect((await edge.as('erased')('GET', '/api/v1/plaid/items')).status).toBe(401)
})

test('an export contains no row of another user', async () => {
  const exportOf = async (subject: string) => {
    const { text } = await edge.as(subject)('GET', '/api/v1/privacy/export')
    expect(text).toContain('"complete":true')
    return new Set(text.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [])
  }
  const theirs = await exportOf('owner')
  expect(theirs.size).toBeGreaterThan(100)
  for (const subject of ['neighbour', 'stranger']) {
    const mine = await exportOf(subject)
    expect([...mine].filter((id) => theirs.has(id))).toEqual([])
    expect(mine.size > 100).toBe(subject === 'neighbour')
  }
})

test.each(sums)('%s adds up own things alone', async (name) => {
  const answer = async (subject: string) =>
    sumsSchema.parse((await edge.as(subject)('GET', name.slice('GET '.length))).json()).data
  expect((await answer('owner')).length).toBeGreaterThan(0)
  expect(await answer('stranger')).toEqual([])
})

test('two users of the same bank each have the net worth of their accounts', async () => {
  for (const subject of ['owner', 'neighbour']) {
    const accounts = (await read(subject, 'GET /api/v1/accounts', '?limit=500')).data
    const balances = accounts
      .filter(({ type }) => type !== 'credit' && type !== 'loan')
      .map((account) => balancesSchema.parse(account['balances']))
      .filter(({ currency }) => currency === 'USD')
      .map(({ current }) => partsOf(current ?? '0'))
    const worth = sumsSchema.parse((await edge.as(subject)('GET', '/api/v1/insights/net-worth')).json()).data
    const assets = worth.filter(({ currency }) => currency === 'USD').map((day) => day['assets'])
    expect(assets.at(-1)).toBe(textOf(balances.reduce((left, right) => left + right, 0n)))
  }
})

test('syncing all items syncs no items of other users', async () => {
  await changesNothingOf('owner', async () => {
    for (const probe of Object.values(onOwn)) {
      const answer = await probe(edge.as('stranger'), owned)
      expect(answer.status).toBe(202)
      expect(answer.json()).toEqual({ queued: 0 })
    }
  })
})

test('a rule that matches everything changes no transaction of other users', async () => {
  await changesNothingOf('owner', async () => {
    const call = edge.as('stranger')
    const rule = { min_amount: '-1000000', user_category: 'Theirs', hidden: true }
    expect((await call('POST', '/api/v1/rules', { body: rule })).status).toBe(201)
    expect((await call('POST', '/api/v1/rules/preview', { body: rule })).json()).toMatchObject({ checked: 0, data: [] })
    const applied = { checked: 0, changed: 0, next_cursor: null }
    expect((await call('POST', '/api/v1/rules/apply')).json()).toEqual(applied)
  })
})

test('public responses contain no data of a user', async () => {
  const names = [...Object.values(owned), owner.plaidItemId, 'owner']
  for (const probe of Object.values(open)) {
    const { text } = await probe(edge.call, owned)
    expect(names.filter((name) => text.includes(`"${name}"`))).toEqual([])
  }
})
