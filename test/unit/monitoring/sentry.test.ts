import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { AppError } from '../../../src/errors.ts'
import { createReporter, type Reporter, type ReporterOptions } from '../../../src/monitoring/sentry.ts'
import { password, quotingCauses, secrets } from './secrets.ts'

/** The bodies that the ingest endpoint received. */
const received: string[] = []
let status = 200
const server = createServer((request, response) => {
  let text = `${request.url}\n${JSON.stringify(request.headers)}\n`
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (text += chunk))
  request.on('end', () => {
    received.push(text)
    response.writeHead(status).end('{}')
  })
})
const addressSchema = z.object({ port: z.number() })
let dsn = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address: AddressInfo | string | null = server.address()
  dsn = `http://publickey@127.0.0.1:${addressSchema.parse(address).port}/42`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  received.length = 0
  status = 200
})

/** Sends reports and waits until everything that they passed to `waitUntil` is done. */
async function report(
  use: (reporter: Reporter) => void,
  options: Partial<ReporterOptions> = {},
  random = () => 0,
): Promise<string> {
  const work: Promise<unknown>[] = []
  const reporter = createReporter({ dsn, environment: 'test', ...options })
  use(reporter({ waitUntil: (promise) => work.push(promise) }, random))
  while (work.length > 0) await Promise.all(work.splice(0))
  return received.join('\n')
}

/** The payload of the only envelope. */
function payload(): Record<string, unknown> {
  const [line = ''] = received[0]?.split('\n').slice(-1) ?? []
  return z.record(z.string(), z.unknown()).parse(JSON.parse(line))
}

describe('error reports', () => {
  test('carry the error, its causes, its code and reason, and the tags', async () => {
    const cause = new Error('inner')
    await report((reporter) =>
      reporter.captureError(new AppError('internal', 'outer', { cause, reason: 'why' }), { route: 'GET /items' }),
    )
    expect(payload()).toMatchObject({
      environment: 'test',
      tags: { code: 'internal', reason: 'why', route: 'GET /items' },
      exception: { values: [{ value: 'inner' }, { type: 'AppError', value: 'outer' }] },
    })
  })

  test.each(Object.entries(secrets))('let no secret out by any path: %s', async (_kind, secret) => {
    const cause = Object.assign(new Error(`cause ${secret}`), { config: { headers: { 'PLAID-SECRET': secret } } })
    const error = new AppError('internal', `detail ${secret}`, { reason: secret, cause, extensions: { secret } })
    error.stack = `AppError: ${secret}\n    at ${secret} (https://host/x?access_token=${secret}:1:1)`
    const sent = await report((reporter) => {
      reporter.captureError(error, { item_id: secret, [secret]: 1 })
      reporter.captureError({ secret, nested: { secret } })
      reporter.captureError(secret)
      reporter.captureError(Object.assign(new Error(secret), { name: secret }))
      reporter.captureMessage(`message ${secret}`, { x: secret })
    })
    expect(received.length).toBe(5)
    expect(sent).not.toContain(secret)
  })

  test('let no password of a connection string out', async () => {
    const error = new Error(`connect postgres://wn_api:${password}@host/db`)
    expect(await report((reporter) => reporter.captureError(error))).not.toContain(password)
  })

  test('say of a thrown object only that it was one', async () => {
    await report((reporter) => reporter.captureError({ holder: 'Jane Doe' }))
    expect(payload()).toMatchObject({ exception: { values: [{ value: 'a value of type object was thrown' }] } })
    expect(received.join()).not.toMatch(/holder|Jane/)
  })

  test('carry nothing of what a parser quotes', async () => {
    const sent = await report((reporter) => {
      for (const cause of quotingCauses()) {
        reporter.captureError(cause)
        reporter.captureError(new AppError('internal', 'outer', { cause }))
      }
    })
    expect(received.length).toBe(4)
    expect(sent).not.toContain('Jane')
  })

  test('carry no request, user, breadcrumb or extra', async () => {
    await report((reporter) => reporter.captureError(new Error('x')))
    expect(Object.keys(payload()).filter((name) => ['request', 'user', 'breadcrumbs', 'extra'].includes(name))).toEqual(
      [],
    )
  })

  test('do not carry the tags of another request', async () => {
    await report((reporter) => reporter.captureError(new Error('x'), { user_id: 'u1' }))
    await report((reporter) => reporter.captureError(new Error('y')))
    expect(received[1]).not.toContain('u1')
  })

  test.each([500, 429])('never throw when the endpoint returns %i', async (answer) => {
    status = answer
    await expect(report((reporter) => reporter.captureError(new Error('x')))).resolves.toContain('x')
  })

  test('never throw when the endpoint is down, but log it', async () => {
    const failures: unknown[] = []
    const gone = { dsn: 'http://publickey@127.0.0.1:1/42', onFailure: (error: unknown) => failures.push(error) }
    await expect(report((reporter) => reporter.captureError(new Error('x')), gone)).resolves.toBe('')
    expect(failures).toEqual([expect.any(TypeError)])
  })

  test.each([null, ''])('are not sent without a DSN (%j)', async (none) => {
    const all = (reporter: Reporter): void => {
      reporter.captureError(new Error('x'))
      reporter.captureMessage('x')
      reporter.captureCheckIn('sweep', 'ok')
    }
    expect(await report(all, { dsn: none })).toBe('')
  })
})

