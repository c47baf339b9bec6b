// Looking a name up, sending a request, and how long to wait after a failure.
import { describe, expect, it } from 'vitest'
import { createSecret } from '../../../src/crypto/secret.ts'
import { pauseSeconds, retrySeconds } from '../../../src/events/backoff.ts'
import { createResolver } from '../../../src/events/resolve.ts'
import { isSuccess, send } from '../../../src/events/send.ts'
import { isSigned } from '../../support/event-receiver.ts'

type Answers = Readonly<Record<string, readonly string[]>>

/** A resolver of DNS over HTTPS. */
const resolverOf =
  (answers: Answers, status = 0) =>
  (request: Request): Promise<Response> => {
    const { searchParams } = new URL(request.url)
    const data = answers[searchParams.get('type') ?? ''] ?? []
    return Promise.resolve(Response.json({ Status: status, Answer: data.map((each) => ({ data: each })) }))
  }

describe('the lookup of a host name', () => {
  it.each<[string, Answers, number, string]>([
    ['leads to public addresses', { A: ['cname.example.net.', '1.1.1.1'], AAAA: ['2606:4700::1'] }, 0, 'public'],
    ['leads to a private address', { A: ['10.0.0.7'] }, 0, 'not_public'],
    ['leads to a private address among others', { A: ['1.1.1.1', '169.254.169.254'] }, 0, 'not_public'],
    ['leads to a private address of version 6', { A: ['1.1.1.1'], AAAA: ['fd00::1'] }, 0, 'not_public'],
    ['leads to a translated address', { AAAA: ['64:ff9b::a00:1'] }, 0, 'not_public'],
    ['has no address', {}, 0, 'unknown_host'],
    ['does not exist', {}, 3, 'unknown_host'],
  ])('finds out where it leads: it %s', async (_what, answers, status, expected) => {
    expect(await createResolver(resolverOf(answers, status))('app.example.com')).toBe(expected)
  })

  it.each<[string, (request: Request) => Promise<Response>]>([
    ['is unreachable', () => Promise.reject(new TypeError('Network connection lost.'))],
    ['returns an error', () => Promise.resolve(new Response('no', { status: 502 }))],
    ['returns something else', () => Promise.resolve(Response.json({ nothing: true }))],
    ['never ends', () => Promise.resolve(new Response('x'.repeat(100_000)))],
    ['cannot resolve the name', resolverOf({}, 2)],
  ])('does not take it for public while the resolver %s', async (_what, fetch) => {
    await expect(createResolver(fetch)('app.example.com')).rejects.toBeInstanceOf(Error)
  })
})

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const outgoing = {
  url: 'https://app.example.com/events',
  id: 'msg_1',
  body: '{"type":"ping"}',
  secrets: [createSecret(secret)],
  nowMs: 1_767_323_045_678,
}
const now = () => 0

describe('a request', () => {
  it('has the headers of Standard Webhooks, and one signature for each secret', async () => {
    const requests: Request[] = []
    const other = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    await send(
      { ...outgoing, secrets: [secret, other].map(createSecret) },
      {
        now,
        fetch: (request) => {
          requests.push(request)
          return Promise.resolve(new Response(null, { status: 204 }))
        },
      },
    )
    const [request] = requests
    expect(request?.redirect).toBe('manual')
    expect(request?.headers.get('webhook-timestamp')).toBe('1767323045')
    for (const each of [secret, other])
      expect(isSigned(each, request?.headers ?? new Headers(), outgoing.body)).toBe(true)
    expect(isSigned(secret, request?.headers ?? new Headers(), `${outgoing.body} `)).toBe(false)
  })

  it.each([
    [200, true],
    [204, true],
    [301, false],
    [302, false],
    [400, false],
    [410, false],
    [500, false],
  ])('succeeds or fails by its status: %i, %s', async (status, succeeds) => {
    const fetch = () => Promise.resolve(new Response(null, { status, headers: { location: 'https://10.0.0.1/' } }))
    expect(isSuccess(await send(outgoing, { fetch, now }))).toBe(succeeds)
  })

  it('ends at its deadline, also where the receiver ignores it', async () => {
    const result = await send(outgoing, { fetch: () => new Promise(() => undefined), now, timeoutMs: 20 })
    expect(result).toMatchObject({ status: null, error: 'timeout' })
  })

  it('reads nothing of a response that it does not need, and little of one that it does', async () => {
    let given = 0
    let isCancelled = false
    const endless = () =>
      new ReadableStream({
        pull: (controller) => {
          given += 1000
          controller.enqueue(new Uint8Array(1000))
        },
        cancel: () => {
          isCancelled = true
        },
      })
    await send(outgoing, { fetch: () => Promise.resolve(new Response(endless())), now })
    expect([given <= 1000, isCancelled]).toEqual([true, true])
    const read = await send(outgoing, { fetch: () => Promise.resolve(new Response(endless())), now, readsAnswer: true })
    expect(read.answer).toBeNull()
    expect(given).toBeLessThan(20_000)
  })

  it('fails without a response', async () => {
    const fetch = () => Promise.reject(new TypeError('Network connection lost.'))
    expect(await send(outgoing, { fetch, now })).toMatchObject({ status: null, error: 'no_response' })
  })
})

describe('the time until the next attempt', () => {
  it('grows from five seconds to a day, with ten attempts in three days', () => {
    const seconds = Array.from({ length: 12 }, (_, index) => retrySeconds(index + 1, 0.5))
    expect(seconds.slice(0, 4)).toEqual([5, 20, 80, 320])
    expect(seconds.at(-1)).toBe(86_400)
    expect(seconds).toEqual(seconds.toSorted((left, right) => left - right))
    let total = 0
    const inThreeDays = seconds.filter((each) => (total += each) < 3 * 86_400)
    expect(inThreeDays.length).toBeGreaterThanOrEqual(8)
  })

  it('is spread by chance, and never longer than a day', () => {
    expect(new Set([0, 0.3, 0.99].map((random) => retrySeconds(3, random))).size).toBe(3)
    for (const attempt of [1, 10, 1000]) expect(retrySeconds(attempt, 0.999)).toBeLessThanOrEqual(86_400)
    for (const failures of [1, 10, 1000]) expect(pauseSeconds(failures, 0.999)).toBeLessThanOrEqual(3600)
    expect(pauseSeconds(1, 0)).toBeGreaterThanOrEqual(3)
  })
})
