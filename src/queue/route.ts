// Maps queue names to consumers. Throws for an unknown name, so that its messages are retried and not lost.
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { consumeSync } from './consumer.ts'
import { consumeDeadLetters } from './dead-letter.ts'

type Consumer = (ctx: Ctx, batch: MessageBatch) => Promise<void>

/** The consumer of a queue of wrangler.toml: `wealthnavigator[-<environment>]-(sync[-dead]|events)`. */
export function consumerFor(queue: string): Consumer {
  if (/^wealthnavigator(-[a-z]+)?-(sync|events)$/.test(queue)) return consumeSync
  if (/^wealthnavigator(-[a-z]+)?-sync-dead$/.test(queue)) return consumeDeadLetters
  throw new AppError('misconfigured', 'An unknown queue.', { reason: 'queue without a consumer' })
}
