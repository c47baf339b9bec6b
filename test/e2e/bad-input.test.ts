// Mistakes of clients: each gets a problem with a clear detail, stores nothing, echoes nothing, and is never a 5xx.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { readDescription } from '../support/documented.ts'
import { callFor } from '../support/administrator.ts'
import { type Answer, type Edge, type RequestParts, startEdge } from '../support/edge.ts'
import { fingerprint } from '../support/tables.ts'
import { problemOf } from '../support/problems.ts'
import { sendRaw } from '../support/raw-request.ts'

const { routes } = await readDescription()

/** Part of every text that a client sends. No response may contain it. */
const marker = 'zQ7marker'
const create = '/api/v1/plaid/link/token/create'
const exchange = '/api/v1/plaid/item/public_token/exchange'

let edge: Edge
let transaction: string
let itemId: string
let cursors: { items: string; transactions: string }

beforeAll(async () => {
  edge = await startEdge()
  ;({ id: itemId } = await edge.linkAndSync('user'))
  await edge.linkAndSync('user', { institution_id: 'ins_109509' })
  const page = async (path: string) =>
    z
      .object({ data: z.array(z.object({ id: z.string() })), next_cursor: z.string() })
      .parse((await edge.as('user')('GET', path)).json())
  const transactions = await page('/api/v1/transactions?limit=1')
  transaction = z.string().parse(transactions.data[0]?.id)
  cursors = { transactions: transactions.next_cursor, items: (await page('/api/v1/plaid/items?limit=1')).next_cursor }
})
afterAll(() => edge.stop())

interface Outcome {
  readonly status: number
  readonly code: string
  readonly isSentence: boolean
  readonly isEchoed: boolean
  /** Tables that have changed. */
  readonly changed: string[]
}

/** The effect of a request. */
async function outcomeOf(act: () => Promise<Answer>): Promise<Outcome> {
  const before = await fingerprint(edge.sql)
  const answer = await act()
  const { code, detail } = problemOf(answer)
  const after = await fingerprint(edge.sql)
  return {
    status: answer.status,
    code,
    isSentence: /^[A-Z].*\.$/.test(detail),
    isEchoed: [answer.text, ...answer.headers.values()].join('\n').includes(marker),
    changed: Object.keys(after).filter((name) => after[name] !== before[name]),
  }
}

/** The outcome of a refused request: a problem with a sentence, nothing stored, nothing echoed. */
const refusal = (status: number, code: string) => ({ status, code, isSentence: true, isEchoed: false, changed: [] })

const send = (method: string, path: string, parts?: RequestParts) => edge.as('user')(method, path, parts)

const malformed: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a word', marker],
  ['half an object', `{"note":"${marker}`],
  ['single quotes', `{'note':'${marker}'}`],
  ['a trailing comma', `{"note":"${marker}",}`],
  ['two values', `{"note":"${marker}"} {}`],
  ['NaN', '{"hidden":NaN}'],
  ['a bare NUL', '{"note":"\0"}'],
  ['a byte-order mark alone', '\uFEFF'],
]
test.each(malformed)('JSON that is %s is refused', async (_what, body) => {
  for (const [method, path] of [
    ['POST', create],
    ['POST', exchange],
    ['PATCH', `/api/v1/transactions/${transaction}`],
  ] as const)
    expect(await outcomeOf(() => send(method, path, { body }))).toEqual(refusal(400, 'bad_request'))
})

test('bytes that are not UTF-8 are refused', async () => {
  const bytes = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
  expect(await outcomeOf(() => sendRaw(edge, 'user', 'POST', create, bytes, { 'content-length': '8' }))).toEqual(
    refusal(400, 'bad_request'),
  )
})

const edit = (body: unknown) => () => send('PATCH', `/api/v1/transactions/${transaction}`, { body })
const linkToken = (body: unknown) => () => send('POST', create, { body })
const exchanged = (body: unknown) => () => send('POST', exchange, { body })
const token = `public-sandbox-${randomUUID()}`

