// SQL in every field that takes text, and markup in every field that is stored. The text is found, stored and returned
// unchanged. It delays no response, shows no rows of other users and changes nothing else.
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { callFor } from '../support/administrator.ts'
import { type Answer, type Call, type Edge, startEdge } from '../support/edge.ts'
import { validValue } from '../support/fuzz/valid.ts'
import { type Operation, readOperations, type Schema } from '../support/operations.ts'
import { fingerprint } from '../support/tables.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'
import { sampled } from '../support/sampled.ts'

const api = await readOperations()
const unharmed = 'b2f1a3c4-0000-4000-8000-000000000000'

let edge: Edge
let asUser: Call
/** Ids and names of another user. */
let victim: { id: string; ids: string[] }
let transaction: string

const list = z.object({ data: z.array(z.looseObject({ id: z.string(), note: z.string().nullish() })) })
const rows = (answer: Answer) => list.parse(answer.json()).data

/** The rows of a list; none when the response has another shape. */
function rowsIfAny({ headers, text }: Answer): object[] {
  const isJson = headers.get('content-type') === 'application/json'
  return (isJson ? list.safeParse(JSON.parse(text)).data?.data : undefined) ?? []
}

beforeAll(async () => {
  edge = await startEdge()
  const { id: item } = await edge.linkAndSync('victim')
  await edge.linkAndSync('user')
  asUser = edge.as('user')
  const [found] = await edge.sql("select id from users where subject = 'victim'")
  const theirs = rows(await edge.as('victim')('GET', '/api/v1/accounts')).map(({ id }) => id)
  victim = { id: String(found?.['id']), ids: [item, ...theirs] }
  transaction = String(rows(await asUser('GET', '/api/v1/transactions?limit=1'))[0]?.id)
})
afterAll(() => edge.stop())

/** How long a payload makes the database sleep. A response that takes half as long or longer counts as delayed. */
const sleepSeconds = 10

const sql = (): string[] => [
  "'",
  "''",
  '\\',
  "\\'",
  "' or '1'='1",
  "' or 1=1--",
  "') or ('1'='1",
  '1 or 1=1',
  "' union select null,null,null--",
  "' union all select version(),current_user,null--",
  "'; drop table users; --",
  "'; update users set subject='user'; --",
  "'/**/or/**/'1'/**/=/**/'1",
  "' or ''='",
  '" or ""="',
  "%' or '%'='",
  "' and 1=(select count(*) from users)--",
  "' and cast((select subject from users limit 1) as int)=1--",
  '1::int',
  "'::jsonb",
  "' || (select subject from users limit 1) || '",
  '$$; select 1; $$',
  '$tag$ or 1=1 $tag$',
  "E'\\x27 or 1=1--'",
  "U&'\\0027 or 1=1--'",
  '\u02BC or 1=1--',
  '\uFF07 or 1=1--',
  `'; select pg_sleep(${sleepSeconds}); --`,
  `' || pg_sleep(${sleepSeconds}) || '`,
  `' and (select pg_sleep(${sleepSeconds})) is null--`,
  `(select 1 from pg_sleep(${sleepSeconds}))`,
  `1; select case when (1=1) then pg_sleep(${sleepSeconds}) end--`,
  `'; select set_config('app.user_id', '${victim.id}', false); --`,
  `'; set app.user_id = '${victim.id}'; --`,
  `' or set_config('app.user_id', '${victim.id}', true) is not null--`,
  "'; set role postgres; --",
  "'; alter table users disable row level security; --",
  "'; grant wn_jobs to wn_api; --",
  "'; copy users to program 'id'; --",
  "'; notify x; --",
  "'->>'a",
  '{"a":1}\' @> \'{}',
  "' ~ '^(a+)+$",
  '%',
  '_',
  '$1',
  ':id',
  '?',
]

