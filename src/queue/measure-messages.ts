// Counts how messages of the sync queue end, and how long they waited for their first delivery.
import type { Metrics } from '../monitoring/metrics/collector.ts'

/** Each kind has a member that no other has (src/messages/message.ts). */
const kinds: Readonly<Record<string, string>> = {
  item_product_id: 'sync',
  link_session_id: 'link_session',
  rotate_item_id: 'rotation',
  rotate_tokens_before: 'tokens',
  rewrap: 'rewrap',
  erasure_id: 'erasure',
  check_user_ids: 'users',
}

const membersOf = (body: unknown): object => (typeof body === 'object' && body !== null ? body : {})

function kindOf(body: unknown): string {
  const members = membersOf(body)
  return Object.entries(kinds).find(([member]) => Object.hasOwn(members, member))?.[1] ?? 'unknown'
}

/** Sweeps spread their messages over minutes, and steps of other work wait on purpose. */
function isSentAtOnce(body: unknown, kind: string): boolean {
  return kind === 'link_session' || (kind === 'sync' && Reflect.get(membersOf(body), 'reason') !== 'sweep')
}

function measured(message: Message, metrics: Pick<Metrics, 'count' | 'observe'>, nowMs: number): Message {
  const { id, timestamp, body, attempts } = message
  const kind = kindOf(body)
  if (attempts === 1 && isSentAtOnce(body, kind))
    metrics.observe('wn_queue_wait_seconds', nowMs - timestamp.getTime(), { kind })
  return {
    id,
    timestamp,
    body,
    attempts,
    ack: () => {
      metrics.count('wn_messages_total', { kind, outcome: 'acknowledged' })
      message.ack()
    },
    retry: (options) => {
      metrics.count('wn_messages_total', { kind, outcome: 'retried' })
      message.retry(options)
    },
  }
}

const isDead = (queue: string): boolean => queue.endsWith('-dead')

/** The same batch, whose messages are counted when they are acknowledged or retried. */
export function measureMessages(
  batch: MessageBatch,
  metrics: Pick<Metrics, 'count' | 'observe'>,
  nowMs: number = Date.now(),
): MessageBatch {
  const { queue, metadata } = batch
  if (isDead(queue)) metrics.count('wn_dead_letters_total', {}, batch.messages.length)
  return {
    queue,
    metadata,
    messages: isDead(queue) ? batch.messages : batch.messages.map((message) => measured(message, metrics, nowMs)),
    ackAll: () => batch.ackAll(),
    retryAll: (options) => batch.retryAll(options),
  }
}
