// The queue consumers inside workerd: messages do not affect one another, no error is thrown, and each dead letter is
// stored once.
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseConfig } from '../../../src/config/config.ts'
import type { Ctx } from '../../../src/context.ts'
import { createSecret } from '../../../src/crypto/secret.ts'
import { findOwnItem } from '../../../src/db/items/items.ts'
import { beginExchange, storeExchangedToken } from '../../../src/db/link/exchanges.ts'
import { storeNewItem } from '../../../src/db/link/linked-item.ts'
import { registerUser } from '../../../src/db/core/scope.ts'
import { listSyncRuns } from '../../../src/db/sync/runs.ts'
import { sealAccessToken } from '../../../src/custody/access-token.ts'
import { queueRemoval } from '../../../src/items/queue-removal.ts'
import { consumerFor } from '../../../src/queue/route.ts'
import { type Bindings, createServices } from '../../../src/services.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { anyAudit } from '../../support/audit.ts'
import { expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

const syncQueue = 'wealthnavigator-sync'
const deadQueue = 'wealthnavigator-sync-dead'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})

interface Consumed {
  readonly acked: readonly string[]
  /** The seconds until a message is delivered again, by message. */
  readonly retried: Readonly<Record<string, number | undefined>>
}

/** Delivers the bodies as one batch, with ids m0, m1, …; an error of the consumer fails the test. */
async function deliver(
  queue: string,
  bodies: readonly unknown[],
  { attempts = 1, ctx = world.job() }: { attempts?: number; ctx?: Ctx } = {},
): Promise<Consumed> {
  const batch = createMessageBatch(
    queue,
    bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts, body })),
  )
  const retries = batch.messages.map((message) => ({ id: message.id, spy: vi.spyOn(message, 'retry') }))
  await consumerFor(queue)(ctx, batch)
  const result = await getQueueResult(batch, createExecutionContext())
  expect(result).toMatchObject({ ackAll: false, retryBatch: { retry: false } })
  expect(result.explicitAcks.length + result.retryMessages.length).toBe(bodies.length)
  const retried = retries.filter(({ spy }) => spy.mock.calls.length > 0)
  return {
    acked: result.explicitAcks,
    retried: Object.fromEntries(retried.map(({ id, spy }) => [id, spy.mock.calls[0]?.[0]?.delaySeconds])),
  }
}

async function productOf(itemId: string, product = 'transactions'): Promise<string> {
  const [row] = await world.sql('select id from item_products where item_id = $1 and product = $2', [itemId, product])
  return String(row?.['id'])
}

async function dirty(itemProductId: string): Promise<void> {
  await world.sql('update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where id = $1', [
    itemProductId,
  ])
}

const syncMessage = (id: string) => ({ item_product_id: id, reason: 'user' })

/** An item with changes at the bank that are not synced yet. */
async function withNews(subject: string) {
  const item = await linkAndSync(world, subject)
  const id = await productOf(item.id)
  await world.bank.change(item.plaidItemId, { add: 2, silent: true })
  await dirty(id)
  return { id, item, expectDone: () => expectTruth(world, subject, item.plaidItemId) }
}

describe('a message', () => {
  it('brings its product up to date and is done with', async () => {
    const { id, expectDone } = await withNews('message')
    expect(await deliver(syncQueue, [syncMessage(id)])).toEqual({ acked: ['m0'], retried: {} })
    await expectDone()
  })

  it('finds nothing to do when it is delivered twice', async () => {
    const { id } = await withNews('twice')
    await deliver(syncQueue, [syncMessage(id), syncMessage(id)])
    const calls = (await world.bank.calls()).length
    expect(await deliver(syncQueue, [syncMessage(id)], { attempts: 2 })).toEqual({ acked: ['m0'], retried: {} })
    expect(await world.bank.calls()).toHaveLength(calls)
  })

  it('is acknowledged when its product no longer exists', async () => {
    expect(await deliver(syncQueue, [syncMessage(crypto.randomUUID())])).toEqual({ acked: ['m0'], retried: {} })
  })

  it('is tried again and logged when it is malformed, because a newer version may know it', async () => {
    const uuid = crypto.randomUUID()
    const bodies = [
      null,
      'canary',
      [],
      {},
      { item_product_id: 'canary', reason: 'user' },
      { item_product_id: uuid, reason: 'canary' },
      { kind_of_a_newer_version: 'canary' },
    ]
    const { acked, retried } = await deliver(syncQueue, bodies)
    expect(acked).toEqual([])
    expect(Object.values(retried)).toEqual(bodies.map(() => 120))
    const logged = world.lines.filter((line) => line.includes('message_malformed'))
    expect(logged).toHaveLength(bodies.length)
    expect(logged[1]).toContain('"m1"')
    expect(world.lines.join('\n')).not.toContain('canary')
  })

  it('is processed when it has a member of a newer version', async () => {
    const { id, expectDone } = await withNews('newer')
    expect(await deliver(syncQueue, [{ ...syncMessage(id), of_a_newer_version: 'x' }])).toMatchObject({ acked: ['m0'] })
    await expectDone()
  })

  it('fails without effect on other messages', async () => {
    const [first, second] = [await withNews('fails'), await withNews('succeeds')]
    // The first message cannot acquire its lease.
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'set lease_owner', times: 1 })
    const { acked, retried } = await deliver(syncQueue, [syncMessage(first.id), 'no message', syncMessage(second.id)])
    expect(acked).toEqual(['m2'])
    expect(Object.keys(retried)).toEqual(['m0', 'm1'])
    await second.expectDone()
    await deliver(syncQueue, [syncMessage(first.id)], { attempts: 2 })
    await first.expectDone()
  })
})

