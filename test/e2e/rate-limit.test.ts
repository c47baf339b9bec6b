// The limit of every documented route, by address without a login and by user with one, on the built bundle with its
// Durable Objects. Also many logins of one address, floods, and webhooks, of which only failed ones are counted.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { signUp } from '../support/accounts-over-http.ts'
import { type DocumentedRoute, readDescription } from '../support/documented.ts'
import { type Answer, type Edge, startEdge, webhookPath } from '../support/edge.ts'
import { sampled } from '../support/sampled.ts'

const { routes } = await readDescription()
const quotas = { global: 4, auth: 2, link: 2, sync: 3, sensitive: 1, webhook_failed: 3 }
type Policy = keyof typeof quotas
const loginsOfAddress = 60

/**
 * Routes with a separate limit. Every route under `/api/v1/auth/` has `auth`; all other routes have only the global
 * limit.
 */
const own: Readonly<Record<string, Policy>> = {
  'POST /api/v1/plaid/link/token/create': 'link',
  'POST /api/v1/plaid/item/public_token/exchange': 'link',
  'POST /api/v1/plaid/items/{id}/repaired': 'link',
  'DELETE /api/v1/plaid/items/{id}': 'sensitive',
  'POST /api/v1/plaid/items/{id}/access_token/rotate': 'sensitive',
  'POST /api/v1/plaid/items/{id}/refresh': 'sensitive',
  'POST /api/v1/rules/preview': 'sync',
  'POST /api/v1/rules/apply': 'sync',
  'POST /api/v1/admin/items/{id}/resync': 'sensitive',
  'POST /api/v1/admin/dead-letters/{id}/replay': 'sensitive',
  'POST /api/v1/admin/dead-letters/replay': 'sensitive',
  'POST /api/v1/plaid/sync/all': 'sync',
  'POST /api/v1/plaid/sync/item/{item_id}': 'sync',
  'POST /api/v1/admin/access_tokens/rotate': 'sensitive',
  'POST /api/v1/api-keys': 'sensitive',
  'POST /api/v1/admin/api-keys': 'sensitive',
  'POST /api/v1/admin/applications': 'sensitive',
  'GET /api/v1/privacy/export': 'sensitive',
  'GET /api/v1/privacy/consents': 'sensitive',
  'PUT /api/v1/privacy/consents': 'sensitive',
  'POST /api/v1/privacy/erase': 'sensitive',
  'POST /api/v1/admin/keys/rotate': 'sensitive',
  'POST /api/v1/webhooks/endpoints': 'link',
  'PATCH /api/v1/webhooks/endpoints/{id}': 'link',
  'DELETE /api/v1/webhooks/endpoints/{id}': 'link',
  'POST /api/v1/webhooks/endpoints/{id}/secret': 'sensitive',
  'POST /api/v1/webhooks/endpoints/{id}/ping': 'link',
  'POST /api/v1/webhooks/deliveries/replay': 'sync',
  'POST /api/v1/webhooks/deliveries/{id}/replay': 'sync',
  'POST /api/v1/admin/webhooks/endpoints': 'link',
  'PATCH /api/v1/admin/webhooks/endpoints/{id}': 'link',
  'DELETE /api/v1/admin/webhooks/endpoints/{id}': 'link',
  'POST /api/v1/admin/webhooks/endpoints/{id}/secret': 'sensitive',
  'POST /api/v1/admin/webhooks/endpoints/{id}/ping': 'link',
  'POST /api/v1/admin/webhooks/deliveries/replay': 'sync',
  'POST /api/v1/admin/webhooks/deliveries/{id}/replay': 'sync',
  'POST /api/v1/admin/retention/run': 'sensitive',
  'POST /api/v1/admin/backups/{id}/verified': 'sensitive',
  [`POST ${webhookPath}`]: 'webhook_failed',
}
const policyOf = ({ name, path }: DocumentedRoute): Policy =>
  own[name] ?? (path.startsWith('/api/v1/auth/') ? 'auth' : 'global')

const problem = z.looseObject({ code: z.string(), 'violated-policies': z.array(z.string()).optional() })

let edge: Edge
beforeAll(async () => {
  const all = { ...quotas, address: loginsOfAddress, global_hour: 10_000 }
  edge = await startEdge({ variables: { RATE_LIMITS: JSON.stringify(all) } })
})
afterAll(() => edge.stop())

let made = 0
const freshAddress = (): string => {
  made += 1
  return `198.51.${100 + (made >> 8)}.${made & 255}`
}
const freshUser = (): string => `user-${(made += 1)}`

/** A request that the route refuses, or that finds nothing. */
async function ask(route: DocumentedRoute, address: string, user: string | null): Promise<Answer> {
  const call = route.isPrivate && user !== null ? edge.as(user) : edge.call
  const path = route.path.replaceAll(/\{\w+\}/g, '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11')
  const body = route.method === 'GET' || route.method === 'DELETE' ? {} : { body: {} }
  return await call(route.method, path, { headers: { 'cf-connecting-ip': address }, ...body })
}

/** The number of requests before the first 429, and what the 429 says. */
async function limitSeen(next: () => Promise<Answer>) {
  for (let admitted = 0; ; admitted += 1) {
    const answer = await next()
    if (answer.status !== 429) continue
    const { code, 'violated-policies': violated } = problem.parse(answer.json())
    const [policies, standing] = ['ratelimit-policy', 'ratelimit'].map((name) => answer.headers.get(name))
    return { admitted, code, violated, policies, standing, retryAfter: answer.headers.get('retry-after') }
  }
}

