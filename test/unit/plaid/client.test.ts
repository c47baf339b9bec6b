// The client with a real server: exact numbers, bounded calls, one careful retry, and no secret in a result.
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createSecret } from '../../../src/crypto/secret.ts'
import { createPlaidClient } from '../../../src/plaid/client.ts'
import { createPlaid } from '../../../src/plaid/endpoints.ts'
import { type Answering, failureOf, json, plaidError, uncounted } from './answering.ts'
import { accessToken, apiSecret, call, testClient, useServer } from './test-client.ts'

const publicToken = 'public-sandbox-canary-77aa'

let server: Answering
useServer((started) => {
  server = started
})
const { ask, clientFor } = testClient(() => server.url)

describe('a call', () => {
  it.each([200, 201, 202, 210, 299])('succeeds with status %d', async (status) => {
    server.answer(json('{"amount":1,"request_id":"r1"}', status))
    expect((await ask()).result).toEqual({ ok: true, value: { amount: '1' }, requestId: 'r1' })
  })

  it.each([300, 304, 400, 404])('fails with status %d, with any body', async (status) => {
    server.answer(json('{"amount":1,"request_id":"r1"}', status))
    expect((await ask()).result.ok).toBe(false)
  })

  it('carries the credentials in headers, the token in the body, and names the version', async () => {
    server.answer(json('{"amount":1,"request_id":"r1"}'))
    await ask({ publicToken: createSecret(publicToken) })
    const [asked] = server.asked
    expect(asked).toMatchObject({
      path: '/some/get',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'plaid-version': '2020-09-14',
        'plaid-client-id': 'client-1',
        'plaid-secret': apiSecret,
        'user-agent': 'WealthNavigator-Edge',
      },
    })
    expect(JSON.parse(asked?.body ?? '')).toEqual({ count: 5, access_token: accessToken, public_token: publicToken })
  })

  it.each([
    ['1234567890123456.10', '1234567890123456.1'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['1e-7', '0.0000001'],
    ['-12.50', '-12.5'],
    ['-0.0', '0'],
    ['9007199254740993', '9007199254740993'],
  ])('reads %s as it is written', async (written, read) => {
    server.answer(json(`{"amount": ${written}, "request_id": "r1"}`))
    const { result } = await ask()
    expect(result).toEqual({ ok: true, value: { amount: read }, requestId: 'r1' })
  })

  it('returns type, code, request id and class of an error, after one call', async () => {
    server.answer(plaidError(400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'))
    const { result, times } = await ask()
    expect(result).toEqual({
      ok: false,
      failure: {
        class: 'update_mode',
        errorType: 'ITEM_ERROR',
        errorCode: 'ITEM_LOGIN_REQUIRED',
        status: 400,
        requestId: 'request-1',
        retryAfterSeconds: null,
      },
    })
    expect(times).toBe(1)
  })

  it.each([
    ['17', 17],
    ['0', 0],
    ['soon', null],
    ['-5', null],
    ['12345678', null],
    ['Wed, 21 Oct 2026 07:28:00 GMT', null],
  ])('waits, with Retry-After %j, %j seconds after a 429', async (header, seconds) => {
    server.answer(plaidError(429, 'RATE_LIMIT_EXCEEDED', 'ITEM_GET_LIMIT', { 'retry-after': header }))
    const { result, times } = await ask()
    expect(failureOf(result)).toMatchObject({ class: 'rate_limited', retryAfterSeconds: seconds })
    expect(times).toBe(1)
  })
})

describe('a call of Plaid during a freeze', () => {
  it.each([
    ['frozen', 'FROZEN'],
    ['unknown', 'FREEZE_UNKNOWN'],
  ] as const)('makes no request and is deferred when the gate returns %s', async (state, errorCode) => {
    let made = 0
    const client = createPlaidClient({
      environment: 'sandbox',
      baseUrl: server.url,
      clientId: 'c',
      secret: createSecret('s'),
      fetch: (request) => {
        made += 1
        return fetch(request)
      },
      wait: () => Promise.resolve(),
      random: () => 0,
      ...uncounted,
      freeze: { check: () => Promise.resolve(state) },
    })
    expect(failureOf(await client.call(call))).toMatchObject({ class: 'deferred', errorType: 'FREEZE', errorCode })
    expect(made).toBe(0)
  })
})

describe('the second attempt of a call', () => {
  it('is made once, after a while, of a call that may be repeated', async () => {
    server.answer(json('oops', 500), json('{"amount":1}'))
    const { result, ...made } = await ask({}, { random: 0 })
    expect(result).toEqual({ ok: true, value: { amount: '1' }, requestId: '' })
    expect(made).toEqual({ times: 2, waits: [250] })
  })

  it('is the last one', async () => {
    server.answer(plaidError(500, 'API_ERROR', 'INTERNAL_SERVER_ERROR'))
    const { result, times, waits } = await ask({}, { random: 0.999 })
    expect(failureOf(result)).toMatchObject({ class: 'retry', errorCode: 'INTERNAL_SERVER_ERROR' })
    expect(times).toBe(2)
    expect(waits[0]).toBeLessThan(750)
  })

  it('is not made after a first that took all the time there is', async () => {
    server.answer(() => undefined)
    expect((await ask({}, { timeoutMs: 50 })).times).toBe(1)
  })

  it('is not made of a call that changes something', async () => {
    server.answer((response) => response.destroy())
    const { result, ...made } = await ask({ idempotent: false })
    expect(failureOf(result).errorCode).toBe('NO_ANSWER')
    expect(made).toEqual({ times: 1, waits: [] })
  })

  it('is not made by an endpoint that starts or exchanges something', async () => {
    const plaid = createPlaid(clientFor())
    server.answer((response) => response.destroy())
    await plaid.exchangePublicToken(createSecret(publicToken))
    expect(server.asked).toHaveLength(1)
  })

  it.each([
    ['INSTITUTION_ERROR', 'INSTITUTION_DOWN', 400],
    ['RATE_LIMIT_EXCEEDED', 'ITEM_GET_LIMIT', 429],
    ['TRANSACTIONS_ERROR', 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION', 400],
  ])('is not made at once after %s %s', async (type, code, status) => {
    server.answer(plaidError(status, type, code))
    expect((await ask()).times).toBe(1)
  })
})

describe('a response that does not match its schema', () => {
  it('is an internal error that names the place and no value', async () => {
    server.answer(json('{"amount": {"canary-key": "canary-value"}, "request_id": "r7"}'))
    const { result, times } = await ask()
    expect(failureOf(result)).toEqual({
      class: 'ours',
      errorType: 'CONTRACT',
      errorCode: 'UNEXPECTED_ANSWER /some/get amount invalid_type',
      status: 200,
      requestId: 'r7',
      retryAfterSeconds: null,
    })
    expect(times).toBe(1)
  })

  it('names three places at most', async () => {
    server.answer(json('{}'))
    const answer = z.object({ a: z.string(), b: z.string(), c: z.string(), d: z.string() })
    const { errorCode } = failureOf(await clientFor().call({ ...call, answer }))
    expect(errorCode).toBe('UNEXPECTED_ANSWER /some/get a invalid_type, b invalid_type, c invalid_type')
  })
})

describe('no secret is in what a call gives back', () => {
  const echo = (status: number) =>
    json(
      JSON.stringify({
        error_type: `ITEM_ERROR ${accessToken}`,
        error_code: `CODE ${accessToken} ${apiSecret}`,
        error_message: `the token ${accessToken} is wrong`,
        display_message: accessToken,
        request_id: 'request-1',
      }),
      status,
    )
  const printed = (value: unknown): string =>
    `${JSON.stringify(value)} ${inspect(value, { depth: 9 })} ${String(value)}`

  it.each([
    ['an error that quotes it', echo(400)],
    ['an error with another status', echo(500)],
    ['a page that quotes it', json(`<html>${accessToken} ${apiSecret}</html>`, 502)],
    [
      'an answer that quotes it where a number should be',
      json(JSON.stringify({ amount: { [accessToken]: apiSecret } })),
    ],
    ['a cut connection', (response: { destroy(): unknown }) => void response.destroy()],
  ])('is redacted after %s', async (_what, answer) => {
    server.answer(answer)
    const text = printed((await ask()).result)
    for (const secret of [accessToken, apiSecret]) expect(text).not.toContain(secret)
  })

  it('is redacted when Plaid returns a new one', async () => {
    server.answer(json(JSON.stringify({ access_token: accessToken, item_id: 'item-1', request_id: 'r' })))
    const result = await createPlaid(clientFor()).exchangePublicToken(createSecret(publicToken))
    expect(printed(result)).not.toContain(accessToken)
    expect(result.ok ? result.value.access_token.reveal() : null).toBe(accessToken)
  })

  it('nor in what is thrown when a request cannot even be made', async () => {
    const client = createPlaidClient({
      environment: 'sandbox',
      baseUrl: 'http://127.0.0.1:1\0',
      clientId: 'c',
      secret: createSecret(apiSecret),
      fetch: (request) => fetch(request),
      wait: () => Promise.resolve(),
      random: () => 0,
      ...uncounted,
    })
    const thrown = await client.call(call).catch((error: unknown) => error)
    expect(printed(thrown)).not.toContain(accessToken)
    expect(printed(thrown)).not.toContain(apiSecret)
  })
})

describe('an access token', () => {
  const asking = async (token: string) => {
    server.answer(json('{"amount":1}'))
    const before = server.asked.length
    const result = await clientFor().call({ ...call, accessToken: createSecret(token) })
    return { result, asked: server.asked.length - before }
  }

  it.each(['access-production-1', 'access-development-1'])(
    'is not sent when it belongs to another environment: %s',
    async (token) => {
      const { result, asked } = await asking(token)
      expect(asked).toBe(0)
      expect(failureOf(result)).toMatchObject({ class: 'ours', errorCode: 'ACCESS_TOKEN_OF_ANOTHER_ENVIRONMENT' })
    },
  )

  it.each(['access-sandbox-1', 'access-of-a-form-to-come', 'another-production-1'])('is sent: %s', async (token) => {
    const { result, asked } = await asking(token)
    expect(asked).toBe(1)
    expect(result.ok).toBe(true)
  })
})
