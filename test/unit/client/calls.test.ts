// Calls of the client: what is sent, what is returned, and the errors, over real HTTP.
import { afterEach, describe, expect, it } from 'vitest'
import { type Client, type ClientOptions, createClient, ProblemError } from '@wealthnavigator/client'
import { problem, type Received, type Reply, type ScriptedApi, startScriptedApi } from '../../support/scripted-api.ts'

let api: ScriptedApi
afterEach(async () => {
  await api.stop()
})

async function clientFor(
  answer: (request: Received, before: number) => Reply,
  options: Partial<ClientOptions> = {},
): Promise<Client> {
  api = await startScriptedApi(answer)
  return createClient({ baseUrl: api.url, getToken: () => 'token-1', ...options } as ClientOptions)
}

const thrown = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => null,
    (error: unknown) => error,
  )

const item = '11111111-1111-4111-8111-111111111111'

describe('a call', () => {
  it('sends path, query, body and token, and returns the parsed body', async () => {
    const client = await clientFor(() => ({ body: { id: item, note: 'lunch' } }))
    const edited = await client.patch('/api/v1/transactions/{id}', {
      params: { path: { id: item } },
      body: { note: 'lunch' },
    })
    expect(edited.note).toBe('lunch')
    expect(api.received).toMatchObject([
      {
        method: 'PATCH',
        path: `/api/v1/transactions/${item}`,
        body: '{"note":"lunch"}',
        headers: { authorization: 'Bearer token-1', 'content-type': 'application/json' },
      },
    ])
  })

  it('keeps every digit of a decimal, in both directions', async () => {
    const amounts = ['0.1', '0.30000000000000004', '12345678901234567890.123456789', '-1234567890123456.1']
    const client = await clientFor(() => ({ body: { data: amounts.map((amount) => ({ amount })), next_cursor: null } }))
    const query = { min_amount: '0.1', max_amount: '12345678901234567890.123456789' }
    const { data } = await client.get('/api/v1/transactions', { params: { query } })
    expect(data.map(({ amount }) => amount)).toEqual(amounts)
    expect(api.received[0]?.path).toBe('/api/v1/transactions?min_amount=0.1&max_amount=12345678901234567890.123456789')
  })

  it('returns undefined for a response without a body, and the text of another media type', async () => {
    const client = await clientFor(({ method }) =>
      method === 'DELETE' ? { status: 204 } : { headers: { 'content-type': 'text/markdown' }, body: '# 1.0' },
    )
    expect(await client.delete('/api/v1/plaid/items/{id}', { params: { path: { id: item } } })).toBeUndefined()
    expect(await client.get('/privacy')).toBe('# 1.0')
  })

  it('returns the response itself for a download', async () => {
    const client = await clientFor(() => ({ headers: { 'content-type': 'application/zip' }, body: 'PK' }))
    const response = await client.response('get', '/api/v1/privacy/export', { params: { query: { format: 'csv' } } })
    expect(await response.text()).toBe('PK')
  })

  it('returns the response of an unchanged list to a caller that sent its tag, and no list', async () => {
    const client = await clientFor(() => ({ status: 304, headers: { etag: 'W/"one"' } }))
    const init = { headers: { 'if-none-match': 'W/"one"' } }
    const response = await client.response('get', '/api/v1/transactions', init)
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, 'W/"one"', ''])
    await expect(client.get('/api/v1/transactions', init)).rejects.toMatchObject({ status: 304 })
  })

  it('encodes what a caller puts into a path, so that it reaches no other route', async () => {
    const client = await clientFor(() => ({ body: {} }))
    await client.get('/api/v1/plaid/items/{id}', { params: { path: { id: '../../admin/items?x=1#' } } })
    expect(api.received[0]?.path).toBe('/api/v1/plaid/items/..%2F..%2Fadmin%2Fitems%3Fx%3D1%23')
  })

  it('follows no redirect, which could take the token to another host', async () => {
    const other = await startScriptedApi(() => ({ body: {} }))
    const client = await clientFor(() => ({ status: 307, headers: { location: `${other.url}/api/v1/plaid/items` } }))
    await expect(client.get('/api/v1/plaid/items')).rejects.toMatchObject({ status: 307, code: 'unknown' })
    expect([api.received.length, other.received.length]).toEqual([1, 0])
    await other.stop()
  })

  it('sends no token to a public route, and cookies to the routes of the session alone', async () => {
    const sent: [string, RequestCredentials][] = []
    const client = await clientFor(() => ({ body: {} }), {
      cookies: true,
      fetch: async (request) => {
        sent.push([new URL(request.url).pathname, request.credentials])
        return await fetch(request)
      },
    })
    await client.post('/api/v1/auth/login', { body: { email: 'a@example.com', password: 'wrong' } })
    await client.get('/api/v1/plaid/items')
    expect(api.received.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer token-1'])
    expect(sent).toEqual([
      ['/api/v1/auth/login', 'include'],
      ['/api/v1/plaid/items', 'same-origin'],
    ])
  })
})

