// A Sentry that is down, slow or full: reports stop for a while, and the log says so once.
import { createServer, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createReporter, type Reporter } from '../../../src/monitoring/sentry.ts'

let answer: (response: ServerResponse) => void = () => {}
let received: string[] = []
const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  request.on('end', () => {
    received.push(z.object({ type: z.string() }).parse(JSON.parse(text.split('\n')[1] ?? '')).type)
    answer(response)
  })
})
let dsn = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  dsn = `http://key@127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}/42`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  received = []
})

function isolate(given: string = dsn) {
  const clock = { ms: 0 }
  const failures: unknown[] = []
  const work: Promise<unknown>[] = []
  const factory = createReporter({
    dsn: given,
    environment: 'test',
    tracesSampleRate: 1,
    now: () => clock.ms,
    onFailure: (error) => failures.push(error),
  })
  let kinds = 0
  const send = async (use: (reporter: Reporter) => void): Promise<void> => {
    use(factory({ waitUntil: (promise) => work.push(promise) }))
    while (work.length > 0) await Promise.all(work.splice(0))
  }
  const error = () => send((reporter) => reporter.captureMessage(`message ${(kinds += 1)}`))
  const trace = () =>
    send((reporter) => reporter.captureOperation({ name: 'x', op: 'cron', startedAtMs: 1, endedAtMs: 2, ok: true }))
  const isPaused = () => factory({ waitUntil: () => undefined }).isPaused()
  return { clock, failures, error, trace, isPaused }
}

describe('a Sentry that fails', () => {
  test.each([
    [500, {}, 30_000],
    [503, {}, 30_000],
    [429, {}, 60_000],
    [429, { 'retry-after': '7' }, 7_000],
    [429, { 'x-sentry-rate-limits': '120::organization' }, 120_000],
  ])('gets nothing after %i %j for %i ms, and the log gets one line', async (status, headers, pauseMs) => {
    answer = (response) => response.writeHead(status, headers).end()
    const { clock, failures, error, trace, isPaused } = isolate()
    expect(isPaused()).toBe(false)
    await error()
    expect(isPaused()).toBe(true)
    await error()
    await trace()
    expect([received.length, failures.length]).toEqual([1, 1])
    clock.ms = pauseMs - 1
    await error()
    expect(received).toHaveLength(1)
    clock.ms = pauseMs
    expect(isPaused()).toBe(false)
    await error()
    expect([received.length, failures.length]).toEqual([2, 2])
  })

  test('still gets errors if it limits only traces', async () => {
    answer = (response) => response.writeHead(200, { 'x-sentry-rate-limits': '60:transaction:key' }).end()
    const { failures, error, trace } = isolate()
    await trace()
    await trace()
    await error()
    expect(received).toEqual(['transaction', 'event'])
    expect(failures).toHaveLength(1)
  })

  test('makes nothing reject when it is down', async () => {
    const { failures, error } = isolate('http://key@127.0.0.1:1/42')
    await error()
    await error()
    expect(failures).toEqual([expect.any(TypeError)])
  })

  test('is given up after five seconds without a response', { timeout: 15_000 }, async () => {
    answer = () => {}
    const { failures, error } = isolate()
    const startedAt = performance.now()
    await error()
    expect(performance.now() - startedAt).toBeGreaterThan(4500)
    expect(performance.now() - startedAt).toBeLessThan(7000)
    await error()
    expect(received).toHaveLength(1)
    expect(failures).toEqual([expect.objectContaining({ name: 'TimeoutError' })])
  })
})
