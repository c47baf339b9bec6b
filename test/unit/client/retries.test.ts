// Attempts of the client: when it waits, how often it tries, and what it never sends twice.
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Client,
  type ClientOptions,
  ConnectionError,
  createClient,
  newIdempotencyKey,
} from '@wealthnavigator/client'
import { backoffMs, retryAfterSeconds } from '../../../src/client/wait.ts'
import { problem, type Reply, type ScriptedApi, startScriptedApi } from '../../support/scripted-api.ts'

let api: ScriptedApi
afterEach(async () => {
  await api.stop()
})

async function clientFor(replies: readonly Reply[], options: Partial<ClientOptions> = {}): Promise<Client> {
  api = await startScriptedApi((_request, before) => replies[Math.min(before, replies.length - 1)] ?? {})
  return createClient({ baseUrl: api.url, getToken: () => 'token', ...options } as ClientOptions)
}

const after = (reply: Reply, seconds: number | string): Reply => ({
  ...reply,
  headers: { ...reply.headers, 'retry-after': String(seconds) },
})
const page: Reply = { body: { data: [], next_cursor: null } }
const queued: Reply = { status: 202, body: { queued: 1 } }
const limited = problem(429, 'rate_limited')
const down = problem(503, 'unavailable')
const lost: Reply = { drop: true }
const once = { headers: { 'idempotency-key': '4f5f5a0e-6a0e-4a53-9f0e-1d2c3b4a5968' } }

describe('Retry-After', () => {
  it('is waited for before the next attempt', async () => {
    const client = await clientFor([after(limited, 1), page])
    const startedMs = performance.now()
    await client.get('/api/v1/plaid/items')
    expect(performance.now() - startedMs).toBeGreaterThan(990)
    expect(api.received).toHaveLength(2)
  })

  it('is obeyed for a change too with 429, because nothing was done', async () => {
    const client = await clientFor([after(limited, 0), queued])
    expect(await client.post('/api/v1/plaid/sync/all')).toEqual({ queued: 1 })
  })

  it('is reported instead of waited for when it is longer than the caller allows', async () => {
    const client = await clientFor([after(limited, 86_400), page])
    await expect(client.get('/api/v1/plaid/items')).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: 86_400,
    })
    expect(api.received).toHaveLength(1)
  })

  it('ends after three attempts, or as many as the caller says', async () => {
    const client = await clientFor([after(limited, 0)])
    await expect(client.get('/api/v1/plaid/items')).rejects.toMatchObject({ status: 429 })
    expect(api.received).toHaveLength(3)
    const single = createClient({ baseUrl: api.url, tries: 1 })
    await expect(single.get('/health')).rejects.toMatchObject({ status: 429 })
    expect(api.received).toHaveLength(4)
  })

  it.each([
    ['120', 120],
    ['0', 0],
    ['Mon, 30 Nov 2026 00:00:10 GMT', 10],
    ['Sun, 29 Nov 2026 23:59:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['1e9', null],
  ])('%s counts as %s seconds', (text, seconds) => {
    const headers = new Headers({ 'retry-after': text })
    expect(retryAfterSeconds(headers, Date.parse('2026-11-30T00:00:00Z'))).toBe(seconds)
  })

  it('is replaced by a wait that doubles, half of it random, to 8 seconds', () => {
    expect([1, 2, 3, 9].map((attempt) => backoffMs(attempt, () => 1))).toEqual([500, 1000, 2000, 8000])
    expect(backoffMs(1, () => 0)).toBe(250)
  })
})

