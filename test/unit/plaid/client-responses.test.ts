// What the client returns for responses that it cannot read, and for servers that do not respond.
import { describe, expect, it } from 'vitest'
import { type Answering, failureOf, json, startAnswering } from './answering.ts'
import { call, testClient, useServer } from './test-client.ts'

let server: Answering
useServer((started) => {
  server = started
})
const { ask, clientFor } = testClient(() => server.url)

describe('a response that is not JSON', () => {
  it.each([
    ['a page of a proxy', 502, '<html>Bad gateway</html>', 'retry'],
    ['a page with status 200', 200, '<html>Welcome</html>', 'retry'],
    ['half of an answer', 200, '{"amount": 1', 'retry'],
    ['an empty answer', 200, '', 'retry'],
    ['a page with status 302', 302, '<html>Elsewhere</html>', 'retry'],
    ['a page with status 403', 403, '<html>Blocked</html>', 'retry'],
    ['a page with status 404', 404, '<html>Not found</html>', 'retry'],
    ['a page with status 408', 408, '<html>Too slow</html>', 'retry'],
    ['a page with status 413', 413, '<html>Too large</html>', 'retry'],
    ['a page with status 451', 451, '<html>Forbidden</html>', 'retry'],
    ['JSON that is no error', 500, '{"oops":true}', 'retry'],
    ['JSON that is no object', 400, '"no"', 'retry'],
    ['a limit without a body', 429, '', 'rate_limited'],
  ])('%s is unreadable', async (_what, status, body, expected) => {
    server.answer(json(body, status))
    expect(failureOf((await ask({ idempotent: false })).result)).toEqual({
      class: expected,
      errorType: 'NETWORK',
      errorCode: 'UNREADABLE_ANSWER',
      status,
      requestId: null,
      retryAfterSeconds: null,
    })
  })

  it('is a redirection, and is not followed', async () => {
    server.answer(json('', 307, { location: `${server.url}/elsewhere` }))
    const { result, times } = await ask({ idempotent: false })
    expect(result.ok).toBe(false)
    expect(times).toBe(1)
    expect(server.asked.map(({ path }) => path)).toEqual(['/some/get'])
  })

  it('is one larger than 32 MiB, of which the rest is not read', async () => {
    let sent = 0
    const closed = new Promise<void>((resolve) => {
      server.answer((response) => {
        const filler = 'x'.repeat(1024 * 1024)
        const more = (): void => {
          for (sent += 1; response.write(filler); sent += 1);
        }
        response.writeHead(200, { 'content-type': 'application/json' })
        response.on('drain', more).on('close', resolve)
        more()
      })
    })
    const { result } = await ask({ idempotent: false })
    expect(failureOf(result)).toMatchObject({ class: 'retry', errorCode: 'UNREADABLE_ANSWER', status: 200 })
    await closed
    expect(sent).toBeLessThan(64)
  })

  it('is not one of 31 MiB, which is read', async () => {
    server.answer(json(`{"amount":1,"filler":"${'ü'.repeat(15.5 * 1024 * 1024)}"}`))
    expect((await ask()).result).toMatchObject({ ok: true, value: { amount: '1' } })
  })

  it('is one that comes too late', async () => {
    server.answer(() => undefined)
    const { result, times } = await ask({ idempotent: false }, { timeoutMs: 500 })
    expect(failureOf(result)).toMatchObject({ class: 'retry', errorCode: 'TIMEOUT', status: 0 })
    expect(times).toBe(1)
  })

  it('is one whose body never ends', async () => {
    server.answer((response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"amount":')
    })
    const { result } = await ask({ idempotent: false }, { timeoutMs: 50 })
    expect(failureOf(result)).toMatchObject({ class: 'retry', errorCode: 'TIMEOUT' })
  })

  it('is one that a runtime never gives up waiting for', async () => {
    const client = clientFor({ timeoutMs: 50 }, () => new Promise(() => undefined))
    expect(failureOf(await client.call(call))).toMatchObject({ class: 'retry', errorCode: 'TIMEOUT' })
  })

  it('is a connection that is cut', async () => {
    server.answer((response) => response.destroy())
    expect(failureOf((await ask({ idempotent: false })).result)).toMatchObject({
      class: 'retry',
      errorCode: 'NO_ANSWER',
      status: 0,
    })
  })

  it('is a server that is not there', async () => {
    const closed = await startAnswering()
    await closed.stop()
    const client = testClient(() => closed.url).clientFor()
    expect(failureOf(await client.call(call))).toMatchObject({ class: 'retry', errorCode: 'NO_ANSWER' })
  })
})
