// How messages of the queue are counted: by kind and outcome, and by their wait where they were sent to be handled at once.
import { expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import type { SyncMessage } from '../../../src/messages/message.ts'
import { type Delivery, deliver } from '../../../src/queue/delivery.ts'
import { parseConfig } from '../../../src/config/config.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import type { Metrics } from '../../../src/monitoring/metrics/collector.ts'
import { createServices } from '../../../src/services.ts'
import { developmentVariables } from '../http/serve-app.ts'
import { objectsInMemory } from '../ratelimit/objects-in-memory.ts'

const services = createServices(parseConfig(developmentVariables), {
  SYNC_QUEUE: { sendBatch: () => Promise.resolve() },
  RATE_LIMITER: objectsInMemory(),
})
const id = '00000000-0000-4000-8000-000000000000'

interface Sent {
  readonly attempts?: number
  readonly isDead?: boolean
}

/** Delivers a message that was sent seven seconds ago. Returns what was counted. */
async function countedFor(
  body: SyncMessage | null,
  handle: (delivery: Delivery) => void,
  { attempts = 1, isDead = false }: Sent = {},
): Promise<unknown[]> {
  const counted: unknown[] = []
  const message = {
    id: 'm',
    timestamp: new Date(Date.now() - 7000),
    body,
    attempts,
    ack: () => undefined,
    retry: () => undefined,
  }
  const metrics: Metrics = {
    ...services.metrics,
    count: (name, ...given) => void counted.push([name, ...Object.values(given[0] ?? {})]),
    observe: (name, milliseconds, ...given) =>
      void counted.push([name, ...Object.values(given[0] ?? {}), Math.round(milliseconds / 1000)]),
  }
  const ctx: Ctx = {
    services: { ...services, metrics },
    actor: { kind: 'queue', name: 'sync' },
    requestId: id,
    now: () => new Date(),
    log: createLogger({}, { sink: () => undefined }),
  }
  await deliver(ctx, { message, body, queue: 'wealthnavigator-sync', isDead }, (_, delivery) =>
    Promise.resolve(handle(delivery)),
  )
  return counted
}

const acknowledge = (delivery: Delivery): void => delivery.ack()
const retry = (delivery: Delivery): void => delivery.retry({ delaySeconds: 30 })

it.each([
  ['an erasure', { erasure_id: id }, acknowledge, [['wn_messages_total', 'erasure', 'acknowledged']]],
  [
    'a rotation',
    { rotate_item_id: id, token_digest: '0'.repeat(64) },
    retry,
    [['wn_messages_total', 'rotation', 'retried']],
  ],
  ['a malformed one', null, retry, [['wn_messages_total', 'malformed', 'retried']]],
] as const)('a message is counted by its kind and outcome: %s', async (_, body, handle, expected) => {
  expect(await countedFor(body, handle)).toEqual(expected)
})

it('a delivery measures the wait of a message at its first delivery, unless it was sent to be late', async () => {
  const sync = { item_product_id: id, reason: 'webhook' } as const
  const waits = async (body: SyncMessage, attempts?: number) =>
    (await countedFor(body, acknowledge, attempts === undefined ? {} : { attempts })).slice(1)
  expect(await waits(sync)).toEqual([['wn_queue_wait_seconds', 'sync', 7]])
  expect(await waits({ link_session_id: id })).toEqual([['wn_queue_wait_seconds', 'link_session', 7]])
  expect(await waits({ ...sync, reason: 'sweep' })).toEqual([])
  expect(await waits({ erasure_id: id })).toEqual([])
  expect(await waits(sync, 2)).toEqual([])
})

it('a dead letter is counted as such and as nothing else', async () => {
  const sync = { item_product_id: id, reason: 'webhook' } as const
  expect(await countedFor(sync, acknowledge, { isDead: true })).toEqual([['wn_dead_letters_total']])
})
