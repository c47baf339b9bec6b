// Ordered failures, limits, and requests that Plaid would refuse.
import * as fc from 'fast-check'
import { Products } from 'plaid'
import { describe, expect, test } from 'vitest'
import { openDesk, readUpdate } from './bank-desk.ts'

describe('a fault', () => {
  test('affects the given number of calls after the given number, and then none', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    await desk.control('/faults', { endpoint: '/accounts/get', times: 2, after: 1, error: 'INSTITUTION_DOWN' })
    const codes: unknown[] = []
    for (let call = 0; call < 5; call += 1)
      codes.push((await desk.post('/accounts/get', { access_token })).body['error_code'])
    expect(codes).toEqual([undefined, 'INSTITUTION_DOWN', 'INSTITUTION_DOWN', undefined, undefined])
  })

  test('may be any error of Plaid’s by its code, a whole body, or a bare status', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    const answer = () => desk.post('/item/get', { access_token })
    await desk.control('/faults', { endpoint: '/item/get', error: 'RATE_LIMIT' })
    expect(await answer()).toMatchObject({ status: 429, body: { error_type: 'RATE_LIMIT_EXCEEDED' } })
    await desk.control('/faults', { endpoint: '*', error: { error_type: 'API_ERROR', error_code: 'NEW' }, status: 502 })
    expect(await answer()).toMatchObject({ status: 502, body: { error_code: 'NEW', request_id: expect.any(String) } })
    await desk.control('/faults', { endpoint: '/item/get', status: 503 })
    expect(await answer()).toMatchObject({ status: 503, body: { error_type: 'API_ERROR' } })
  })

  test('drop cuts the connection before anything happens, `after` once it has happened', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    await desk.control('/faults', { endpoint: '/item/remove', drop: true })
    await expect(desk.post('/item/remove', { access_token })).rejects.toThrow('fetch failed')
    expect((await desk.control(`/truth?item_id=${item_id}`)).body['status']).toBe('good')
    await desk.control('/faults', { endpoint: '/item/remove', drop: 'after' })
    await expect(desk.post('/item/remove', { access_token })).rejects.toThrow('fetch failed')
    expect((await desk.control(`/truth?item_id=${item_id}`)).body['status']).toBe('removed')
  })

  test.each([
    ['/item/get', true, 'good'],
    ['/item/remove', 'before', 'good'],
    ['/item/remove', 'after', 'removed'],
  ])('hang leaves %s without a response: %s', async (endpoint, hang, status) => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    await desk.control('/faults', { endpoint, hang })
    const call = fetch(`${desk.simulator.url}${endpoint}`, {
      method: 'POST',
      body: JSON.stringify({ client_id: 'client', secret: 'secret', access_token }),
      signal: AbortSignal.timeout(300),
    })
    await expect(call).rejects.toThrow('timeout')
    expect((await desk.control(`/truth?item_id=${item_id}`)).body['status']).toBe(status)
  })

  test('ends with the simulator when it hangs', async () => {
    const desk = await openDesk()
    await desk.control('/faults', { endpoint: '*', hang: true })
    const ended = Promise.allSettled([desk.post('/institutions/get', {})])
    await desk.control('/calls')
    await desk.simulator.stop()
    expect(await ended).toMatchObject([{ status: 'rejected', reason: { message: 'fetch failed' } }])
  })

  test('text is the whole response', async () => {
    const desk = await openDesk()
    await desk.control('/faults', { endpoint: '/item/get', status: 403, text: '<h1>Forbidden</h1>' })
    const response = await fetch(`${desk.simulator.url}/item/get`, {
      method: 'POST',
      body: '{"client_id":"client","secret":"secret"}',
    })
    expect([response.status, await response.text()]).toEqual([403, '<h1>Forbidden</h1>'])
    expect((await desk.control('/faults', { endpoint: '/item/get', status: 201 })).status).toBe(400)
  })

  test('latency_ms makes the call wait', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    await desk.control('/faults', { endpoint: '/item/get', latency_ms: 120 })
    const before = Date.now()
    expect((await desk.post('/item/get', { access_token })).status).toBe(200)
    expect(Date.now() - before).toBeGreaterThanOrEqual(119)
  })

  test('mutate_during_pagination really changes the item, once, in the middle of an update', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
    await desk.control('/faults', { endpoint: '/transactions/sync', mutate_during_pagination: true })
    const before = (await desk.control(`/truth?item_id=${item_id}`)).text
    await readUpdate(desk, access_token, '', 20)
    const calls = (await desk.control('/calls')).text
    expect(calls.match(/TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION/g)?.length).toBe(1)
    expect((await desk.control(`/truth?item_id=${item_id}`)).text).not.toBe(before)
  })

  test('removes only the faults of its endpoint with times 0', async () => {
    const desk = await openDesk()
    for (const endpoint of ['/item/get', '/item/remove', '*']) {
      await desk.control('/faults', { endpoint, times: 5, error: 'INTERNAL_SERVER_ERROR' })
    }
    const left = await desk.control('/faults', { endpoint: '/item/get', times: 0 })
    expect(left).toMatchObject({ status: 200, body: { faults: [{ endpoint: '/item/remove' }, { endpoint: '*' }] } })
  })

  test('keeps the effect when it drops the response after the call, and none when it drops before', async () => {
    const desk = await openDesk()
    const lost = async (when: unknown, path: string, body: object) => {
      await desk.control('/faults', { endpoint: path, drop: when })
      await expect(desk.post(path, body)).rejects.toThrow('fetch failed')
      expect((await desk.control('/faults')).body).toEqual({ faults: [] })
    }
    const created = await desk.plaid.sandboxPublicTokenCreate({
      institution_id: 'ins_109509',
      initial_products: [Products.Auth],
    })
    const { public_token } = created.data
    await lost('before', '/item/public_token/exchange', { public_token })
    await lost('after', '/item/public_token/exchange', { public_token })
    const again = await desk.post('/item/public_token/exchange', { public_token })
    expect(again.body['error_code']).toBe('INVALID_PUBLIC_TOKEN')

    const { access_token, item_id } = await desk.link()
    const code = async () => (await desk.post('/item/get', { access_token })).body['error_code']
    await lost(true, '/item/access_token/invalidate', { access_token })
    expect(await code()).toBeUndefined()
    await lost('after', '/item/access_token/invalidate', { access_token })
    expect(await code()).toBe('INVALID_ACCESS_TOKEN')
    expect((await desk.control(`/truth?item_id=${item_id}`)).body['status']).toBe('good')

    const other = await desk.link()
    const remove = { access_token: other.access_token }
    await lost('before', '/item/remove', remove)
    expect((await desk.post('/item/get', remove)).status).toBe(200)
    await lost('after', '/item/remove', remove)
    expect((await desk.post('/item/get', remove)).body['error_code']).toBe('ITEM_NOT_FOUND')
  })

  test('is refused when it would do nothing, names no error of Plaid’s, or is misspelt', async () => {
    const desk = await openDesk()
    for (const bad of [
      { endpoint: '/item/get' },
      { endpoint: '/item/get', error: 'OOPS' },
      { endpoint: '/item/get', eror: 'x' },
      {},
    ]) {
      expect(await desk.control('/faults', bad)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    }
    expect((await desk.control('/faults')).body).toEqual({ faults: [] })
  })
})

