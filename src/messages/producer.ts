// Sends messages to the queues. Retries batches that the queue rejects, and returns the ids of messages that it did not
// accept. Never rejects: the sweep finds rows whose message was not sent.
import type { DueMessage } from '../db/sync/message-claims.ts'
import type { Logger } from '../monitoring/logger.ts'
import { currentCauseId } from '../monitoring/operation.ts'
import type { RewrapMessage, SyncMessage, SyncTrigger, TokensMessage } from './message.ts'
import { pauseMs } from '../retry.ts'
import { withTimeout } from '../timeout.ts'

type Outgoing = MessageSendRequest<SyncMessage> & { readonly delaySeconds: number }

/** The part of a Queue binding that is used. */
export interface MessageQueue {
  sendBatch(messages: Outgoing[]): Promise<unknown>
}

export interface RequestedRotation {
  readonly itemId: string
  readonly tokenDigest: string
  /** Whether no user waits for it. */
  readonly isBackground?: boolean
}

/** Adds the id of the request or message that caused this one, if there is one. */
function withCause({ body, ...rest }: Outgoing): Outgoing {
  const causeId = currentCauseId()
  return { body: causeId === null ? body : { ...body, cause_id: causeId }, ...rest }
}

const rotationMessage = ({ itemId, tokenDigest, isBackground = false }: RequestedRotation): SyncMessage => ({
  rotate_item_id: itemId,
  token_digest: tokenDigest,
  ...(isBackground ? { background: true } : {}),
})

export interface Producer {
  /** Sends messages for products. Returns the ids that the queue did not accept; their rows stay dirty and due. */
  readonly send: (due: readonly DueMessage[], reason: SyncTrigger) => Promise<readonly string[]>
  /** The same for hosted Link sessions. */
  readonly enqueueLinkSessions: (ids: readonly string[]) => Promise<readonly string[]>
  /** Continues a rotation of the encryption keys. Returns whether the queue accepted the message. */
  readonly enqueueRewrap: (message: RewrapMessage, delaySeconds: number) => Promise<boolean>
  /** Continues an erasure, which the cron would continue later. Returns whether the queue accepted the message. */
  readonly enqueueErasure: (id: string, delaySeconds: number) => Promise<boolean>
  /** Spreads the comparison of users over time. Returns the ids that the queue did not accept. */
  readonly enqueueUserChecks: (userIds: readonly string[], perSecond: number) => Promise<readonly string[]>
  /** Sends a message for each endpoint with events to deliver. Returns the ids that the queue did not accept. */
  readonly enqueueDeliveries: (endpointIds: readonly string[]) => Promise<readonly string[]>
  /** Returns whether the queue accepted the message. The request is stored nowhere else. */
  readonly enqueueRotation: (rotation: RequestedRotation, delaySeconds?: number) => Promise<boolean>
  /** Spreads rotations in the background over time. Returns how many the queue accepted. */
  readonly enqueueRotations: (rotations: readonly RequestedRotation[], perSecond: number) => Promise<number>
  /** Continues a rotation of all access tokens. Returns whether the queue accepted the message. */
  readonly enqueueTokens: (message: TokensMessage, delaySeconds: number) => Promise<boolean>
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
/** Users per message. A consumer needs about ten seconds for them. */
const usersPerMessage = 25
const attempts = 3
/** So all attempts and pauses of a batch end within the 10 s in which Plaid expects the response to a webhook. */
const firstPauseMs = 250
/**
 * An overloaded queue can hang for a minute and accept the next attempt immediately. A batch that is sent twice is
 * harmless.
 */
const sendTimeoutMs = 2500

const chunksOf = (ids: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(ids.length / size) }, (_, index) => ids.slice(index * size, (index + 1) * size))

export function createProducer(options: ProducerOptions): Producer {
  const { queue, wait, random, log, timeoutMs = sendTimeoutMs } = options

  const isAccepted = async (messages: readonly Outgoing[]): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1)
      try {
        await withTimeout(timeoutMs, queue.sendBatch(messages.map(withCause)))
        return true
      } catch (error) {
        if (attempt < attempts) await wait(pauseMs(attempt, firstPauseMs, random()))
        else {
          log.error('queue_refused', { count: messages.length, attempts: attempt, error })
          return false
        }
      }
  }

  const sendAll = async (
    due: readonly DueMessage[],
    message: (id: string) => SyncMessage,
  ): Promise<readonly string[]> => {
    const refused: string[] = []
    for (let start = 0; start < due.length; start += batchSize) {
      const batch = due.slice(start, start + batchSize)
      const messages = batch.map(({ id, delaySeconds }) => ({ body: message(id), delaySeconds }))
      if (!(await isAccepted(messages))) refused.push(...batch.map(({ id }) => id))
    }
    return refused
  }

  return {
    send: (due, reason) => sendAll(due, (id) => ({ item_product_id: id, reason })),
    enqueueLinkSessions: (ids) =>
      sendAll(
        ids.map((id) => ({ id, delaySeconds: 0 })),
        (id) => ({ link_session_id: id }),
      ),
    enqueueDeliveries: (ids) =>
      sendAll(
        ids.map((id) => ({ id, delaySeconds: 0 })),
        (id) => ({ deliver_endpoint_id: id }),
      ),
    enqueueUserChecks: async (userIds, perSecond) => {
      const refused: string[] = []
      for (let start = 0; start < userIds.length; start += batchSize * usersPerMessage) {
        const batch = userIds.slice(start, start + batchSize * usersPerMessage)
        const messages = chunksOf(batch, usersPerMessage).map((ids, index) => ({
          body: { check_user_ids: [...ids] },
          delaySeconds: Math.floor((start + index * usersPerMessage) / perSecond),
        }))
        if (!(await isAccepted(messages))) refused.push(...batch)
      }
      return refused
    },
    enqueueRewrap: (body, delaySeconds) => isAccepted([{ body, delaySeconds }]),
    enqueueErasure: (id, delaySeconds) => isAccepted([{ body: { erasure_id: id }, delaySeconds }]),
    enqueueTokens: (body, delaySeconds) => isAccepted([{ body, delaySeconds }]),
    enqueueRotation: (rotation, delaySeconds = 0) => isAccepted([{ body: rotationMessage(rotation), delaySeconds }]),
    enqueueRotations: async (rotations, perSecond) => {
      const byId = new Map(rotations.map((rotation) => [rotation.itemId, rotation]))
      const due = [...byId.keys()].map((id, index) => ({ id, delaySeconds: Math.floor(index / perSecond) }))
      const refused = await sendAll(due, (id) =>
        rotationMessage({ itemId: id, tokenDigest: byId.get(id)?.tokenDigest ?? '', isBackground: true }),
      )
      return due.length - refused.length
    },
  }
}
