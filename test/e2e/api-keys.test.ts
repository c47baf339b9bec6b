// API keys over HTTP: how they are made, for whom they act, and when they end.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { callFor } from '../support/administrator.ts'
import { type Call, type Edge, expectStatus, startEdge } from '../support/edge.ts'

const keySchema = z.looseObject({ id: z.string(), key: z.string(), prefix: z.string(), scopes: z.array(z.string()) })
const applicationSchema = z.looseObject({ id: z.string(), issuer: z.string() })
const tokenSchema = z.looseObject({ access_token: z.string(), scope: z.string(), expires_in: z.int() })

let edge: Edge
let admin: Call
let application: z.output<typeof applicationSchema>

const newKey = async (body: object, headers: Record<string, string> = {}) =>
  keySchema.parse(
    expectStatus(
      await admin('POST', '/api/v1/admin/api-keys', {
        headers,
        body: { application_id: application.id, name: 'server', scopes: ['read', 'write', 'link'], ...body },
      }),
      201,
    ).json(),
  )
const acting = (key: string, user: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${key}`,
  'wn-user': user,
})

beforeAll(async () => {
  edge = await startEdge()
  admin = callFor(edge, { path: '/api/v1/admin/api-keys' }, 'operator')
  application = applicationSchema.parse(
    expectStatus(await admin('POST', '/api/v1/admin/applications', { body: { name: 'Budget app' } }), 201).json(),
  )
})
afterAll(() => edge.stop())

describe('a key of an application', () => {
  test('acts for the user that WN-User names, and for no other', async () => {
    const { key } = await newKey({})
    const one = await edge.call('POST', '/api/v1/plaid/link/token/create', { headers: acting(key, 'u-1'), body: {} })
    expect(one.status).toBe(200)
    const trails = await Promise.all(
      ['u-1', 'u-2'].map(async (user) =>
        (await edge.call('GET', '/api/v1/audit', { headers: acting(key, user) })).json(),
      ),
    )
    expect(trails).toEqual([
      { data: [expect.objectContaining({ action: 'link_token_created', actor: 'user' })], next_cursor: null },
      { data: [], next_cursor: null },
    ])
    const users = await edge.sql('select subject from users where issuer = $1', [application.issuer])
    expect(users).toEqual([{ subject: 'u-1' }])
  })

  test('ends at once when it is revoked, and so do its tokens', async () => {
    const { id, key } = await newKey({})
    const issued = await edge.call('POST', '/api/v1/tokens', {
      headers: acting(key, 'u-3'),
      body: { scopes: ['read'] },
    })
    const { access_token: token, scope } = tokenSchema.parse(expectStatus(issued, 200).json())
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