const invalidBodies: readonly (readonly [string, () => Promise<Answer>])[] = [
  ['null', linkToken(null)],
  ['an array', linkToken([marker])],
  ['a string', linkToken(`"${marker}"`)],
  ['a number', linkToken('12')],
  ['an unknown key', linkToken({ surprise: marker })],
  ['an unknown key that is a value', linkToken({ [`${marker} leaks`]: 1 })],
  ['__proto__', linkToken(`{"__proto__":{"hosted":"${marker}"}}`)],
  ['constructor', linkToken({ constructor: marker })],
  ['deep nesting', linkToken(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)],
  ['an item id that is none', linkToken({ item_id: marker })],
  ['an item id of another type', linkToken({ item_id: 7 })],
  ['a flag that is text', linkToken({ hosted: 'true' })],
  ['a product that is none', linkToken({ products: [marker] })],
  ['no products', linkToken({ products: [] })],
  ['a redirect over http', linkToken({ redirect_uri: `http://${marker}.test/` })],
  ['a redirect that is a script', linkToken({ redirect_uri: `javascript:${marker}` })],
  ['a redirect with a password', linkToken({ redirect_uri: `https://user:${marker}@app.test/` })],
  ['a language that is none', linkToken({ language: marker })],
  ['a country that is none', linkToken({ country_codes: [marker] })],
  ['no public token', exchanged({})],
  ['a public token of another type', exchanged({ public_token: { token: marker } })],
  ['an empty public token', exchanged({ public_token: '' })],
  ['a public token with a space', exchanged({ public_token: `${marker} x` })],
  ['a public token that is too long', exchanged({ public_token: marker.repeat(50) })],
  ['an edit of nothing', edit({})],
  ['an edit of the amount', edit({ amount: marker })],
  ['a note of another type', edit({ note: [marker] })],
  ['a note that is too long', edit({ note: marker.repeat(300) })],
  ['a note with NUL', edit({ note: `${marker}\0` })],
  ['a note with half a surrogate pair', edit(`{"note":"${marker}\\ud800"}`)],
  ['a note with the other half', edit(`{"note":"\\udc00${marker}"}`)],
  ['a category with NUL', edit({ user_category: `${marker}\0` })],
  ['a category of two lines', edit({ user_category: `${marker}\nx` })],
  ['an empty category', edit({ user_category: '' })],
  ['a flag that is null', edit({ hidden: null })],
  ['a body where none is taken', () => send('POST', '/api/v1/plaid/sync/all', { body: { item: marker } })],
]
// What Link SDKs send with the public token: plaid-link-ios#79, react-native-plaid-link-sdk#203, plaid_flutter#12.
const platypus = { institution_id: 'ins_1', name: 'Platypus' }
const hints: [what: string, hints: object][] = [
  ['no hint', {}],
  ['hints that are null', { institution: null, accounts: null }],
  ['an institution without a name', { institution: { institution_id: marker } }],
  ['an institution with empty members', { institution: { institution_id: '', name: '' } }],
  ['an institution with NUL', { institution: { institution_id: 'i', name: `${marker}\0` } }],
  ['an institution that is a text', { institution: marker }],
  ['accounts that are no list', { accounts: marker }],
  ['accounts that are no objects', { institution: platypus, accounts: [marker, null, 7] }],
  ['an account without a mask', { institution: platypus, accounts: [{ name: marker, subtype: 'checking' }] }],
  ['an account with an empty mask', { institution: platypus, accounts: [{ name: marker, mask: '', subtype: '' }] }],
  ['a mask that is a number', { institution: platypus, accounts: [{ name: marker, mask: 1111, subtype: 'checking' }] }],
  [
    'a name of 5,000 letters',
    { institution: platypus, accounts: [{ name: 'n'.repeat(5000), mask: '1', subtype: 'x' }] },
  ],
  [
    '300 accounts',
    { institution: platypus, accounts: Array.from({ length: 300 }, () => ({ name: marker, mask: '1' })) },
  ],
  [
    "an account as Link's SDKs have it",
    {
      institution: { ...platypus, logo: null },
      accounts: [
        {
          id: 'a',
          name: marker,
          mask: '1111',
          type: 'depository',
          subtype: 'checking',
          verification_status: null,
          class_type: null,
        },
      ],
    },
  ],
]
test.each(hints)('an exchange with %s reaches Plaid', async (_what, given) => {
  const { code, status } = await outcomeOf(exchanged({ public_token: token, ...given }))
  expect([status, code]).toEqual([400, 'public_token_refused'])
})

test.each(invalidBodies)('a body with %s is refused', async (_what, act) => {
  expect(await outcomeOf(act)).toEqual(refusal(400, 'validation_failed'))
})

test.each(invalidBodies.slice(0, 5))('a refusal of %s names the place of the fault', async (_what, act) => {
  const { errors } = z
    .object({ errors: z.array(z.object({ pointer: z.string().startsWith('#'), detail: z.string().min(5) })) })
    .parse((await act()).json())
  expect(errors.length).toBeGreaterThan(0)
})

