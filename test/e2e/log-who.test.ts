// What an operator finds in the log after an attack: who sent a request, from where, and with what result. The log
// names no user.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { stepAt, totpCode } from '../../src/identity/totp.ts'
import { createPseudonyms, type Pseudonyms } from '../../src/monitoring/pseudonyms.ts'
import { fromBase32 } from '../support/accounts.ts'
import { askForMail, goodPassword, signUp } from '../support/accounts-over-http.ts'
import { type Answer, type Edge, expectStatus, type RequestParts, startEdge } from '../support/edge.ts'

let edge: Edge
let names: Pseudonyms
beforeAll(async () => {
  edge = await startEdge()
  names = createPseudonyms(new TextEncoder().encode(edge.variables['SECRET_KEY']))
})
afterAll(() => edge.stop())

const issuer = 'wealthnavigator-edge'
const home = '203.0.113.9'
const lineSchema = z.looseObject({ event: z.string(), request_id: z.string().optional() })

const lines = () =>
  edge
    .lines()
    .filter((line) => line.startsWith('{'))
    .map((line) => lineSchema.parse(JSON.parse(line)))

/** The log line of the request with this response. */
async function lineOf(answer: Answer): Promise<Record<string, unknown>> {
  const id = answer.headers.get('x-request-id')
  const find = () => lines().find(({ event, request_id }) => event === 'http_request' && request_id === id)
  await expect.poll(find).toBeDefined()
  return { ...find() }
}

/** Sends a request from an address. Without a token unless `token` is given. */
function ask(method: string, path: string, parts: RequestParts & { address?: string; token?: string } = {}) {
  const { address = home, token, body, headers } = parts
  const call = token === undefined ? edge.call : edge.callTo(edge.url, token)
  const from = { 'cf-connecting-ip': address, ...headers }
  return call(method, path, { headers: from, ...(body === undefined ? {} : { body }) })
}

const lineAfter = async (...given: Parameters<typeof ask>) => await lineOf(await ask(...given))
const signIn = (email: string, password: string, more: object = {}) =>
  ask('POST', '/api/v1/auth/login', { body: { email, password, ...more } })
const networkName = (network: string) => names.network(network, new Date())
const accountOf = async (email: string) => {
  const [row] = await edge.sql('select id from identity.accounts where email = $1', [email])
  return z.string().parse(row?.['id'])
}
const userName = async (email: string) => names.user({ issuer, subject: await accountOf(email) })
const tokenIn = (answer: Answer) => z.looseObject({ access_token: z.string() }).parse(answer.json()).access_token
const refreshTokenIn = (answer: Answer) =>
  z.looseObject({ refresh_token: z.string() }).parse(answer.json()).refresh_token