/** The database logins of the Worker. */
const logins = () =>
  ['DATABASE_URL', 'DATABASE_JOBS_URL', 'DATABASE_IDENTITY_URL'].map(
    (name) => new URL(String(edge.variables[name])).username,
  )

/** Fails if a table has changed that may not, if a login has gained rights, or if an injected `pg_sleep` runs. */
async function expectUnharmed(before: Record<string, string>, mayChange: readonly string[] = []): Promise<void> {
  const after = await fingerprint(edge.sql)
  const others = Object.keys(before).filter((name) => !mayChange.includes(name) && !isAudit(name))
  const changed = others.filter((name) => after[name] !== before[name])
  expect(changed).toEqual([])
  const [state] = await edge.sql(`select
    (select count(*) from pg_roles where rolname in ('${logins().join("','")}') and (rolsuper or rolbypassrls)) as strong,
    (select count(*) from pg_class where relname = 'users' and relrowsecurity) as secured,
    (select count(*) from pg_stat_activity where query like '%pg_sleep(${sleepSeconds})%' and pid <> pg_backend_pid()) as asleep`)
  expect(state).toEqual({ strong: '0', secured: '1', asleep: '0' })
}

/** Fails if the response is a 5xx, contains an id of the victim, quotes SQL, or was delayed. */
function expectHarmless(answer: Answer, startedAtMs: number, what: unknown): void {
  expect([what, answer.status < 500]).toEqual([what, true])
  expect([what, victim.ids.filter((id) => answer.text.includes(id))]).toEqual([what, []])
  const tellsOfSql = answer.status >= 400 && /syntax|pg_|postgres|neondb|sqlstate|relation "/i.test(answer.text)
  expect([what, tellsOfSql]).toEqual([what, false])
  expect([what, Date.now() - startedAtMs < (sleepSeconds * 1000) / 2]).toEqual([what, true])
}

/** Whether a search for the text may find the row. */
const holds = (row: object, text: string): boolean =>
  textsOf(row).some((one) => one.toLowerCase().includes(text.toLowerCase()))

/** Every text in a row. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

/**
 * Calls as an administrator where the route needs one. Routes that change a user's privacy settings get a user without
 * data.
 */
const callerOf = ({ method, path }: Operation): Call =>
  path.startsWith('/api/v1/privacy/') && method !== 'GET' ? edge.as('private') : callFor(edge, { path }, 'user')

/** Whether a table may change because of a request alone. */
const isAudit = (table: string): boolean => table.startsWith('public.audit')

/** A quarter of the payloads where the schema accepts only one format. For free text, `npm test` takes a sample. */
const payloadsFor = (schema: Schema): string[] => {
  const isFree =
    ['format', 'enum', 'pattern'].every((rule) => schema[rule] === undefined) && schema['type'] === 'string'
  return isFree ? sampled(sql(), 4) : sql().filter((_, index) => index % 4 === 0)
}

const textPlaces = api.operations
  .filter(({ isPrivate, path }) => isPrivate && !path.startsWith('/api/v1/auth/'))
  .flatMap((operation) =>
    operation.parameters
      .filter((one) => one.in !== 'header')
      .map((one) => [operation.name, one.in, one.name, operation, one.schema] as const),
  )

test.each(sampled(textPlaces, 4))(
  '%s: SQL in the %s parameter %s is text',
  async (_name, place, parameter, operation, schema) => {
    const before = await fingerprint(edge.sql)
    for (const payload of payloadsFor(schema)) {
      const encoded = encodeURIComponent(payload)
      const ids = operation.path.replaceAll(/\{\w+\}/g, place === 'path' ? encoded : unharmed)
      const path = place === 'path' ? ids : `${ids}?${parameter}=${encoded}`
      const startedAtMs = Date.now()
      const body = operation.method === 'GET' || operation.method === 'DELETE' ? {} : { body: {} }
      const answer = await callerOf(operation)(operation.method, path, body)
      expectHarmless(answer, startedAtMs, payload)
      const found = answer.status === 200 && operation.method === 'GET' ? rowsIfAny(answer) : []
      expect([payload, found.filter((row) => !holds(row, payload))]).toEqual([payload, []])
    }
    await expectUnharmed(before)
  },
)

