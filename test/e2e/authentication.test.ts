// Nobody gets in without a token that this deployment signed: every private route, every kind of bad token, one answer.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDescription } from '../support/documented.ts'
import { type Call, type Edge, startEdge } from '../support/edge.ts'
import { fingerprint } from '../support/tables.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'

const { routes } = await readDescription()
const privateRoutes = routes.filter(({ isPrivate }) => isPrivate)
const secretOf = () => String(edge.variables['SECRET_KEY'])
const hourAgo = () => Math.floor(Date.now() / 1000) - 3600

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
  await edge.linkAndSync('user')
})
afterAll(() => edge.stop())

const withClaims = (changes: Record<string, unknown>) => () =>
  `Bearer ${mintToken({ secret: secretOf(), claims: { ...goodClaims('user'), ...changes } })}`
const withHeader = (header: Record<string, unknown>) => () =>
  `Bearer ${mintToken({ secret: secretOf(), claims: goodClaims('user'), header })}`

/** What is wrong → the Authorization header; null for none. */
const faults: Record<string, () => string | null> = {
  'no header': () => null,
  'an empty header': () => '',
  'no token': () => 'Bearer ',
  'another scheme': () => `Basic ${edge.token('user')}`,
  'a token without its scheme': () => edge.token('user'),
  'junk for a token': () => 'Bearer not.a.token',
  'a signature that is cut off': () => `Bearer ${edge.token('user').split('.').slice(0, 2).join('.')}.`,
  'a changed signature': () =>
    `Bearer ${edge.token('user').replace(/.{3}$/, (end) => (end === 'AAA' ? 'BBB' : 'AAA'))}`,
  'claims of another token': () => {
    const [header, , signature] = edge.token('user').split('.')
    const claims = Buffer.from(JSON.stringify(goodClaims('somebody-else'))).toString('base64url')
    return `Bearer ${header}.${claims}.${signature}`
  },
  'a token for another secret': () =>
    `Bearer ${mintToken({ secret: `${secretOf()}-of-another-deployment`, claims: goodClaims('user') })}`,
  'alg none': withHeader({ alg: 'none', typ: 'JWT' }),
  'alg None': withHeader({ alg: 'None', typ: 'JWT' }),
  'another HMAC': withHeader({ alg: 'HS512', typ: 'JWT' }),
  'an unknown critical header': withHeader({ alg: 'HS256', typ: 'JWT', crit: ['b64'], b64: false }),
  'a token that has expired': withClaims({ exp: hourAgo() }),
  'a token of the future': withClaims({ nbf: hourAgo() + 7200 }),
  'another issuer': withClaims({ iss: 'https://issuer.test' }),
  'no issuer': withClaims({ iss: undefined }),
  'no subject': withClaims({ sub: undefined }),
  'an empty subject': withClaims({ sub: '' }),
  'no expiry': withClaims({ exp: undefined }),
  'an expiry that is no number': withClaims({ exp: 'tomorrow' }),
}

const pathOf = (path: string): string => path.replaceAll(/\{\w+\}/g, randomUUID())
const requestId = randomUUID()

function ask(call: Call, method: string, path: string, authorization: string | null) {
  const headers = { 'x-request-id': requestId, ...(authorization === null ? {} : { authorization }) }
  return call(method, pathOf(path), { headers, ...(method === 'GET' ? {} : { body: {} }) })
}

test.each(Object.entries(faults))('%s: every private route answers one and the same 401', async (_fault, header) => {
  const before = await fingerprint(edge.sql)
  const reference = await ask(edge.call, 'GET', '/api/v1/plaid/items', null)
  const answers = await Promise.all(privateRoutes.map(({ method, path }) => ask(edge.call, method, path, header())))
  for (const { method, path, status, headers, text } of answers) {
    expect([method, path, status, headers.get('www-authenticate')]).toEqual([method, path, 401, 'Bearer'])
    expect(text).toBe(reference.text)
  }
  expect(reference.json()).toMatchObject({ status: 401, code: 'unauthorized' })
  expect(await fingerprint(edge.sql)).toEqual(before)
})

test('a good token is let in by every private route', async () => {
  expect(privateRoutes.length).toBeGreaterThan(10)
  const authorization = `Bearer ${edge.token('user')}`
  for (const { method, path } of privateRoutes) {
    const { status } = await ask(edge.call, method, path, authorization)
    expect([method, path, status !== 401 && status < 500]).toEqual([method, path, true])
  }
})

test('a role that the token does not prove is none', async () => {
  const forged = mintToken({ secret: 'x'.repeat(48), claims: { ...goodClaims('user'), role: 'admin' } })
  expect((await edge.callTo(edge.url, forged)('GET', '/api/v1/plaid/items')).status).toBe(401)
})

test('why a token was refused is in the log, and no token is', async () => {
  const before = edge.lines().length
  await ask(edge.call, 'GET', '/api/v1/plaid/items', String(faults['a token that has expired']?.()))
  await expect.poll(() => edge.lines().slice(before).join('\n')).toContain('ERR_JWT_EXPIRED')
  expect(edge.lines().join('\n')).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/)
})
