// What the built Worker sends to Sentry over HTTP: errors, traces and check-ins without secrets; and that a Sentry that
// fails costs nothing.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { catchWebhooks, fireWebhook } from '../support/deliveries.ts'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { type Call, type Edge, expectStatus, type Linked, startEdge, webhookPath } from '../support/edge.ts'
import { startRecordingProxy, type RecordingProxy } from '../support/recording-proxy.ts'
import { type Behaviour, type Item, type SentryIngest, startSentryIngest } from '../support/sentry-ingest.ts'

const waitMs = 30_000
let sentry: SentryIngest
let relay: RecordingProxy
let edge: Edge
let item: Linked

beforeAll(async () => {
  sentry = await startSentryIngest()
  relay = await startRecordingProxy(null)
  edge = await startEdge({
    webhookUrl: `${relay.url}${webhookPath}`,
    variables: { SENTRY_DSN: sentry.dsn, SENTRY_TRACES_SAMPLE_RATE: '1' },
  })
  relay.target = edge.url
  item = await edge.linkAndSync('owner')
})
afterAll(async () => {
  await edge.stop()
  await relay.stop()
  await sentry.stop()
})

const traceOf = (id: string): string => id.replaceAll('-', '')
const lineSchema = z.looseObject({ event: z.string() })
const linesOf = (event: string) =>
  edge
    .lines()
    .filter((line) => line.startsWith('{'))
    .map((line) => lineSchema.parse(JSON.parse(line)))
    .filter((line) => line.event === event)

/** The first item that Sentry got and that fits. */
const found = (fits: (item: Item) => boolean): Promise<Item> =>
  vi.waitFor(
    () => {
      const one = sentry.items.find(fits)
      if (one === undefined) throw new Error('Sentry did not get it')
      return one
    },
    { timeout: waitMs, interval: 50 },
  )

const transactionsProduct = async (): Promise<string> => {
  const rows = await edge.sql(`select id from item_products where product = 'transactions' and item_id = $1`, [item.id])
  return String(rows[0]?.['id'])
}

test('the id of a webhook leads through its message to Plaid’s own id, in the log and in one trace', async () => {
  await edge.bank.change(item.plaidItemId, { add: 2, silent: true })
  const [delivery] = await catchWebhooks(relay, 1, () => fireWebhook(edge, item))
  relay.target = edge.url
  const answer = expectStatus(await edge.call('POST', webhookPath, { ...delivery }), 200)
  const requestId = answer.headers.get('x-request-id') ?? ''
  const product = await transactionsProduct()
  const message = await vi.waitFor(
    () => {
      const line = linesOf('queue_message').find(({ cause_id: causeId }) => causeId === requestId)
      if (line === undefined) throw new Error('no message of this webhook')
      return line
    },
    { timeout: waitMs },
  )
  expect(linesOf('http_request').find((line) => line['request_id'] === requestId)).toMatchObject({ status: 200 })
  expect(linesOf('webhook').find((line) => line['request_id'] === requestId)).toMatchObject({
    outcome: 'accepted',
    queued: 1,
    database_calls: expect.any(Number),
  })
  expect(message).toMatchObject({ job: 'sync', trigger: 'webhook', item_product_id: product, outcome: 'acknowledged' })
  // Plaid's id, as Plaid's responses had it.
  const plaidIds = edge.plaid.exchanges.flatMap(({ answer: text }) => /"request_id":"(\w+)"/.exec(text)?.[1] ?? [])
  expect(plaidIds).toContain(message['plaid_request_id'])

  const trace = traceOf(requestId)
  const sent = (name: string) =>
    found(({ transaction, contexts }) => transaction === name && contexts.trace?.trace_id === trace)
  await sent(`POST ${webhookPath}`)
  const { spans, tags } = await sent('message sync')
  expect(tags).toMatchObject({ cause_id: requestId })
  const kinds = new Set(spans.map(({ op }) => op))
  expect(kinds).toEqual(new Set(['db.query', 'http.client', 'crypto']))
  expect(spans.map(({ description }) => description)).toEqual(
    expect.arrayContaining(['/transactions/sync', 'open access_token']),
  )
})

test('a sync that fails is an error with the release, the environment and the pseudonym of the user', async () => {
  await edge.bank.fault({ endpoint: '/transactions/sync', error: 'INTERNAL_SERVER_ERROR', times: 1000 })
  expectStatus(await edge.as('owner')('POST', `/api/v1/plaid/sync/item/${item.id}`), 202)
  const event = await found(({ type, tags }) => type === 'event' && tags['job'] === 'sync')
  await edge.healBank()
  expect(event).toMatchObject({
    environment: 'development',
    tags: { code: 'plaid_unavailable', reason: 'sync API_ERROR INTERNAL_SERVER_ERROR', cause_id: expect.any(String) },
  })
  expect(event.release).toMatch(/^[\w.-]{8,}$/)
  const [line] = linesOf('http_request').filter(({ user }) => user !== undefined)
  expect(event.user).toEqual({ id: line?.['user'] })
})

