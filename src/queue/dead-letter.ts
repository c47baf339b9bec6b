// Consumes the dead-letter queue: records and logs each message. A product stays dirty, so the sweep enqueues it again.
// A rotation, of an access token or of the encryption keys, must be requested again.
import type { Ctx } from '../context.ts'
import { recordDeadLetter } from '../db/operations/dead-letters.ts'
import { syncMessageSchema } from '../messages/message.ts'

export async function consumeDeadLetters(ctx: Ctx, batch: MessageBatch): Promise<void> {
  for (const message of batch.messages) {
    const parsed = syncMessageSchema.safeParse(message.body)
    const itemProductId = parsed.success && 'item_product_id' in parsed.data ? parsed.data.item_product_id : null
    try {
      await recordDeadLetter(ctx.services.jobs, {
        queue: batch.queue,
        messageId: message.id,
        itemProductId,
        reason: parsed.success ? 'retries_exhausted' : 'malformed',
        payload: parsed.success ? parsed.data : {},
      })
      ctx.log.error('dead_letter', { queue: batch.queue, message_id: message.id, item_product_id: itemProductId })
      message.ack()
    } catch (error) {
      ctx.log.error('dead_letter_not_recorded', { queue: batch.queue, message_id: message.id, error })
      message.retry({ delaySeconds: 60 })
    }
  }
}