test('an unknown key is shown where it may be a misspelt name', async () => {
  const { errors } = z
    .object({ errors: z.array(z.object({ pointer: z.string() })) })
    .parse((await edit({ nte: marker, hidden: true })()).json())
  expect(errors).toEqual([{ pointer: '#/nte' }])
})

const get = (path: string) => () => send('GET', path)
const invalidQueries: readonly string[] = [
  ...[
    '0',
    '-1',
    '501',
    '10000',
    'abc',
    '1.5',
    '1e2',
    '0x10',
    '%20',
    '+5',
    '99999999999999999999',
    `5${marker}`,
  ].flatMap((limit) => [`/api/v1/transactions?limit=${limit}`, `/api/v1/plaid/items?limit=${limit}`]),
  `/api/v1/transactions?${marker}.leaks=1`,
  '/api/v1/accounts?account_id=x',
  '/api/v1/transactions?limit=1&limit=2',
  '/api/v1/transactions?pending=true&pending=false',
  `/api/v1/transactions?account_id=${marker}`,
  '/api/v1/transactions?account_id=',
  "/api/v1/transactions?account_id='%20or%201=1--",
  ...[
    '2026-02-31',
    '2026-13-01',
    '2026-1-1',
    '0000-01-01',
    'yesterday',
    '20260101',
    '2026-01-01T00:00:00Z',
    '-2026-01-01',
    marker,
  ].map((day) => `/api/v1/transactions?from=${day}`),
  '/api/v1/transactions?from=2026-02-01&to=2026-01-01',
  '/api/v1/investments/transactions?from=2026-02-30',
  ...['1e5', '1,5', 'NaN', '--1', '.5', '1.', '0x1', ' 1', 'Infinity', marker].map(
    (amount) => `/api/v1/transactions?min_amount=${encodeURIComponent(amount)}`,
  ),
  '/api/v1/transactions?pending=yes',
  '/api/v1/transactions?q=',
  `/api/v1/transactions?q=${'x'.repeat(201)}`,
  `/api/v1/transactions?q=${marker}%00`,
  '/api/v1/transactions?q=%0a',
  '/api/v1/transactions?category=%00',
  `/api/v1/plaid/sync/runs?item_id=${marker}`,
  `/api/v1/holdings?account_id=${marker}`,
]
test.each(invalidQueries)('a query with a bad parameter is refused: GET %s', async (path) => {
  expect(await outcomeOf(get(path))).toEqual(refusal(400, 'validation_failed'))
})

const badIds = [marker, '0', 'null', '..%2f..%2fetc', `${marker}%00`, '%ff', "1'--", `${randomUUID()}0`]
test.each(badIds)('an id that is %s is refused by every route that takes one', async (id) => {
  const taking = routes.filter(({ path }) => path.includes('{'))
  expect(taking.length).toBeGreaterThan(5)
  for (const route of taking) {
    const { method, path } = route
    const body = method === 'PATCH' ? { body: { note: marker } } : {}
    const answer = await callFor(edge, route, 'user')(method, path.replaceAll(/\{\w+\}/g, id), body)
    // The platform may refuse a percent sign that does not encode UTF-8.
    expect([400, 404]).toContain(answer.status)
    problemOf(answer)
    expect(answer.text).not.toContain(marker)
  }
})

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
/** Functions, because some use cursors of this run. */
const badCursors: readonly (readonly [string, () => string])[] = [
  ['garbage', () => marker],
  ['no base64', () => '!!!'],
  ['no JSON', () => Buffer.from('{').toString('base64url')],
  ['another JSON', () => encode({ list: 'transactions' })],
  ["another route's", () => cursors.items],
  ['tampered with', () => `${cursors.transactions.slice(0, -4)}AAAA`],
  ['cut short', () => cursors.transactions.slice(0, 10)],
  ['a day that is none', () => encode(['transactions', ['2026-02-31', randomUUID()]])],
  ['an injection', () => encode(['transactions', ["2026-01-01' or 1=1--", randomUUID()]])],
  ['an id that is none', () => encode(['transactions', ['2026-01-01', marker]])],
  ['too long', () => 'A'.repeat(5000)],
]
test.each(badCursors)('a cursor that is %s is refused', async (_what, cursor) => {
  expect(await outcomeOf(get(`/api/v1/transactions?cursor=${cursor()}`))).toEqual(refusal(400, 'invalid_cursor'))
})

