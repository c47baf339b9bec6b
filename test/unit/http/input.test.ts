import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asUser, serveApp, problemOf } from './serve-app.ts'

const someId = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'
const create = '/api/v1/plaid/link/token/create'
const exchange = '/api/v1/plaid/item/public_token/exchange'
const transaction = `/api/v1/transactions/${someId}`

async function send(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}) {
  const init = body === undefined ? { method } : { method, body }
  return serveApp().ask(path, { ...init, headers: { ...(await asUser()), ...headers } })
}

async function refusal(method: string, path: string, body: unknown) {
  const problem = await problemOf(await send(method, path, JSON.stringify(body)))
  expect(problem).toMatchObject({ status: 400, code: 'validation_failed' })
  return problem.errors?.map(({ pointer }) => pointer)
}

describe('a request body', () => {
  it.each([
    ['that is absent', '', 'bad_request', 400],
    ['that is malformed', '{"hosted":', 'bad_request', 400],
    ['with something after it', '{}{}', 'bad_request', 400],
    ['with a byte order mark', '\uFEFF{}', 'bad_request', 400],
    ['that is NaN', 'NaN', 'bad_request', 400],
    ['that is null', 'null', 'validation_failed', 400],
    ['that is an array', '[]', 'validation_failed', 400],
    ['that is nested past reason', '['.repeat(60_000), 'bad_request', 400],
  ])('%s is refused', async (_name, body, code, status) => {
    expect(await problemOf(await send('POST', create, body))).toMatchObject({ status, code })
  })

  it('is refused unless it is UTF-8', async () => {
    const bytes = new Uint8Array([0x22, 0xff, 0x22])
    expect(await problemOf(await send('POST', create, bytes))).toMatchObject({ status: 400, code: 'bad_request' })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'text/json, application/json'])(
    'gets 415 with the type %s',
    async (type) => {
      const response = await send('POST', create, '{}', { 'content-type': type })
      expect(await problemOf(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    },
  )

  it('is accepted for an exchange with any institution and accounts from Link', async () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.array(
        fc.record({ name: fc.jsonValue(), mask: fc.jsonValue(), subtype: fc.jsonValue() }, { requiredKeys: [] }),
      ),
      fc.record({ institution_id: fc.jsonValue(), name: fc.jsonValue() }, { requiredKeys: [] }),
    )
    await fc.assert(
      fc.asyncProperty(anything, anything, async (institution, accounts) => {
        const body = { public_token: 'public-sandbox-x', institution, accounts }
        // There is no database here: 503 says that the body was accepted.
        expect((await send('POST', exchange, JSON.stringify(body))).status).toBe(503)
      }),
      { numRuns: 60 },
    )
  })

  it.each(['gzip', 'br', 'identity, gzip', 'GZIP', 'unknown'])('gets 415 with the encoding %s', async (encoding) => {
    const zipped = new Response('{"hosted":true}').body?.pipeThrough(new CompressionStream('gzip'))
    const bytes = new Uint8Array(await new Response(zipped ?? null).arrayBuffer())
    for (const body of [bytes, '{}', ''])
      for (const [method, path] of [
        ['POST', create],
        ['POST', exchange],
        ['PATCH', transaction],
      ] as const) {
        const response = await send(method, path, body, { 'content-encoding': encoding })
        expect(await problemOf(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
      }
  })

  it.each(['identity', 'Identity ', ''])('is read with the encoding "%s"', async (encoding) => {
    expect((await send('POST', create, '{}', { 'content-encoding': encoding })).status).toBe(503)
  })

  it('may say its character set', async () => {
    const response = await send('POST', create, '{}', { 'content-type': 'Application/JSON; charset=utf-8' })
    expect(response.status).toBe(503)
  })

  it('gets the names of unknown fields, and no values', async () => {
    const body = { hosted: true, hostd: 'canary', 'access-sandbox-canary': 1, '<script>': 1 }
    const response = await send('POST', create, JSON.stringify(body))
    const text = await response.clone().text()
    expect(text).not.toContain('canary')
    expect(text).not.toContain('script')
    const { errors } = await problemOf(response)
    expect(errors).toEqual([
      { pointer: '#/hostd', detail: 'Unknown field.' },
      { pointer: '#', detail: 'Unknown field.' },
      { pointer: '#', detail: 'Unknown field.' },
    ])
  })

  it('lists twenty of a thousand errors', async () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key${index}`, 1]))
    expect((await problemOf(await send('POST', create, JSON.stringify(body)))).errors).toHaveLength(20)
  })

  it.each(['__proto__', 'constructor', 'prototype', 'toString'])('cannot reach a prototype by %s', async (key) => {
    const response = await send('PATCH', transaction, `{"hidden":true,"${key}":{"admin":true,"note":"x"}}`)
    expect(await problemOf(response)).toMatchObject({ status: 400, code: 'validation_failed' })
    expect(Reflect.get({}, 'admin')).toBeUndefined()
  })

  it('may be empty but must not contain fields when none is declared', async () => {
    const sync = '/api/v1/plaid/sync/all'
    expect((await send('POST', sync)).status).toBe(503)
    expect((await send('POST', sync, '{}')).status).toBe(503)
    expect(await refusal('POST', sync, { item_id: someId })).toEqual(['#/item_id'])
  })
})

describe('a link token request', () => {
  it.each([
    [{ item_id: 'x' }, '#/item_id'],
    [{ redirect_uri: 'http://app.wealth.test/' }, '#/redirect_uri'],
    [{ redirect_uri: 'data:text/html,x' }, '#/redirect_uri'],
    [{ redirect_uri: 'https://user:pass@app.wealth.test/' }, '#/redirect_uri'],
    [{ redirect_uri: 'http://localhost.evil.test/' }, '#/redirect_uri'],
    [{ redirect_uri: '/relative' }, '#/redirect_uri'],
    [{ products: [] }, '#/products'],
    [{ products: ['transactions', 'auth'] }, '#/products/1'],
    [{ products: ['transactions', 'liabilities'] }, '#/products/1'],
    [{ hosted: 'yes' }, '#/hosted'],
    [{ language: 'english' }, '#/language'],
    [{ country_codes: ['us'] }, '#/country_codes/0'],
  ])('%j is refused at %s', async (body, pointer) => {
    expect(await refusal('POST', create, body)).toEqual([pointer])
  })

  it.each(['https://app.wealth.test/oauth', 'http://localhost:3000/oauth', 'http://127.0.0.1:3000/'])(
    'may return to %s on a laptop',
    async (uri) => {
      expect((await send('POST', create, JSON.stringify({ redirect_uri: uri }))).status).toBe(503)
    },
  )
})

describe('an exchange', () => {
  it.each([
    [{}, '#/public_token'],
    [{ public_token: 'public sandbox' }, '#/public_token'],
    [{ public_token: 'x'.repeat(201) }, '#/public_token'],
    [{ public_token: 'x', allow_duplicate: 'yes' }, '#/allow_duplicate'],
    [{ public_token: 'x', link_token: 'link token' }, '#/link_token'],
    [{ public_token: 'x', elsewhere: 1 }, '#/elsewhere'],
  ])('is refused at the field that is wrong', async (body, pointer) => {
    expect(await refusal('POST', exchange, body)).toEqual([pointer])
  })
})

describe('edits of a transaction', () => {
  it.each([
    [{}, '#'],
    [{ note: 'x'.repeat(2001) }, '#/note'],
    [{ note: 'a\0b' }, '#/note'],
    [{ note: 5 }, '#/note'],
    [{ user_category: 'x'.repeat(101) }, '#/user_category'],
    [{ user_category: 'a\nb' }, '#/user_category'],
    [{ hidden: 'true' }, '#/hidden'],
    [{ hidden: true, amount: '1' }, '#/amount'],
  ])('%o are refused', async (body, pointer) => {
    expect(await refusal('PATCH', transaction, body)).toEqual([pointer])
  })

  it('are refused with half a character', async () => {
    const response = await send('PATCH', transaction, String.raw`{"note":"\ud800"}`)
    expect((await problemOf(response)).errors).toMatchObject([{ pointer: '#/note' }])
  })

  it('may clear and may have lines', async () => {
    const body = JSON.stringify({ note: 'two\nlines', user_category: null })
    expect((await send('PATCH', transaction, body)).status).toBe(503)
  })
})

describe('parameters', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=10000', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1e2', 'limit'],
    ['limit=1.0', 'limit'],
    ['limit=%31%30%30%30%30%30%30%30%30%30', 'limit'],
    ['from=2026-02-31', 'from'],
    ['from=2026-2-1', 'from'],
    ['from=0000-01-01', 'from'],
    ['from=2026-01-01T00:00:00Z', 'from'],
    ['from=2026-02-02&to=2026-02-01', 'to'],
    ['min_amount=1e3', 'min_amount'],
    ['min_amount=NaN', 'min_amount'],
    ['max_amount=.5', 'max_amount'],
    [`max_amount=${'9'.repeat(41)}`, 'max_amount'],
    ['pending=1', 'pending'],
    ['account_id=1', 'account_id'],
    ['q=', 'q'],
    [`q=${'x'.repeat(201)}`, 'q'],
    ['q=a%00b', 'q'],
    ['category=a%0Ab', 'category'],
    ['limit=1&limit=2', 'limit'],
    ['offset=5', 'offset'],
    ['access%2Dsandbox%2Dcanary=1', 'query'],
    ['__proto__=1', 'query'],
  ])('%s are refused', async (query, parameter) => {
    const response = await send('GET', `/api/v1/transactions?${query}`)
    expect(await response.clone().text()).not.toContain('canary')
    const problem = await problemOf(response)
    expect(problem).toMatchObject({ status: 400, code: 'validation_failed' })
    expect(problem.errors).toMatchObject([{ parameter }])
  })

  it.each([
    'limit=500',
    'limit=',
    'cursor=',
    'cursor=&limit=',
    'from=2024-02-29&to=2024-02-29',
    'min_amount=-12.50&max_amount=1234567890123456.10',
    `account_id=${someId.toUpperCase()}&pending=false&q=%25&category=FOOD`,
  ])('reach the database: %s', async (query) => {
    expect((await send('GET', `/api/v1/transactions?${query}`)).status).toBe(503)
  })

  it('are refused by a route without parameters', async () => {
    const response = await send('POST', '/api/v1/plaid/sync/all?item_id=1')
    expect((await problemOf(response)).errors).toMatchObject([{ parameter: 'item_id' }])
  })

  it.each(['x', "1'%20or%201=1", '%00', '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a1', '%E0%A4%A'])(
    'are refused in the path unless they are UUIDs: %s',
    async (text) => {
      const problem = await problemOf(await send('GET', `/api/v1/accounts/${text}`))
      expect(problem).toMatchObject({ status: 400, errors: [{ parameter: 'id', detail: 'Must be a UUID.' }] })
    },
  )
})