test('a cron is a check-in and a transaction, and one that fails an error', async () => {
  const product = ({ type, monitor_slug: slug, status }: Item, wanted: string) =>
    type === 'check_in' && slug === 'sweep' && status === wanted
  await edge.sweep()
  const checkIn = await found((one) => product(one, 'ok'))
  expect(checkIn).toMatchObject({
    monitor_config: { schedule: { type: 'crontab', value: cronSchedules.sweep }, timezone: 'Etc/UTC' },
  })
  await found(({ transaction }) => transaction === 'cron sweep')
  expect(linesOf('cron_run').at(-1)).toMatchObject({ job: 'sweep', ok: true, database_calls: expect.any(Number) })
  await edge.stack.addFault(edge.database.name, { kind: 'fail-before', matching: 'item_products', times: 1000 })
  await fireCron(edge.url, cronSchedules.sweep).catch(() => undefined)
  await found((one) => product(one, 'error'))
  await edge.stack.clearFaults(edge.database.name)
  await found(({ type, tags }) => type === 'event' && tags['job'] === 'sweep')
})

test('no canary of headers, query, body, messages and Plaid’s errors is in any envelope', async () => {
  const canary = 'canary-9f2c1e'
  const secret = `access-sandbox-${canary}-0000-4000-8000-000000000000`
  const call = edge.as('owner')
  const before = sentry.items.length
  const headers = { 'x-canary': canary, cookie: `session=${canary}`, 'user-agent': canary, referer: `http://${canary}` }
  await call('GET', `/api/v1/transactions?search=${canary}`, { headers })
  await call('GET', `/api/v1/accounts/${canary}?token=${secret}`, { headers })
  await call('POST', '/api/v1/plaid/item/public_token/exchange', {
    body: { public_token: secret, note: canary },
    headers,
  })
  await call('POST', '/api/v1/plaid/item/public_token/exchange', { body: `{"public_token":"${canary}`, headers })
  await edge.call('GET', '/api/v1/accounts', { headers: { authorization: `Bearer ${canary}.${canary}.${canary}` } })
  await edge.call('POST', webhookPath, { body: { webhook_type: canary, item_id: canary }, headers })
  const quoting = {
    error_type: 'API_ERROR',
    error_code: canary,
    error_message: `the access_token ${secret} ${edge.simulator.secret} was refused`,
    display_message: canary,
    documentation_url: `https://plaid.test/?access_token=${secret}`,
  }
  await edge.bank.fault({ endpoint: '*', error: quoting, status: 500, times: 1000 })
  await call('POST', '/api/v1/plaid/link/token/create', { body: {}, headers })
  await call('POST', `/api/v1/plaid/sync/item/${item.id}`, { headers })
  await found(({ type, tags }) => type === 'event' && String(tags['reason']).includes('UNNAMED'))
  await edge.healBank()
  await vi.waitFor(() => expect(sentry.items.length).toBeGreaterThan(before + 6), { timeout: waitMs })
  const all = sentry.texts.join('\n')
  const { variables } = edge
  const known = ['PLAID_SECRET', 'SECRET_KEY', 'ENCRYPTION_KEY', 'AUDIT_KEY'].map((name) => String(variables[name]))
  const passwords = ['DATABASE_URL', 'DATABASE_JOBS_URL'].map((name) => new URL(String(variables[name])).password)
  const tokens = [edge.accessToken(item.plaidItemId), item.publicToken, edge.token('owner')]
  const hidden = [canary, ...known, ...passwords, ...tokens, '"owner"', item.plaidItemId]
  expect(hidden.filter((text) => all.includes(text))).toEqual([])
  // The test would also pass if nothing had been sent.
  expect(new Set(sentry.items.map(({ type }) => type))).toEqual(new Set(['event', 'transaction', 'check_in']))
})

describe('a Sentry that', () => {
  /** The slowest of some requests whose traces are all sent, in milliseconds, and their statuses. */
  async function serve(call: Call): Promise<{ slowestMs: number; statuses: Set<number> }> {
    const statuses = new Set<number>()
    let slowestMs = 0
    for (let index = 0; index < 25; index += 1) {
      const startedAt = performance.now()
      statuses.add((await call('GET', index % 2 === 0 ? '/health' : '/api/v1/plaid/items')).status)
      if (index > 4) slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    }
    return { slowestMs, statuses }
  }

  test.each<[string, Behaviour | 'down']>([
    ['hangs', 'hang'],
    ['returns 500', 500],
    ['returns 429', 429],
    ['is down', 'down'],
  ])('%s delays no request, fails none, and is one log line', async (_, behaviour) => {
    const dsn = behaviour === 'down' ? 'http://publickey@127.0.0.1:1/42' : sentry.dsn
    if (behaviour !== 'down') sentry.behaviour = behaviour
    try {
      const worker = await edge.startAnother({ SENTRY_DSN: dsn })
      const { slowestMs, statuses } = await serve(edge.callTo(worker.url, edge.token('owner')))
      expect(statuses).toEqual(new Set([200]))
      // A hung request to Sentry would last five seconds.
      expect(slowestMs).toBeLessThan(2500)
      const failures = () => worker.logs().filter((line) => line.includes('"report_not_sent"'))
      await vi.waitFor(() => expect(failures().length).toBeGreaterThan(0), { timeout: 10_000 })
      expect(failures()).toHaveLength(1)
      // A message is handled too: the whole sync ends, with a hanging Sentry.
      await serve(edge.callTo(worker.url, edge.token('owner')))
      expect(worker.logs().filter((line) => line.includes('"level":"error"'))).toEqual([])
    } finally {
      sentry.behaviour = 'ok'
    }
  })
})
