// Sends at most one message per product at a time. While a message is in the queue, or a run reads the product, further
// requests only mark the product dirty.
import type { JobsDatabase } from '../db/core/client.ts'
import { claimMessages, type Pace, releaseMessages, type DueMessage } from '../db/sync/message-claims.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../monitoring/logger.ts'
import type { SyncTrigger } from './message.ts'
import type { Producer } from './producer.ts'

export type Enqueue = (
  itemProductIds: readonly string[],
  reason: SyncTrigger,
  delaySeconds?: number,
) => Promise<readonly string[]>

/**
 * For each user: all products of two items immediately, then five products a second. This leaves room for other users.
 */
const pace: Pace = { burst: 14, perSecond: 5 }

interface Over {
  readonly jobs: JobsDatabase
  readonly send: Producer['send']
  readonly log: Pick<Logger, 'error'>
}

/**
 * Returns a function that never rejects. It returns the ids that the queue did not accept; their rows stay dirty and
 * due.
 */
export function coalesced({ jobs, send, log }: Over): Enqueue {
  const claim = async (ids: readonly string[], delaySeconds: number): Promise<readonly DueMessage[]> => {
    try {
      return await claimMessages(jobs, ids, delaySeconds, pace)
    } catch (error) {
      // The rows stay dirty: the first sweep after the freeze enqueues them.
      if (error instanceof AppError && error.code === 'frozen') return []
      // A superfluous message is harmless; a missing one would delay the sync.
      log.error('messages_not_claimed', { count: ids.length, error })
      return ids.map((id) => ({ id, delaySeconds }))
    }
  }
  const release = async (ids: readonly string[]): Promise<void> => {
    try {
      await releaseMessages(jobs, ids)
    } catch (error) {
      log.error('messages_not_released', { count: ids.length, error })
    }
  }
  return async (ids, reason, delaySeconds = 0) => {
    if (ids.length === 0) return []
    // The sweep claims its rows itself. Its messages can be minutes away and must not delay those of a user's request.
    if (reason === 'sweep')
      return await send(
        ids.map((id) => ({ id, delaySeconds })),
        reason,
      )
    // The transaction that stored a new link has claimed its rows.
    const messages = reason === 'link' ? ids.map((id) => ({ id, delaySeconds })) : await claim(ids, delaySeconds)
    const refused = await send(messages, reason)
    if (refused.length > 0) await release(refused)
    return refused
  }
}
