// Consumes the dead-letter queue: records and logs each message. A product stays dirty, so the sweep enqueues it again.
// A rotation, of an access token or of the encryption keys, must be requested again.
import type { Ctx } from '../context.ts'
import { recordDeadLetter } from '../db/operations/dead-letters.ts'
import { AppError } from '../errors.ts'
import { type SyncMessage, syncMessageSchema } from '../messages/message.ts'
import { type Delivery, deliver } from './delivery.ts'

export async function consumeDeadLetters(ctx: Ctx, batch: MessageBatch): Promise<void> {
  for (const message of batch.messages) {
    const parsed = syncMessageSchema.safeParse(message.body)
    const body = parsed.success ? parsed.data : null
    await deliver(ctx, { message, body, queue: batch.queue, isDead: true }, (given, delivery) =>
      consumeOne(given, delivery, body, batch.queue),
    )
  }
}

async function consumeOne(ctx: Ctx, message: Delivery, body: SyncMessage | null, queue: string): Promise<void> {
  const itemProductId = body !== null && 'item_product_id' in body ? body.item_product_id : null
  const reason = body === null ? 'malformed' : 'retries_exhausted'
  try {
    await recordDeadLetter(ctx.services.jobs, {
      queue,
      messageId: message.id,
      itemProductId,
      reason,
      payload: body ?? {},
    })
    ctx.log.error('dead_letter', { queue, message_id: message.id, item_product_id: itemProductId })
    message.fail(new AppError('internal', 'A message became a dead letter.', { reason: `dead_letter ${reason}` }))
    message.ack()
  } catch (error) {
    ctx.log.error('dead_letter_not_recorded', { queue, message_id: message.id, error })
    message.fail(error)
    message.retry({ delaySeconds: 60 })
  }
}