/** Paths to every text field of a body. */
function textFields(schema: Schema, at: readonly string[] = []): string[][] {
  const { type, properties, items, anyOf } = z
    .object({
      type: z.string().optional(),
      properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
      items: z.record(z.string(), z.unknown()).optional(),
      anyOf: z.array(z.record(z.string(), z.unknown())).default([]),
    })
    .parse(api.resolve(schema))
  return [
    ...(type === 'string' ? [[...at]] : []),
    ...Object.entries(properties).flatMap(([name, of]) => textFields(of, [...at, name])),
    ...(items === undefined ? [] : textFields(items, [...at, '0'])),
    ...anyOf.flatMap((of) => textFields(of, at)),
  ]
}

/** A body with the text at this path. */
function bodyWith([name = '', ...rest]: readonly string[], text: string): unknown {
  if (name === '') return text
  const within = bodyWith(rest, text)
  if (name === '0') return [{ name: null, mask: null, subtype: null, ...z.looseObject({}).catch({}).parse(within) }]
  return { [name]: within }
}

/** Values for the required fields of a body. */
function requiredFields(schema: Schema): Record<string, unknown> {
  const { required = [] } = z.object({ required: z.array(z.string()).optional() }).parse(api.resolve(schema))
  const [drawn] = fc.sample(validValue(api, schema), { seed: 1, numRuns: 1 })
  const fields = z.record(z.string(), z.unknown()).catch({}).parse(drawn)
  return Object.fromEntries(required.map((name) => [name, fields[name]]))
}

/** Fields that must be valid before the others are read. */
const needed: Readonly<Record<string, object>> = {
  'POST /api/v1/plaid/item/public_token/exchange': { public_token: 'public-sandbox-none' },
  'POST /api/v1/auth/register': { email: 'x@app.test', password: 'a long enough password' },
  'POST /api/v1/auth/login': { email: 'x@app.test', password: 'a long enough password' },
  'POST /api/v1/auth/verify-email': { code: 'x', password: 'a long enough password' },
  'POST /api/v1/auth/password/reset': { code: 'x', new_password: 'a long enough password' },
}

const bodyPlaces = api.operations.flatMap((operation: Operation) =>
  operation.body === null
    ? []
    : textFields(operation.body).map((at) => [operation.name, at.join('.'), operation, at] as const),
)

/** Fields that lead to a password hash, which is slow: they get fewer payloads. */
const costsAHash = /password|email|code$/

test.each(sampled(bodyPlaces, 4))('%s: SQL in the field %s is text', async (name, field, operation, at) => {
  const before = await fingerprint(edge.sql)
  const payloads = costsAHash.test(field)
    ? sql().filter((_, index) => index % 4 === 3)
    : sampled(sql(), 4, field.length)
  const required = operation.body === null ? {} : requiredFields(operation.body)
  const path = operation.path.replaceAll(/\{\w+\}/g, transaction)
  for (const payload of payloads) {
    const body = { ...required, ...needed[name], ...z.looseObject({}).parse(bodyWith(at, payload)) }
    const startedAtMs = Date.now()
    expectHarmless(await callerOf(operation)(operation.method, path, { body }), startedAtMs, payload)
  }
  // What accepted requests write: edits, the intent of an exchange, the erasure of a user without data, keys.
  const ofUsers = ['transactions', 'users', 'link_exchanges', 'erasures', 'api_keys', 'applications']
  const written = ofUsers.map((table) => `public.${table}`)
  const ofAccounts = Object.keys(before).filter((table) => table.startsWith('identity.'))
  await expectUnharmed(before, [...written, ...ofAccounts])
})

