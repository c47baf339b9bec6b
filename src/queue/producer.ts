// Sends wake-up messages. A batch that the queue refuses is sent again after a pause; what the queue does not take after
// that is returned. Never rejects: a message only says when to look at a row, and the sweep looks at it anyway.
import type { Logger } from '../monitoring/logger.ts'
import type { SyncMessage, WakeReason } from '../sync/message.ts'
import { within } from '../deadline.ts'

/** The part of a Queue binding that is used. */
export interface MessageQueue {
  sendBatch(messages: MessageSendRequest<SyncMessage>[], options: { delaySeconds: number }): Promise<unknown>
}

export interface Producer {
  /** Wakes products. Returns the ids that the queue did not take: their rows stay dirty and due. */
  readonly wake: (
    itemProductIds: readonly string[],
    reason: WakeReason,
    delaySeconds?: number,
  ) => Promise<readonly string[]>
  /** The same for hosted Link sessions. */
  readonly wakeLinkSessions: (ids: readonly string[]) => Promise<readonly string[]>
  /** Has an access token rotated. Returns whether the queue took the message: nothing else remembers what was asked for. */
  readonly sendRotation: (item: { readonly itemId: string; readonly tokenDigest: string }) => Promise<boolean>
}

export interface ProducerOptions {
  readonly queue: MessageQueue
  readonly wait: (milliseconds: number) => Promise<void>
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly log: Pick<Logger, 'error'>
  readonly timeoutMs?: number
}

/** Cloudflare's limit for one `sendBatch`. */
const batchSize = 100
const tries = 3
/** Doubles with each try. All tries and pauses of a batch end within the 10 s in which Plaid expects a webhook's answer. */
const firstPauseMs = 250
/** An overloaded queue may hang for a minute and take the next try at once. A batch that was taken twice does no harm. */
const sendTimeoutMs = 2500

export function createProducer(options: ProducerOptions): Producer {
  const { queue, wait, random, log, timeoutMs = sendTimeoutMs } = options

  const isTaken = async (messages: readonly SyncMessage[], delaySeconds: number): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1)
      try {
        const batch = messages.map((body) => ({ body }))
        await within(timeoutMs, queue.sendBatch(batch, { delaySeconds }))
        return true
      } catch (error) {
        if (attempt < tries) await wait(firstPauseMs * 2 ** (attempt - 1) * (0.5 + random()))
        else {
          log.error('queue_refused', { count: messages.length, attempts: attempt, error })
          return false
        }
      }
  }

  const send = async (
    ids: readonly string[],
    message: (id: string) => SyncMessage,
    delaySeconds: number,
  ): Promise<readonly string[]> => {
    const refused: string[] = []
    for (let start = 0; start < ids.length; start += batchSize) {
      const batch = ids.slice(start, start + batchSize)
      if (!(await isTaken(batch.map(message), delaySeconds))) refused.push(...batch)
    }
    return refused
  }

  return {
    wake: (ids, reason, delaySeconds = 0) => send(ids, (id) => ({ item_product_id: id, reason }), delaySeconds),
    wakeLinkSessions: (ids) => send(ids, (id) => ({ link_session_id: id }), 0),
    sendRotation: ({ itemId, tokenDigest }) => isTaken([{ rotate_item_id: itemId, token_digest: tokenDigest }], 0),
  }
}
