// How messages of the queue are counted: by kind and outcome, and by their wait where they were sent to be handled at once.
import { expect, it } from 'vitest'
import { measureMessages } from '../../../src/queue/measure-messages.ts'

const now = Date.parse('2031-03-04T05:06:07.890Z')

/** A batch of messages that were sent seven seconds ago, and what happened to it. */
function batchOf(bodies: readonly unknown[], { queue = 'wealthnavigator-sync', attempts = 1 } = {}) {
  const handled: unknown[] = []
  const counted: unknown[] = []
  const batch: MessageBatch = {
    queue,
    messages: bodies.map((body, index) => ({
      id: String(index),
      timestamp: new Date(now - 7000),
      body,
      attempts,
      ack: () => handled.push(`ack ${index}`),
      retry: (options) => handled.push(`retry ${index} ${options?.delaySeconds}`),
    })),
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
    ackAll: () => undefined,
    retryAll: () => undefined,
  }
  const metrics = {
    count: (name: string, labels: object = {}, value = 1) => void counted.push([name, ...Object.values(labels), value]),
    observe: (name: string, milliseconds: number, labels: object = {}) =>
      void counted.push([name, ...Object.values(labels), milliseconds]),
  }
  return { handled, counted, measured: measureMessages(batch, metrics, now) }
}

it('a message is counted by its kind when it is acknowledged or retried', () => {
  const { handled, counted, measured } = batchOf([{ erasure_id: 'x' }, { rotate_item_id: 'x' }, 'junk', null])
  expect(counted).toEqual([])
  measured.messages[0]?.ack()
  measured.messages[1]?.retry({ delaySeconds: 30 })
  measured.messages[2]?.ack()
  measured.messages[3]?.ack()
  expect(handled).toEqual(['ack 0', 'retry 1 30', 'ack 2', 'ack 3'])
  expect(counted).toEqual([
    ['wn_messages_total', 'erasure', 'acknowledged', 1],
    ['wn_messages_total', 'rotation', 'retried', 1],
    ['wn_messages_total', 'unknown', 'acknowledged', 1],
    ['wn_messages_total', 'unknown', 'acknowledged', 1],
  ])
})

it('the wait of a message is measured at its first delivery, unless it was sent to be late', () => {
  const bodies = [
    { item_product_id: 'x', reason: 'webhook' },
    { item_product_id: 'x', reason: 'sweep' },
    { link_session_id: 'x' },
    { rewrap: 'items' },
  ]
  expect(batchOf(bodies).counted).toEqual([
    ['wn_queue_wait_seconds', 'sync', 7000],
    ['wn_queue_wait_seconds', 'link_session', 7000],
  ])
  expect(batchOf(bodies, { attempts: 2 }).counted).toEqual([])
})

it('a dead letter is counted as such and as nothing else', () => {
  const { handled, counted, measured } = batchOf([{}, {}], { queue: 'wealthnavigator-production-sync-dead' })
  for (const message of measured.messages) message.ack()
  expect(handled).toEqual(['ack 0', 'ack 1'])
  expect(counted).toEqual([['wn_dead_letters_total', 2]])
})
