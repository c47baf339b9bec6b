// One wake-up message a product: whoever wakes it again while the message is on its way, or the product is being read, only
// raises its mark.
import type { JobsDatabase } from '../db/core/client.ts'
import { claimMessages, type Pace, releaseMessages, type DueMessage } from '../db/sync/wake-ups.ts'
import type { Logger } from '../monitoring/logger.ts'
import type { SyncTrigger } from './message.ts'
import type { Producer } from './producer.ts'

export type Enqueue = (
  itemProductIds: readonly string[],
  reason: SyncTrigger,
  delaySeconds?: number,
) => Promise<readonly string[]>

/** Of each user: all products of two items at once, then five products a second. The rest is room for other users. */
const pace: Pace = { burst: 14, perSecond: 5 }

interface Over {
  readonly jobs: JobsDatabase
  readonly send: Producer['send']
  readonly log: Pick<Logger, 'error'>
}

/** Never rejects. Returns the ids that the queue did not take: their rows stay dirty and due. */
export function coalesced({ jobs, send, log }: Over): Enqueue {
  const claim = async (ids: readonly string[], delaySeconds: number): Promise<readonly DueMessage[]> => {
    try {
      return await claimMessages(jobs, ids, delaySeconds, pace)
    } catch (error) {
      // A needless message does no harm; a missing one is late.
      log.error('wake_ups_not_claimed', { count: ids.length, error })
      return ids.map((id) => ({ id, delaySeconds }))
    }
  }
  const release = async (ids: readonly string[]): Promise<void> => {
    try {
      await releaseMessages(jobs, ids)
    } catch (error) {
      log.error('wake_ups_not_released', { count: ids.length, error })
    }
  }
  return async (ids, reason, delaySeconds = 0) => {
    if (ids.length === 0) return []
    // The sweep claims its rows by itself, and its messages may come minutes later: they hold up nobody's click.
    if (reason === 'sweep')
      return await send(
        ids.map((id) => ({ id, delaySeconds })),
        reason,
      )
    // A new link's rows were claimed when they were stored.
    const messages = reason === 'link' ? ids.map((id) => ({ id, delaySeconds })) : await claim(ids, delaySeconds)
    const refused = await send(messages, reason)
    if (refused.length > 0) await release(refused)
    return refused
  }
}