test('limits hold by item, a minute long, and refused calls do not count', async () => {
  const desk = await openDesk({ rateLimits: { '/item/get': { item: 2, client: 3 } } })
  const [first, second] = [await desk.link(), await desk.link()]
  const get = async ({ access_token }: { access_token: string }) =>
    (await desk.post('/item/get', { access_token })).status
  expect([await get(first), await get(first), await get(first), await get(first)]).toEqual([200, 200, 429, 429])
  expect([await get(second), await get(second)]).toEqual([200, 429])
})

describe('a request', () => {
  test.for<[string, object, string]>([
    ['/item/get', {}, 'MISSING_FIELDS'],
    ['/item/get', { access_token: 'x', more: 1 }, 'UNKNOWN_FIELDS'],
    ['/item/get', { access_token: 7 }, 'INVALID_FIELD'],
    ['/item/get', { access_token: 'access-sandbox-junk' }, 'INVALID_ACCESS_TOKEN'],
    ['/transactions/sync', { access_token: 'x', count: 0 }, 'INVALID_FIELD'],
    ['/transactions/sync', { access_token: 'x', count: 501 }, 'INVALID_FIELD'],
    ['/transactions/sync', { access_token: 'x', count: 1.5 }, 'INVALID_FIELD'],
    ['/transactions/sync', { access_token: 'x', options: { days_requested: 731 } }, 'INVALID_FIELD'],
    ['/transactions/get', { access_token: 'x', start_date: '2026-02-30', end_date: '2026-03-01' }, 'INVALID_FIELD'],
    ['/item/public_token/exchange', { public_token: 'public-sandbox-junk' }, 'INVALID_PUBLIC_TOKEN'],
    ['/sandbox/public_token/create', { institution_id: 'ins_0', initial_products: ['auth'] }, 'INVALID_INSTITUTION'],
    ['/sandbox/public_token/create', { institution_id: 'ins_109508', initial_products: ['magic'] }, 'INVALID_FIELD'],
    ['/link/token/create', { client_name: 'x', language: 'en', country_codes: ['US'] }, 'MISSING_FIELDS'],
    ['/webhook_verification_key/get', { key_id: 'junk' }, 'INVALID_WEBHOOK_VERIFICATION_KEY_ID'],
  ])('returns, to %s with %j, %s', async ([path, body, code]) => {
    const desk = await openDesk()
    expect(await desk.post(path, body)).toMatchObject({
      status: 400,
      body: {
        error_code: code,
        error_type: expect.any(String),
        error_message: expect.any(String),
        display_message: null,
      },
    })
  })

  test('is refused in Plaid’s format without credentials, with wrong ones, without JSON, or to an unknown path', async () => {
    const desk = await openDesk()
    const send = async (path: string, body: string) => {
      const response = await fetch(`${desk.simulator.url}${path}`, { method: 'POST', body })
      return [response.status, await response.json()]
    }
    expect(await send('/item/get', '{"access_token":"x"}')).toMatchObject([400, { error_code: 'MISSING_FIELDS' }])
    const wrong = JSON.stringify({ client_id: 'client', secret: 'guess', access_token: 'x' })
    expect(await send('/item/get', wrong)).toMatchObject([400, { error_code: 'INVALID_API_KEYS' }])
    expect(await send('/item/get', '{')).toMatchObject([400, { error_code: 'INVALID_BODY' }])
    expect(await send('/item/get', '[]')).toMatchObject([400, { error_code: 'INVALID_BODY' }])
    expect(await send('/nowhere', '{}')).toMatchObject([404, { error_code: 'NOT_FOUND' }])
  })

  test('never breaks the simulator with any JSON', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    const paths = ['/transactions/sync', '/transactions/get', '/link/token/create', '/sandbox/public_token/create']
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.dictionary(fc.string(), fc.jsonValue()), async (path, body) => {
        const { status } = await desk.post(path, { ...body, access_token, client_id: 'client', secret: 'secret' })
        expect(status).toBeLessThan(500)
      }),
      { numRuns: 60 },
    )
  })
})

test('a public token is exchanged once', async () => {
  const desk = await openDesk()
  const created = await desk.plaid.sandboxPublicTokenCreate({
    institution_id: 'ins_109509',
    initial_products: [Products.Auth],
  })
  const { public_token } = created.data
  expect((await desk.post('/item/public_token/exchange', { public_token })).status).toBe(200)
  expect((await desk.post('/item/public_token/exchange', { public_token })).body['error_code']).toBe(
    'INVALID_PUBLIC_TOKEN',
  )
})

test('every call is on record: endpoint, item, status, time', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link()
  await desk.post('/item/get', { access_token })
  await desk.post('/item/get', { access_token: 'junk' })
  const { text } = await desk.control('/calls')
  const calls: unknown = JSON.parse(text)
  expect(calls).toMatchObject({
    calls: [
      { endpoint: '/sandbox/public_token/create', status: 200 },
      { endpoint: '/item/public_token/exchange', item_id, status: 200 },
      { endpoint: '/item/get', item_id, status: 200, error_code: null },
      {
        endpoint: '/item/get',
        item_id: null,
        status: 400,
        error_code: 'INVALID_ACCESS_TOKEN',
        time: expect.any(String),
      },
    ],
  })
})