test('a page parameter that is empty is an absent one, for every route that has it', async () => {
  const names = ['cursor', 'limit', 'since']
  const paged = routes.filter(
    ({ method, parameters }) => method === 'GET' && parameters.some((name) => names.includes(name)),
  )
  expect(paged.length).toBeGreaterThan(10)
  for (const route of paged) {
    const path = route.path.replaceAll('{id}', itemId)
    // Each read of the audit trail adds a row to it.
    const filter = path === '/api/v1/admin/audit' ? 'action=item_linked&' : ''
    const ask = async (query: string) => {
      const answer = await callFor(edge, route, 'user')('GET', `${path}?${filter}${query}`)
      return [route.name, answer.status, answer.status === 200 ? answer.json() : null]
    }
    for (const name of names) {
      const isTaken = route.parameters.includes(name)
      expect(await ask(`${name}=`)).toEqual(isTaken ? await ask('') : [route.name, 400, null])
    }
  }
})

const padded = (bytes: number) => Buffer.from(`{"note":"${'x'.repeat(bytes - 11)}"}`)
const megabyte = 1_048_576
test.each([
  ['of 65,537 bytes', 65_537],
  ['of 1 MB', megabyte],
  ['of 10 MB', 10 * megabyte],
])('a body %s is refused, with a length and without', async (_what, bytes) => {
  const body = padded(bytes)
  expect(body.length).toBe(bytes)
  for (const headers of [{ 'content-length': String(bytes) }, {}] as Record<string, string>[])
    for (const [method, path] of [
      ['POST', create],
      ['PATCH', `/api/v1/transactions/${transaction}`],
      ['POST', '/api/v1/plaid/sync/all'],
    ] as const)
      expect(await outcomeOf(() => sendRaw(edge, 'user', method, path, body, headers))).toEqual(
        refusal(413, 'payload_too_large'),
      )
})

test('a body of 65,536 bytes is read', async () => {
  expect(await outcomeOf(() => sendRaw(edge, 'user', 'POST', create, padded(65_536), {}))).toEqual(
    refusal(400, 'validation_failed'),
  )
})

test('a large body is not read before the caller is known', async () => {
  const answer = await edge.call('POST', create, { body: 'x'.repeat(60_000) })
  expect(answer.status).toBe(401)
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'application/jsonp',
  'text/json',
  '',
])('the content type "%s" is refused', async (type) => {
  const body = `{"note":"${marker}"}`
  expect(await outcomeOf(() => send('POST', create, { body, headers: { 'content-type': type } }))).toEqual(
    refusal(415, 'unsupported_media_type'),
  )
})

test.each([
  '/',
  '/api',
  '/api/v1',
  '/api/v2/accounts',
  `/${marker}`,
  '/api/v1/accounts/',
  '/api/v1//accounts',
  '/API/V1/ACCOUNTS',
  '/.env',
  '/.git/config',
  '/api/v1/admin',
  '/api/v1/plaid/items/../../accounts/x/y',
])('nothing is served at the path %s', async (path) => {
  expect(await outcomeOf(() => send('GET', path))).toEqual(refusal(404, 'not_found'))
})

test('a public token that Plaid refuses is named as such', async () => {
  for (const refused of [token, `public-production-${marker}`]) {
    const act = exchanged({ public_token: refused })
    const { changed, ...outcome } = await outcomeOf(act)
    expect({ ...outcome, changed: [] }).toEqual(refusal(400, 'public_token_refused'))
    // The attempt is stored with the digest of the public token.
    expect(['public.link_exchanges']).toEqual(expect.arrayContaining(changed))
    const { text } = await act()
    expect(text).toContain('Plaid refused the public token')
    expect(text).not.toContain(refused)
  }
})

test('a header that names a place to write is not written to it', async () => {
  const headers = { 'x-request-id': marker, 'x-forwarded-for': marker, 'x-http-method-override': 'DELETE' }
  const { status, text } = await send('GET', `/api/v1/plaid/items/${itemId}`, { headers })
  expect(status).toBe(200)
  expect(text).not.toContain(marker)
})

test('nothing that clients did made the Worker fail, and its log quotes none of it', () => {
  expect(edge.answers.filter(({ status }) => status >= 500)).toEqual([])
  const lines = edge.lines().join('\n')
  expect(lines).not.toContain(marker)
  expect(lines).not.toContain('"level":"error"')
})