describe('traces and check-ins', () => {
  const operation = { name: 'GET /items', op: 'http.server', startedAtMs: 1000, endedAtMs: 1250, ok: true }

  test('an operation is sent as a transaction', async () => {
    await report(
      (reporter) => reporter.captureOperation(operation),
      { tracesSampleRate: 0.1 },
      () => 0.09,
    )
    expect(payload()).toMatchObject({
      type: 'transaction',
      transaction: 'GET /items',
      start_timestamp: 1,
      timestamp: 1.25,
      contexts: { trace: { op: 'http.server', status: 'ok' } },
    })
  })

  test('an operation outside the sample is not', async () => {
    const sent = report(
      (reporter) => reporter.captureOperation(operation),
      { tracesSampleRate: 0.1 },
      () => 0.1,
    )
    expect(await sent).toBe('')
  })

  test('a cron checks in', async () => {
    await report((reporter) => reporter.captureCheckIn('sweep', 'error'))
    expect(payload()).toMatchObject({ monitor_slug: 'sweep', status: 'error' })
  })
})

describe('a flood of failures', () => {
  /** Sends reports within a minute, and returns the received ones. */
  async function sendIn(
    clock: { ms: number },
    reporterOf: ReturnType<typeof createReporter>,
    errors: readonly unknown[],
  ) {
    const work: Promise<unknown>[] = []
    received.length = 0
    for (const error of errors) reporterOf({ waitUntil: (promise) => work.push(promise) }).captureError(error)
    while (work.length > 0) await Promise.all(work.splice(0))
    clock.ms += 60_000
    return received.length
  }
  const failure = (reason: string) => new AppError('unavailable', 'not now', { reason })
  const many = <Value>(count: number, make: (index: number) => Value) =>
    Array.from({ length: count }, (_, at) => make(at))

  test('sends ten reports of one kind per minute, leaves room for others, and reports how many it withheld', async () => {
    const clock = { ms: 0 }
    const reporterOf = createReporter({ dsn, environment: 'test', now: () => clock.ms })
    const errors = [...many(500, () => failure('the rate limiter failed')), failure('no answer from the database')]
    expect(await sendIn(clock, reporterOf, errors)).toBe(11)
    expect(received.at(-1)).toContain('no answer from the database')
    expect(received.at(-1)).toContain('"withheld":490')
    expect(
      await sendIn(
        clock,
        reporterOf,
        many(3, () => failure('the rate limiter failed')),
      ),
    ).toBe(3)
    expect(received.join()).not.toContain('withheld')
  })

  test('sends sixty reports of many kinds per minute', async () => {
    const clock = { ms: 0 }
    const reporterOf = createReporter({ dsn, environment: 'test', now: () => clock.ms })
    expect(
      await sendIn(
        clock,
        reporterOf,
        many(500, (index) => failure(`reason ${index}`)),
      ),
    ).toBe(60)
    expect(await sendIn(clock, reporterOf, [failure('another minute')])).toBe(1)
    expect(received[0]).toContain('"withheld":440')
  })

  test('counts unknown errors as one kind, with any message', async () => {
    const clock = { ms: 0 }
    const reporterOf = createReporter({ dsn, environment: 'test', now: () => clock.ms })
    expect(
      await sendIn(
        clock,
        reporterOf,
        many(500, (index) => new TypeError(`no ${index}`)),
      ),
    ).toBe(10)
  })
})
