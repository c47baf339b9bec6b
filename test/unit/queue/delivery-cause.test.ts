// A message that is sent while another one is handled continues its cause.
import { expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { createProducer } from '../../../src/messages/producer.ts'
import type { SyncMessage } from '../../../src/messages/message.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { deliver } from '../../../src/queue/delivery.ts'
import { servicesOf } from '../http/serve-app.ts'

const cause = '0f0f0f0f-1111-4222-8333-444444444444'
const itemId = '1f1f1f1f-1111-4222-8333-444444444444'

/** The bodies that are sent while `body` is handled. */
async function sentWhileHandling(body: SyncMessage | null): Promise<unknown[]> {
  const sent: unknown[] = []
  const log = createLogger({}, { sink: () => undefined })
  const producer = createProducer({
    queue: { sendBatch: async (messages) => void sent.push(...messages.map((message) => message.body)) },
    wait: () => Promise.resolve(),
    random: () => 0,
    log,
  })
  const ctx: Ctx = {
    services: servicesOf(),
    actor: { kind: 'queue', name: 'sync' },
    log,
    requestId: 'run',
    now: () => new Date(),
  }
  const message: Message = {
    id: 'm0',
    timestamp: new Date(),
    body,
    attempts: 1,
    ack: () => undefined,
    retry: () => undefined,
  }
  await deliver(ctx, { message, body, queue: 'wealthnavigator-sync', isDead: false }, async (_ctx, delivery) => {
    await Promise.resolve()
    await producer.enqueueRotation({ itemId, tokenDigest: 'digest' })
    delivery.ack()
  })
  return sent
}

it('a message that is sent from a delivery carries the cause of the delivered one', async () => {
  const message = { rotate_item_id: itemId, token_digest: 'digest' }
  expect(await sentWhileHandling({ ...message, cause_id: cause })).toEqual([{ ...message, cause_id: cause }])
  expect(await sentWhileHandling(message)).toEqual([message])
  expect(await sentWhileHandling(null)).toEqual([message])
})
