// Every message writes one event with its outcome, its cause and its calls. A failure is reported, without a message
// that its user does not allow.
import { createMessageBatch } from 'cloudflare:test'
import { afterEach, describe, expect, it } from 'vitest'
import type { Ctx, Services } from '../../../src/context.ts'
import { observeOperations } from '../../../src/monitoring/operation.ts'
import type { ReportSubject, ReportTags } from '../../../src/monitoring/sentry.ts'
import { changeConsents } from '../../../src/privacy/consents.ts'
import { defaultDecisions } from '../../../src/privacy/purposes.ts'
import { consumerFor } from '../../../src/queue/route.ts'
import { linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})

const cause = '0f0f0f0f-1111-4222-8333-444444444444'
const sentry = { dsn: 'http://key@127.0.0.1:9/1', tracesSampleRate: 1 }

interface Report {
  readonly what: string
  readonly tags: ReportTags
  readonly subject: ReportSubject
}

/** Consumes one message. Returns the reports that it caused. */
async function consume(body: unknown, queue = 'wealthnavigator-sync', attempts = 1): Promise<Report[]> {
  const reports: Report[] = []
  const waiting: Promise<unknown>[] = []
  const reporter: Services['reporter'] = (_, subject = {}) => ({
    captureError: (error, tags = {}) => {
      const what = error instanceof Error && 'reason' in error ? String(error.reason) : String(error)
      reports.push({ what, tags, subject })
    },
    captureMessage: (what, tags = {}) => reports.push({ what, tags, subject }),
    isPaused: () => false,
    captureOperation: ({ name, ok, operations = [] }) =>
      reports.push({ what: `${name} ${ok} ${operations.length > 0}`, tags: {}, subject }),
    captureCheckIn: () => undefined,
  })
  const services: Services = { ...world.services, reporter, config: { ...world.services.config, sentry } }
  const ctx: Ctx = { ...world.job(services), reports: { waitUntil: (promise) => waiting.push(promise) } }
  const batch = createMessageBatch(queue, [{ id: 'm0', timestamp: new Date(Date.now() - 5000), attempts, body }])
  await consumerFor(queue)(ctx, batch)
  await Promise.all(waiting)
  return reports
}

const events = (name: string) =>
  world.lines.map((line): Record<string, unknown> => JSON.parse(line)).filter(({ event }) => event === name)

/** A product with changes at the bank that are not synced yet. */
async function dirtyProduct(subject: string): Promise<string> {
  const item = await linkAndSync(world, subject)
  await world.bank.change(item.plaidItemId, { add: 2, silent: true })
  const [row] = await world.sql(
    `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now()
      where item_id = $1 and product = 'transactions' returning id`,
    [item.id],
  )
  world.lines.length = 0
  return String(row?.['id'])
}

describe('a message', () => {
  it('writes one event, with its cause, its calls and Plaid’s id of the request', async () => {
    const id = await dirtyProduct('event')
    const reports = await consume({ item_product_id: id, reason: 'webhook', cause_id: cause })
    expect(events('queue_message')).toEqual([
      expect.objectContaining({
        level: 'info',
        message_id: 'm0',
        cause_id: cause,
        queue: 'wealthnavigator-sync',
        job: 'sync',
        trigger: 'webhook',
        item_product_id: id,
        outcome: 'acknowledged',
        attempt: 1,
        ok: true,
        duration_ms: expect.any(Number),
        queued_ms: expect.any(Number),
        database_calls: expect.any(Number),
        database_ms: expect.any(Number),
        plaid_calls: expect.any(Number),
        plaid_ms: expect.any(Number),
        crypto_calls: expect.any(Number),
        plaid_request_id: expect.stringMatching(/^\w+$/),
      }),
    ])
    expect(events('queue_message')[0]?.['queued_ms']).toBeGreaterThanOrEqual(5000)
    // Every line of the message leads to its cause.
    expect(events('sync')).toMatchObject([{ cause_id: cause }])
    expect(reports).toMatchObject([
      { what: 'message sync true true', subject: { causeId: cause, user: expect.any(String) } },
    ])
  })

  it('has no cause if an older version sent it, and is readable', async () => {
    const id = await dirtyProduct('older')
    await consume({ item_product_id: id, reason: 'user' })
    expect(events('queue_message')).toMatchObject([{ outcome: 'acknowledged', ok: true }])
    expect(events('queue_message')[0]).not.toHaveProperty('cause_id')
  })

  it('carries the id of what sent it, also through a message that sends another', async () => {
    const id = await dirtyProduct('carries')
    await observeOperations([], () => world.services.enqueue([id], 'webhook'), cause)
    expect(world.queue.splice(0)).toEqual([{ item_product_id: id, reason: 'webhook', cause_id: cause }])
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'TRANSACTIONS_SYNC_LIMIT' })
    await consume({ item_product_id: id, reason: 'webhook', cause_id: cause })
    for (const message of world.queue.splice(0)) expect(message).toMatchObject({ cause_id: cause })
  })
})

describe('a message that fails', () => {
  it('is reported if it is tried again, with the user’s pseudonym and no id of the user', async () => {
    const id = await dirtyProduct('fails')
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const reports = await consume({ item_product_id: id, reason: 'webhook', cause_id: cause })
    const user = await world.services.pseudonyms.user({ issuer: 'wealthnavigator-edge', subject: 'fails' })
    expect(events('queue_message')).toMatchObject([
      { outcome: 'retried', ok: false, plaid_error_code: 'INTERNAL_SERVER_ERROR', delay_seconds: expect.any(Number) },
    ])
    expect(reports).toMatchObject([
      { what: 'sync API_ERROR INTERNAL_SERVER_ERROR', tags: { job: 'sync' }, subject: { causeId: cause, user } },
      { what: 'message sync false true' },
    ])
    expect(JSON.stringify(reports)).not.toContain('"fails"')
  })

  it('is reported without a person while the person’s decision cannot be read', async () => {
    const id = await dirtyProduct('database')
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'set lease_owner', times: 1 })
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'not_allowed', times: 1 })
    const reports = await consume({ item_product_id: id, reason: 'webhook', cause_id: cause })
    expect(reports.map(({ what, subject }) => [what, subject])).toEqual([
      ['no answer from the database', {}],
      ['message sync false true', {}],
    ])
  })

  it('is reported when it becomes a dead letter', async () => {
    const dead = 'wealthnavigator-sync-dead'
    const id = await dirtyProduct('dead')
    const reports = await consume({ item_product_id: id, reason: 'webhook', cause_id: cause }, dead)
    expect(reports.map(({ what }) => what)).toEqual(['dead_letter retries_exhausted', 'message sync false true'])
    expect((await consume('canary', dead)).map(({ what }) => what)).toEqual([
      'dead_letter malformed',
      'message malformed false true',
    ])
  })

  it('is not reported if its user must repair the item', async () => {
    const id = await dirtyProduct('login')
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'ITEM_LOGIN_REQUIRED' })
    const reports = await consume({ item_product_id: id, reason: 'webhook' })
    expect(reports.map(({ what }) => what)).toEqual(['message sync true true'])
  })

  it('is not reported if its person does not allow diagnostics', async () => {
    const id = await dirtyProduct('silent')
    await changeConsents(world.user('silent'), 0, { ...defaultDecisions, diagnostics: false })
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    expect(await consume({ item_product_id: id, reason: 'webhook' })).toEqual([])
    expect(events('queue_message')).toMatchObject([{ outcome: 'retried', ok: false }])
  })
})