describe('a client with an API key', () => {
  it('acts for the user that it names, and for another one by forUser', async () => {
    const client = await clientFor(() => ({ body: { data: [], next_cursor: null } }), {
      apiKey: 'example-key',
      getToken: undefined,
    })
    await client.get('/api/v1/plaid/items')
    await client.forUser('user-7').get('/api/v1/plaid/items')
    await client.forUser('user-8').get('/api/v1/plaid/items')
    expect(api.received.map(({ headers }) => [headers.authorization, headers['wn-user']])).toEqual([
      ['Bearer example-key', undefined],
      ['Bearer example-key', 'user-7'],
      ['Bearer example-key', 'user-8'],
    ])
  })

  it('is refused in a browser, where each visitor could read the key', async () => {
    await clientFor(() => ({}))
    Object.assign(globalThis, { document: {} })
    try {
      expect(() => createClient({ baseUrl: api.url, apiKey: 'example-key' })).toThrow('for servers')
    } finally {
      Reflect.deleteProperty(globalThis, 'document')
    }
  })

  it('is needed for forUser', async () => {
    const client = await clientFor(() => ({}))
    expect(() => client.forUser('user-7')).toThrow(/API key/)
  })
})

describe('an error of the API', () => {
  it('is thrown with its code, its fields, its request and its other members', async () => {
    const client = await clientFor(() =>
      problem(409, 'duplicate_item', { item_id: item, errors: [{ pointer: '#/public_token', detail: 'Is linked.' }] }),
    )
    const error = await thrown(client.post('/api/v1/plaid/item/public_token/exchange', { body: { public_token: 'p' } }))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({
      name: 'ProblemError',
      message: 'It is duplicate_item.',
      status: 409,
      code: 'duplicate_item',
      errors: [{ pointer: '#/public_token', detail: 'Is linked.' }],
      requestId: 'f0000000-0000-4000-8000-000000000000',
      problem: { item_id: item },
    })
  })

  it.each([
    ['a code of a newer deployment', problem(418, 'brewing'), { code: 'unknown', problem: { code: 'brewing' } }],
    [
      'the page of a proxy',
      { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } },
      { code: 'unknown' },
    ],
    ['an empty body', { status: 500 }, { code: 'unknown', message: 'The API responded with status 500.' }],
    ['JSON that is no problem', { status: 500, body: '[1]' }, { code: 'unknown', errors: [] }],
    ['null', { status: 500, body: 'null' }, { code: 'unknown' }],
    [
      'members of other types',
      { status: 400, body: { code: 7, detail: {}, errors: [null, { detail: 1 }, 'x'] } },
      { code: 'unknown', errors: [] },
    ],
    ['the name of a member of every object', problem(400, 'constructor'), { code: 'unknown' }],
  ] as const)('is typed with %s', async (_what, reply, expected) => {
    const client = await clientFor(() => reply, { tries: 1 })
    const error = await thrown(client.get('/api/v1/plaid/items'))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ status: reply.status, ...expected })
  })
})
