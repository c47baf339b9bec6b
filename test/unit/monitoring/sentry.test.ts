import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { AppError } from '../../../src/errors.ts'
import type { Operation } from '../../../src/monitoring/operation.ts'
import { isTraced } from '../../../src/monitoring/sentry-event.ts'
import {
  createReporter,
  type Reporter,
  type ReporterOptions,
  type ReportSubject,
} from '../../../src/monitoring/sentry.ts'
import { password, quotingCauses, secrets } from './secrets.ts'

/** The bodies that the ingest endpoint received. */
const received: string[] = []
const server = createServer((request, response) => {
  let text = `${request.url}\n${JSON.stringify(request.headers)}\n`
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (text += chunk))
  request.on('end', () => {
    received.push(text)
    response.writeHead(200).end('{}')
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
})

const monitor = { name: 'sweep', cron: '2-57/5 * * * *', longestMinutes: 15 }

/** Sends reports and waits until everything that they passed to `waitUntil` is done. */
async function report(
  use: (reporter: Reporter) => void,
  options: Partial<ReporterOptions> = {},
  subject: ReportSubject = {},
): Promise<string> {
  const work: Promise<unknown>[] = []
  const reporter = createReporter({ dsn, environment: 'test', ...options })
  use(reporter({ waitUntil: (promise) => work.push(promise) }, subject))
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
    const sent = await report(
      (reporter) => {
        reporter.captureError(error, { item_id: secret, [secret]: 1 })
        reporter.captureMessage(`message ${secret}`, { x: secret })
        reporter.captureOperation({
          name: `GET ${secret}`,
          op: 'http.server',
          startedAtMs: 1,
          endedAtMs: 2,
          ok: false,
          operations: [{ kind: 'plaid', name: secret, startedAtMs: 1, durationMs: 1, ok: false, code: secret }],
        })
      },
      { tracesSampleRate: 1 },
    )
    expect(received.length).toBe(3)
    expect(sent).not.toContain(secret)
  })

  test.each(Object.entries(secrets))('let no secret out of what was thrown: %s', async (_kind, secret) => {
    for (const thrown of [{ secret, nested: { secret } }, secret, Object.assign(new Error(secret), { name: secret })])
      expect(await report((reporter) => reporter.captureError(thrown))).not.toContain(secret)
    expect(received.length).toBe(3)
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
    for (const cause of quotingCauses())
      for (const error of [cause, new AppError('internal', 'outer', { cause })])
        await report((reporter) => reporter.captureError(error))
    expect(received.length).toBe(4)
    expect(received.join()).not.toContain('Jane')
  })

  test('carry the release, the request, its trace and the pseudonym of the user', async () => {
    const [requestId, causeId] = ['11111111-2222-4333-8444-555555555555', 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee']
    await report(
      (reporter) => reporter.captureError(new Error('x')),
      { release: 'v7' },
      { requestId, causeId, user: 'p' },
    )
    expect(payload()).toMatchObject({
      release: 'v7',
      user: { id: 'p' },
      tags: { request_id: requestId, cause_id: causeId },
      contexts: { trace: { trace_id: 'aaaaaaaabbbb4ccc8dddeeeeeeeeeeee' } },
    })
    expect(Object.keys(z.object({ user: z.record(z.string(), z.unknown()) }).parse(payload()).user)).toEqual(['id'])
  })

  test('carry no request, breadcrumb or extra, and no user who is not named', async () => {
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

  test.each([null, ''])('are not sent without a DSN (%j)', async (none) => {
    const all = (reporter: Reporter): void => {
      reporter.captureError(new Error('x'))
      reporter.captureMessage('x')
      reporter.captureCheckIn(monitor, 'ok', 1500)
    }
    expect(await report(all, { dsn: none })).toBe('')
  })
})

describe('traces and check-ins', () => {
  const operation = { name: 'GET /items', op: 'http.server', startedAtMs: 1000, endedAtMs: 1250, ok: true }
  /** A request whose trace is in samples of more than `share`. */
  const drawn = (share: number): ReportSubject => ({
    requestId: `${Math.floor(share * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')}-2222-4333-8444-555555555555`,
  })

  test('a request is sent as a transaction with a span for each operation', async () => {
    const operations: Operation[] = [
      { kind: 'database', name: 'select items', startedAtMs: 1010, durationMs: 20, ok: true },
      { kind: 'plaid', name: '/item/get', startedAtMs: 1040, durationMs: 100, ok: false, code: 'ITEM_LOGIN_REQUIRED' },
      { kind: 'crypto', name: 'open access_token', startedAtMs: 1035, durationMs: 0, ok: true },
    ]
    const sampled = { tracesSampleRate: 0.1 }
    await report((reporter) => reporter.captureOperation({ ...operation, operations }), sampled, drawn(0.09))
    const sent = payload()
    expect(sent).toMatchObject({
      type: 'transaction',
      transaction: 'GET /items',
      start_timestamp: 1,
      timestamp: 1.25,
      contexts: { trace: { op: 'http.server', status: 'ok' } },
      spans: [
        { op: 'db.query', description: 'select items', start_timestamp: 1.01, timestamp: 1.03, status: 'ok' },
        {
          op: 'http.client',
          description: '/item/get',
          status: 'internal_error',
          data: { code: 'ITEM_LOGIN_REQUIRED' },
        },
        { op: 'crypto', description: 'open access_token', status: 'ok' },
      ],
    })
    const { contexts, spans } = z
      .object({
        contexts: z.object({ trace: z.object({ trace_id: z.string(), span_id: z.string() }) }),
        spans: z.array(z.object({ trace_id: z.string(), parent_span_id: z.string(), span_id: z.string() })),
      })
      .parse(sent)
    expect(spans.every((span) => span.parent_span_id === contexts.trace.span_id)).toBe(true)
    expect(new Set(spans.map((span) => span.trace_id))).toEqual(new Set([contexts.trace.trace_id]))
    expect(new Set(spans.map((span) => span.span_id)).size).toBe(3)
  })

  test('a request outside of the sample is not sent', async () => {
    const sampled = { tracesSampleRate: 0.1 }
    expect(await report((reporter) => reporter.captureOperation(operation), sampled, drawn(0.11))).toBe('')
  })

  test('a message is sent if the request that caused it is', async () => {
    const { requestId: causeId = '' } = drawn(0.09)
    const subject = { ...drawn(0.5), causeId }
    await report((reporter) => reporter.captureOperation(operation), { tracesSampleRate: 0.1 }, subject)
    expect(payload()).toMatchObject({ contexts: { trace: { trace_id: causeId.replaceAll('-', '') } } })
  })

  test('the sample has the size that is configured', () => {
    const ids = Array.from({ length: 20_000 }, () => crypto.randomUUID())
    expect(ids.filter((id) => isTraced(id, 0.1)).length / ids.length).toBeCloseTo(0.1, 1)
    expect(ids.some((id) => isTraced(id, 0))).toBe(false)
    expect(ids.every((id) => isTraced(id, 1))).toBe(true)
  })

  test('a cron checks in, and describes its monitor', async () => {
    await report((reporter) => reporter.captureCheckIn(monitor, 'error', 1500))
    expect(payload()).toMatchObject({
      monitor_slug: 'sweep',
      status: 'error',
      duration: 1.5,
      monitor_config: { schedule: { type: 'crontab', value: '2-57/5 * * * *' }, max_runtime: 15, timezone: 'Etc/UTC' },
    })
  })
})