test('SQL in the subject of a token is a subject', async () => {
  const before = await fingerprint(edge.sql)
  for (const payload of sql()) {
    const token = mintToken({ secret: String(edge.variables['SECRET_KEY']), claims: goodClaims(payload) })
    const startedAtMs = Date.now()
    const answer = await edge.callTo(edge.url, token)('GET', '/api/v1/accounts')
    expectHarmless(answer, startedAtMs, payload)
    expect([payload, rows(answer)]).toEqual([payload, []])
  }
  await expectUnharmed(before, ['public.users'])
})

describe('a stored text of a user', () => {
  const markup = [
    '<script>alert(document.domain)</script>',
    '"><img src=x onerror=alert(1)>',
    // oxlint-disable-next-line no-script-url -- what a careless page would follow
    "javascript:alert('x')",
    '<svg/onload=alert(1)>',
    '</script><script>alert(1)//',
    '{{constructor.constructor("alert(1)")()}}',
    '\u2028\u2029<!--',
    '=HYPERLINK("https://evil.test","x")',
    '&lt;b&gt; &#x27; &amp;',
  ]
  const edit = (note: string) => asUser('PATCH', `/api/v1/transactions/${transaction}`, { body: { note } })

  test('comes back letter by letter, as JSON that no browser renders', async () => {
    for (const note of [...markup, ...sql()]) {
      for (const answer of [await edit(note), await asUser('GET', `/api/v1/transactions/${transaction}`)]) {
        expect([answer.status, answer.json()]).toMatchObject([200, { id: transaction, note }])
        expect(answer.headers.get('content-type')).toBe('application/json')
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
      }
    }
  })

  test.each(['100% sure', 'snake_case', 'back\\slash', "o'clock", '%%__', '\\%', 'a*b', '[x]', '^$'])(
    'is found by its own letters: "%s"',
    async (note) => {
      await edit(`before ${note} after`)
      const q = encodeURIComponent(note)
      expect(rows(await asUser('GET', `/api/v1/transactions?q=${q}`)).map(({ id }) => id)).toEqual([transaction])
      await edit('something else')
      expect(rows(await asUser('GET', `/api/v1/transactions?q=${q}`))).toEqual([])
    },
  )
})

describe('markup in a request', () => {
  const payload = '<script>alert(1)</script>'
  const encoded = encodeURIComponent(payload)

  test.each([
    `/${encoded}`,
    `/api/v1/accounts/${encoded}`,
    `/api/v1/transactions?from=${encoded}`,
    `/api/v1/transactions?${encoded}=1`,
    `/api/v1/accounts?callback=${encoded}`,
    `/api/v1/accounts?jsonp=alert`,
    `/api/v1/accounts?format=html`,
    `/openapi.json?${encoded}`,
    `/health?x=${encoded}`,
  ])('GET %s is answered as JSON and without it', async (path) => {
    for (const accept of ['text/html', '*/*', 'application/xhtml+xml', payload]) {
      const headers = { accept, referer: `https://x.test/${encoded}`, 'user-agent': payload, 'x-request-id': payload }
      const answer = await asUser('GET', path, { headers })
      expect(answer.headers.get('content-type')).toMatch(/^application\/(problem\+)?json$/)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      const whole = [answer.text, ...answer.headers.values()].join('\n')
      expect([whole.includes('<script'), whole.includes('alert(1)')]).toEqual([false, false])
    }
  })
})

test('no response to these requests was HTML, and none failed', () => {
  const types = new Set(edge.answers.map(({ headers }) => headers.get('content-type')))
  expect([...types].filter((type) => type !== null && !/^application\/(problem\+)?json$/.test(type))).toEqual([])
  expect(edge.answers.filter(({ status }) => status >= 500)).toEqual([])
  expect(edge.lines().filter((line) => line.includes('"level":"error"'))).toEqual([])
})