describe('a message whose work must wait', () => {
  it.each([
    ['INTERNAL_SERVER_ERROR', [1, 60]],
    ['TRANSACTIONS_SYNC_LIMIT', [1, 120]],
    ['PRODUCT_NOT_READY', [1, 60]],
  ] as const)('comes again when the row is due: %s', async (error, [least, most]) => {
    const { id } = await withNews(`waits ${error}`)
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error })
    const { retried } = await deliver(syncQueue, [syncMessage(id)])
    const [row] = await world.sql(
      'select extract(epoch from next_attempt_at - now()) as due from item_products where id = $1',
      [id],
    )
    expect(retried['m0']).toBeGreaterThanOrEqual(least)
    expect(retried['m0']).toBeLessThanOrEqual(most)
    expect(Math.abs(Number(row?.['due']) - (retried['m0'] ?? 0))).toBeLessThan(2)
  })

  it.each(['INSTITUTION_DOWN', 'ITEM_LOGIN_REQUIRED', 'INVALID_API_KEYS', 'PRODUCTS_NOT_SUPPORTED'])(
    'is left to the sweep when it takes long or needs the user: %s',
    async (error) => {
      const { id } = await withNews(`left ${error}`)
      await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error })
      expect(await deliver(syncQueue, [syncMessage(id)])).toEqual({ acked: ['m0'], retried: {} })
    },
  )

  it('is one of a single chain of retries, however often its user asks again', async () => {
    const { id, item, expectDone } = await withNews('chain')
    await world.bank.fault({ endpoint: '/transactions/sync', times: 100, error: 'INTERNAL_SERVER_ERROR' })
    const callsDuring = async (act: () => Promise<unknown>) => {
      const before = (await world.bank.calls()).length
      await act()
      return (await world.bank.calls()).length - before
    }
    const retryNow = () => world.sql('update item_products set next_attempt_at = now() where id = $1', [id])
    for (let press = 0; press < 3; press += 1) {
      await requestSync(world.user('chain'), item.id)
      expect(Object.keys((await deliver(syncQueue, [syncMessage(id)])).retried)).toEqual(['m0'])
    }
    // Three messages are delivered again. The first two arrive before the product is due.
    expect(await callsDuring(() => deliver(syncQueue, [syncMessage(id), syncMessage(id)], { attempts: 2 }))).toBe(0)
    await retryNow()
    expect(Object.keys((await deliver(syncQueue, [syncMessage(id)], { attempts: 2 })).retried)).toEqual(['m0'])
    expect(await deliver(syncQueue, [syncMessage(id)], { attempts: 2 })).toEqual({ acked: ['m0'], retried: {} })
    await world.bank.clearFaults()
    await retryNow()
    await deliver(syncQueue, [syncMessage(id)], { attempts: 3 })
    await expectDone()
  })

  it('leaves the mark of a message on its way when it comes again too early', async () => {
    const { id } = await withNews('early')
    await world.sql("update item_products set next_attempt_at = now() + interval '5 minutes' where id = $1", [id])
    const claimedUntil = async () => (await world.sql('select woken_until from item_products where id = $1', [id]))[0]
    await world.sql("update item_products set woken_until = now() + interval '5 minutes' where id = $1", [id])
    const before = await claimedUntil()
    await deliver(syncQueue, [syncMessage(id)], { attempts: 2 })
    expect(await claimedUntil()).toEqual(before)
  })

  it('is acknowledged when another run has the lease, and is retried only if it was retried before', async () => {
    const { id } = await withNews('busy')
    await world.sql(
      "update item_products set lease_owner = gen_random_uuid(), lease_expires_at = now() + interval '1 minute' where id = $1",
      [id],
    )
    expect(await deliver(syncQueue, [syncMessage(id)])).toEqual({ acked: ['m0'], retried: {} })
    const { retried } = await deliver(syncQueue, [syncMessage(id)], { attempts: 2 })
    expect(retried['m0']).toBe(60)
  })
})