describe('the log line of a request', () => {
  it('names the account that a wrong password was tried on, and the network that tried it', async () => {
    await signUp(edge, 'guessed@example.com')
    const wrong = { email: 'guessed@example.com', password: 'not the right password' }
    const guess = await lineAfter('POST', '/api/v1/auth/login', { body: wrong, address: '198.51.100.7' })
    expect(guess).toMatchObject({
      security_event: 'sign_in',
      status: 401,
      reason: 'wrong password',
      account: await names.account('guessed@example.com'),
      network: await networkName('198.51.100.0/24'),
    })
    expect(guess).not.toHaveProperty('user')
  })

  it('names the account and the user of a sign-in, so that all they do later is found', async () => {
    await signUp(edge, 'found@example.com')
    const answer = expectStatus(await signIn('Found@Example.com', goodPassword), 200)
    const later = await lineAfter('GET', '/api/v1/accounts', { token: tokenIn(answer) })
    const user = await userName('found@example.com')
    expect(await lineOf(answer)).toMatchObject({
      security_event: 'sign_in',
      status: 200,
      account: await names.account('found@example.com'),
      user,
      network: await networkName('203.0.113.0/24'),
    })
    expect(later).toMatchObject({ user, role: 'user', network: await networkName('203.0.113.0/24') })
  })

  it('names every step of an account’s life', async () => {
    const email = 'life@example.com'
    const code = await askForMail(edge, '/api/v1/auth/register', { email, password: goodPassword })
    const verified = await ask('POST', '/api/v1/auth/verify-email', { body: { code, password: goodPassword } })
    const token = tokenIn(expectStatus(verified, 200))
    const user = await userName(email)
    const account = await names.account(email)
    const seen: unknown[] = []
    const step = async (path: string, body: object, status: number) => {
      const answer = expectStatus(await ask('POST', `/api/v1/auth/${path}`, { body, token }), status)
      const { security_event: event, status: ended } = await lineOf(answer)
      seen.push([event, ended])
      return answer
    }
    expect(await lineOf(verified)).toMatchObject({ security_event: 'email_verification', user, account })
    const password = 'another password that is long'
    await step('password/change', { current_password: goodPassword, new_password: password }, 204)
    const { secret } = z
      .looseObject({ secret: z.string() })
      .parse((await step('totp/enroll', { password }, 200)).json())
    const codeNow = () => totpCode(fromBase32(secret), stepAt(new Date()))
    await step('totp/confirm', { code: codeNow() }, 200)
    await step('totp/disable', { password, code: '000000' }, 401)
    await step('password/change', { current_password: 'not the password at all', new_password: password }, 401)
    expect(seen).toEqual([
      ['password_change', 204],
      ['second_factor_enrollment', 200],
      ['second_factor_activation', 200],
      ['second_factor_refused', 401],
      ['password_change', 401],
    ])
    const refused = await lineOf(await signIn(email, password, { code: '000000' }))
    expect(refused).toMatchObject({ security_event: 'second_factor_refused', account })
    const reset = await askForMail(edge, '/api/v1/auth/password/forgot', { email })
    const body = { code: reset, new_password: goodPassword }
    expect(await lineAfter('POST', '/api/v1/auth/password/reset', { body })).toMatchObject({
      security_event: 'password_reset',
      status: 204,
      account,
    })
  })

  it('distinguishes the reuse of a refresh token from a refresh', async () => {
    await signUp(edge, 'reused@example.com')
    const stolen = refreshTokenIn(await signIn('reused@example.com', goodPassword))
    const refresh = (token: string) => ask('POST', '/api/v1/auth/refresh', { body: { refresh_token: token } })
    const next = await refresh(stolen)
    expect(await lineOf(next)).toMatchObject({
      security_event: 'session_refresh',
      status: 200,
      user: await userName('reused@example.com'),
    })
    await refresh(refreshTokenIn(next))
    expect(await lineOf(await refresh(stolen))).toMatchObject({
      security_event: 'session_reuse',
      status: 401,
      user: await userName('reused@example.com'),
    })
  })

  it('names the administrator who looked, and who replayed dead letters, and the user who was refused', async () => {
    await signUp(edge, 'operator@example.com')
    const ordinary = tokenIn(await signIn('operator@example.com', goodPassword))
    await edge.sql(`update identity.accounts set role = 'admin' where email = 'operator@example.com'`)
    const token = tokenIn(await signIn('operator@example.com', goodPassword))
    const user = await userName('operator@example.com')
    const path = '/api/v1/admin/dead-letters'
    expect(await lineAfter('GET', path, { token })).toMatchObject({ security_event: 'admin_read', user, role: 'admin' })
    expect(await lineAfter('POST', `${path}/replay`, { token })).toMatchObject({
      security_event: 'admin_change',
      status: 202,
      user,
      role: 'admin',
    })
    const id = randomUUID()
    expect(await lineAfter('POST', `${path}/${id}/replay`, { token })).toMatchObject({
      security_event: 'admin_change',
      status: 404,
      target_id: id,
    })
    expect(await lineAfter('POST', `${path}/replay`, { token: ordinary })).toMatchObject({
      security_event: 'authorization_refused',
      user,
      role: 'user',
    })
  })

  it('names the item that a user purged or whose token they rotated; lines of its syncs name the user', async () => {
    const { id } = await edge.linkAndSync('purger')
    const token = edge.token('purger')
    const user = await names.user({ issuer, subject: 'purger' })
    const [owner] = await edge.sql('select user_id from items where id = $1', [id])
    expect(lines().find((line) => line.event === 'sync' && line['item_id'] === id)).toMatchObject({
      user_id: owner?.['user_id'],
    })
    const rotated = await lineAfter('POST', `/api/v1/plaid/items/${id}/access_token/rotate`, { token })
    expect(rotated).toMatchObject({ security_event: 'token_rotation', target_id: id, user, status: 204 })
    expect(lines().find(({ event }) => event === 'access_token_rotated')).toMatchObject({
      user_id: owner?.['user_id'],
    })
    const purged = await lineAfter('DELETE', `/api/v1/plaid/items/${id}?purge=true`, { token })
    expect(purged).toMatchObject({ security_event: 'item_purge', target_id: id, user, status: 204 })
  })

  it('has a new id even if a client sends the id of another request', async () => {
    const first = await ask('GET', '/api/v1/accounts')
    const victims = first.headers.get('x-request-id') ?? ''
    const second = await ask('GET', '/api/v1/accounts', {
      address: '198.51.100.7',
      headers: { 'x-request-id': victims },
    })
    expect(second.headers.get('x-request-id')).not.toBe(victims)
    expect(await lineOf(second)).toMatchObject({
      client_request_id: victims,
      network: await networkName('198.51.100.0/24'),
    })
    expect(lines().filter(({ request_id }) => request_id === victims)).toHaveLength(1)
  })

  it('contains no address and no e-mail address in any of these requests', () => {
    const log = edge.lines().join('\n')
    expect(lines().filter((line) => 'network' in line).length).toBeGreaterThan(20)
    expect(log).not.toMatch(/203\.0\.113|198\.51\.100/)
    expect(log).not.toMatch(/@example\.com/i)
  })
})