describe('a request that may have had its effect', () => {
  it.each([
    ['a lost connection', lost],
    ['503', after(down, 0)],
    ['502', after(problem(502, 'plaid_rejected'), 0)],
  ])('is sent again after %s if it is a read', async (_what, failure) => {
    const client = await clientFor([failure, page])
    expect(await client.get('/api/v1/plaid/items')).toEqual(page.body)
    expect(api.received).toHaveLength(2)
  })

  it.each([
    ['a lost connection', lost, 'The API did not respond.'],
    ['503', after(down, 0), 'It is unavailable.'],
  ])('is never sent again after %s if it is a change', async (_what, failure, message) => {
    const client = await clientFor([failure, queued])
    await expect(client.post('/api/v1/plaid/sync/all')).rejects.toThrow(message)
    expect(api.received).toHaveLength(1)
  })

  it.each([
    ['a lost connection', lost],
    ['503', after(down, 0)],
  ])('is sent again after %s with its Idempotency-Key and its body', async (_what, failure) => {
    const client = await clientFor([failure, { status: 201, body: {} }])
    await client.post('/api/v1/plaid/item/public_token/exchange', { ...once, body: { public_token: 'p-1' } })
    expect(api.received.map(({ headers, body }) => [headers['idempotency-key'], body])).toEqual([
      ['4f5f5a0e-6a0e-4a53-9f0e-1d2c3b4a5968', '{"public_token":"p-1"}'],
      ['4f5f5a0e-6a0e-4a53-9f0e-1d2c3b4a5968', '{"public_token":"p-1"}'],
    ])
  })

  it('waits while the first request with its Idempotency-Key is in progress, and not for another conflict', async () => {
    const inUse = after(problem(409, 'idempotency_key_in_use'), 0)
    const client = await clientFor([inUse, { status: 201, body: {} }, inUse, problem(409, 'conflict')])
    const exchange = (more: object) =>
      client.post('/api/v1/plaid/item/public_token/exchange', { ...more, body: { public_token: 'p-1' } })
    await exchange(once)
    expect(api.received).toHaveLength(2)
    await expect(exchange({})).rejects.toMatchObject({ status: 409 })
    await expect(exchange(once)).rejects.toMatchObject({ code: 'conflict' })
    expect(api.received).toHaveLength(4)
  })

  it('gets a key that is new each time, also without crypto', () => {
    const keys = Array.from({ length: 100 }, newIdempotencyKey)
    vi.stubGlobal('crypto', undefined)
    keys.push(...Array.from({ length: 100 }, newIdempotencyKey))
    vi.unstubAllGlobals()
    expect(new Set(keys).size).toBe(200)
    for (const key of keys) expect(key).toMatch(/^[\w-]{16,64}$/)
  })

  it('fails as ConnectionError with its cause when no response ever arrives', async () => {
    const client = await clientFor([lost], { tries: 2 })
    const error = await client.get('/api/v1/plaid/items').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toHaveProperty('cause', expect.any(Error))
    expect(api.received).toHaveLength(2)
  })

  it('fails as ConnectionError when the response ends in its middle, and as aborted when the caller left', async () => {
    const leaving = new AbortController()
    const half = (): Response =>
      new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError('terminated')) }), {
        headers: { 'content-type': 'application/json' },
      })
    const client = await clientFor([], { fetch: () => Promise.resolve(half()) })
    await expect(client.get('/api/v1/plaid/items')).rejects.toBeInstanceOf(ConnectionError)
    const left = await clientFor([], {
      fetch: () => {
        leaving.abort(new Error('left'))
        return Promise.resolve(half())
      },
    })
    await expect(left.get('/api/v1/plaid/items', { signal: leaving.signal })).rejects.toThrow('left')
  })

  it('is not sent again after an error that the API means', async () => {
    const client = await clientFor([problem(500, 'internal'), page])
    await expect(client.get('/api/v1/plaid/items')).rejects.toMatchObject({ code: 'internal' })
    expect(api.received).toHaveLength(1)
  })
})

describe('an aborted signal', () => {
  it('ends a wait with its reason, and nothing is sent any more', async () => {
    const client = await clientFor([after(limited, 30), page])
    const leaving = new AbortController()
    const call = client.get('/api/v1/plaid/items', { signal: leaving.signal })
    setTimeout(() => leaving.abort(new Error('left')), 50)
    await expect(call).rejects.toThrow('left')
    expect(api.received).toHaveLength(1)
  })

  it.each(['get', 'post'] as const)('ends a %s that runs, and is not taken for a lost connection', async (method) => {
    api = await startScriptedApi(() => new Promise<Reply>(() => undefined))
    const client = createClient({ baseUrl: api.url, getToken: () => 'token' })
    const leaving = new AbortController()
    const { signal } = leaving
    const call =
      method === 'get'
        ? client.get('/api/v1/plaid/items', { signal })
        : client.post('/api/v1/plaid/sync/all', { signal })
    setTimeout(() => leaving.abort(new Error('left')), 50)
    await expect(call).rejects.toThrow('left')
    expect(api.received).toHaveLength(1)
  })

  it('prevents a request that was not sent', async () => {
    const client = await clientFor([page])
    await expect(client.get('/api/v1/plaid/items', { signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow(
      'left',
    )
    expect(api.received).toHaveLength(0)
  })
})