describe('an internal failure', () => {
  const delayOf = async (attempts: number, ctx: Ctx): Promise<number> =>
    (await deliver(syncQueue, [syncMessage(crypto.randomUUID())], { attempts, ctx })).retried['m0'] ?? 0
  const between = (least: number, most: number) => (seconds: number) => seconds >= least && seconds <= most

  it('never leaves the consumer: the database that is down is tried again soon, then later and later', async () => {
    await world.stack.addFault(world.database.name, { kind: 'fail-before', times: 100 })
    expect(await delayOf(1, world.job())).toSatisfy(between(5, 10))
    expect(await delayOf(4, world.job())).toSatisfy(between(40, 80))
    expect(await delayOf(50, world.job())).toSatisfy(between(450, 900))
    expect(world.lines.filter((line) => line.includes('message_failed'))).toHaveLength(3)
  })

  it('never leaves the consumer: an unexpected error is retried later', async () => {
    const newId = (): never => {
      throw new TypeError('nobody foresaw this')
    }
    const ctx = world.job({ ...world.services, newId })
    expect(await delayOf(1, ctx)).toSatisfy(between(30, 60))
    expect(await delayOf(50, ctx)).toSatisfy(between(450, 900))
  })
})

describe('a dead letter', () => {
  const letters = () => world.sql('select queue, message_id, item_product_id, reason, payload from dead_letters')
  afterEach(() => world.sql('delete from dead_letters'))

  it('is written down once, however often it comes, with ids alone', async () => {
    const id = crypto.randomUUID()
    const letter = { item_product_id: id, reason: 'webhook' }
    expect(await deliver(deadQueue, [letter])).toEqual({ acked: ['m0'], retried: {} })
    expect(await deliver(deadQueue, [letter], { attempts: 2 })).toEqual({ acked: ['m0'], retried: {} })
    const [row, ...others] = await letters()
    expect(others).toEqual([])
    expect(row).toMatchObject({
      queue: deadQueue,
      message_id: 'm0',
      item_product_id: id,
      reason: 'retries_exhausted',
    })
    expect(JSON.parse(String(row?.['payload']))).toEqual(letter)
    expect(world.lines.filter((line) => line.includes('"dead_letter"'))).not.toHaveLength(0)
  })

  it('is stored without its content when it is malformed', async () => {
    await deliver(deadQueue, [{ access_token: 'canary' }, 'canary', null])
    const rows = await letters()
    expect(rows.map((row) => [row['reason'], row['payload'], row['item_product_id']])).toEqual(
      Array.from({ length: 3 }, () => ['malformed', '{}', null]),
    )
    expect(world.lines.join('\n')).not.toContain('canary')
  })

  it('waits for the database when it is down, each by itself', async () => {
    const bodies = [syncMessage(crypto.randomUUID()), syncMessage(crypto.randomUUID())]
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'dead_letters', times: 1 })
    expect(await deliver(deadQueue, bodies)).toEqual({ acked: ['m1'], retried: { m0: 60 } })
    expect(await letters()).toHaveLength(1)
    await deliver(deadQueue, bodies, { attempts: 2 })
    expect(await letters()).toHaveLength(2)
  })
})

const isBindings = (given: object): given is Bindings => 'SYNC_QUEUE' in given

describe('the real queue', () => {
  it('carries a wake-up call to the deployed consumer', async () => {
    const bindings: object = env
    if (!isBindings(bindings)) throw new Error('there is no queue')
    const services = createServices(parseConfig(bindings), bindings)
    const identity = { issuer: 'wealthnavigator-edge', subject: 'round trip' }
    const userId = await registerUser(services.api, identity)
    const itemId = crypto.randomUUID()
    const sealFor = (table: 'link_exchanges' | 'items') =>
      sealAccessToken(services.keyring, createSecret('access-token'), { userId, itemId }, table)
    const exchange = {
      id: itemId,
      userId,
      plaidItemId: `item-${itemId}`,
      sealedToken: await sealFor('link_exchanges'),
      allowDuplicate: true,
      plaidUserId: null,
    }
    await beginExchange(
      services.api,
      identity,
      {
        id: itemId,
        publicTokenDigest: itemId,
        linkTokenDigest: null,
        allowDuplicate: true,
      },
      services.config.linking,
    )
    await storeExchangedToken(services.api, identity, exchange, await anyAudit(world))
    const stored = await storeNewItem(
      services.jobs,
      exchange,
      {
        institutionId: null,
        institutionName: null,
        consentExpiresAt: null,
        look: { transactionsUpdatedAt: null, investmentsUpdatedAt: null, capabilities: '{}' },
        products: ['transactions'],
        accounts: [],
        isWhole: true,
        sealedToken: await sealFor('items'),
      },
      { version: '', renamed: [], moved: [], duplicates: [] },
      services.config.linking,
      [],
    )
    const [id = ''] = stored.kind === 'stored' ? stored.itemProductIds : []
    await services.enqueue([id], 'link')
    // No server listens in Plaid's place: a recorded run shows that the message arrived.
    await vi.waitFor(
      async () => {
        const { rows } = await listSyncRuns(services.api, identity, itemId, 10, null)
        expect(rows[0]).toMatchObject({ product: 'transactions', trigger: 'link', outcome: 'failed' })
        expect(rows[0]?.errorCode).toBe('NO_ANSWER')
      },
      { timeout: 10_000, interval: 100 },
    )
    // Later deliveries of the message find no work.
    const item = await findOwnItem(services.api, identity, itemId)
    if (item !== null) await queueRemoval(world.job(), item, { keepDays: 0 }, await anyAudit(world))
  })
})