function limitOf(policy: Policy) {
  return {
    admitted: quotas[policy],
    code: 'rate_limited',
    violated: [policy],
    policies: expect.stringContaining(`"${policy}";q=${quotas[policy]};w=60`),
    standing: expect.stringMatching(new RegExp(`^"${policy}";r=0;t=[0-9]+$`)),
    retryAfter: expect.stringMatching(/^([1-9]|[1-5]\d|60)$/),
  }
}

const limited = routes.filter(({ path }) => path !== '/health')
const cases = limited.map((route) => [policyOf(route), route.name, route] as const)

describe('requests of one address without a login', () => {
  test.each(sampled(cases, 4))('are limited by the policy %s on %s', async (policy, _name, route) => {
    const address = freshAddress()
    expect(await limitSeen(() => ask(route, address, null))).toEqual(limitOf(policy))
  })

  test('health is not counted by the limits of other routes', async () => {
    const address = freshAddress()
    for (let request = 0; request < 15; request += 1) {
      const { status, headers } = await edge.call('GET', '/health', { headers: { 'cf-connecting-ip': address } })
      expect([status, headers.get('ratelimit')]).toEqual([200, null])
    }
  })

  test('get exactly what the limit admits when they all come at once', async () => {
    const headers = { 'cf-connecting-ip': freshAddress() }
    const answers = await Promise.all(Array.from({ length: 200 }, () => edge.call('GET', '/openapi.json', { headers })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(quotas.global)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(200 - quotas.global)
  })

  test('the spellings of an address share its limit, and so does its whole /64', async () => {
    const spellings = [
      '2001:db8:7:1::1',
      '2001:DB8:7:1:0:0:0:1',
      '2001:0db8:0007:0001::0.0.0.1',
      '2001:db8:7:1:2:3:4:5',
    ]
    let request = 0
    const seen = await limitSeen(() => {
      request += 1
      const headers = { 'cf-connecting-ip': spellings[request % spellings.length] ?? '' }
      return edge.call('GET', '/openapi.json', { headers })
    })
    expect(seen).toEqual(limitOf('global'))
  })
})

describe('requests of one address with logins', () => {
  test('admits what the generous limit says, for all users together, and says which limit it was', async () => {
    const headers = { 'cf-connecting-ip': freshAddress() }
    const answers = await Promise.all(
      Array.from({ length: 80 }, () => edge.as(freshUser())('GET', '/api/v1/accounts', { headers })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(loginsOfAddress)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(80 - loginsOfAddress)
    for (const answer of refused) expect(problem.parse(answer.json())['violated-policies']).toEqual(['address'])
  })

  test('admits them although tokens that do not verify have used up the strict limit', async () => {
    const address = freshAddress()
    const headers = { 'cf-connecting-ip': address, authorization: 'Bearer a.b.c' }
    const forged: number[] = []
    for (let request = 0; request <= quotas.global; request += 1)
      forged.push((await edge.call('GET', '/api/v1/accounts', { headers })).status)
    expect(forged).toEqual([...Array(quotas.global).fill(401), 429])
    const login = { 'cf-connecting-ip': address }
    expect((await edge.as(freshUser())('GET', '/api/v1/accounts', { headers: login })).status).toBe(200)
  })
})

describe('requests of one user', () => {
  test.each(
    sampled(
      cases.filter(([, , { isPrivate }]) => isPrivate),
      4,
      1,
    ),
  )('are limited by the policy %s on %s', async (policy, _name, route) => {
    const user = freshUser()
    expect(await limitSeen(() => ask(route, freshAddress(), user))).toEqual(limitOf(policy))
    expect((await ask(route, freshAddress(), freshUser())).status).not.toBe(429)
  })
})

describe('webhooks', () => {
  test('pass from an address over the limit of failures when Plaid signed them', async () => {
    // The bank's own address.
    const fail = () => edge.call('POST', webhookPath, { body: {} })
    const failures = await Promise.all(Array.from({ length: 20 }, fail))
    expect(failures.filter(({ status }) => status === 401)).toHaveLength(quotas.webhook_failed)
    await edge.linkAndSync('owner')
    const counted = await edge.sql('select count(*) as n from webhook_events')
    expect(Number(counted[0]?.['n'])).toBeGreaterThanOrEqual(2)
    expect((await fail()).status).toBe(429)
  })

  test('count against nothing else', async () => {
    const headers = { 'cf-connecting-ip': freshAddress() }
    for (let request = 0; request < 12; request += 1) await edge.call('POST', webhookPath, { body: {}, headers })
    const response = await edge.call('GET', '/openapi.json', { headers })
    expect([response.status, response.headers.get('ratelimit')]).toEqual([
      200,
      expect.stringContaining(`"global";r=${quotas.global - 1};`),
    ])
  })
})

describe('refreshes', () => {
  const refresh = (token: string, address: string) =>
    edge.call('POST', '/api/v1/auth/refresh', {
      body: { refresh_token: token },
      headers: { 'cf-connecting-ip': address },
    })

  test('are not stopped by other refreshes from the same address, nor by invented tokens', async () => {
    const address = freshAddress()
    let { refreshToken } = await signUp(edge, `${freshUser()}@example.com`)
    const junk = await Promise.all(Array.from({ length: 4 }, () => refresh('A'.repeat(64), address)))
    expect(junk.filter(({ status }) => status === 401)).toHaveLength(quotas.auth)
    expect(junk.filter(({ status }) => status === 429)).toHaveLength(4 - quotas.auth)
    for (let turn = 0; turn < 10; turn += 1) {
      const answer = await refresh(refreshToken, address)
      expect(answer.status).toBe(200)
      refreshToken = z.object({ refresh_token: z.string() }).parse(answer.json()).refresh_token
    }
  })
})
