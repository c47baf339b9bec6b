// The producer with queues that refuse messages, hang and recover.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createProducer, type MessageQueue } from '../../../src/messages/producer.ts'
import type { SyncMessage } from '../../../src/messages/message.ts'

const ids = (count: number): string[] => Array.from({ length: count }, () => crypto.randomUUID())
const overloaded = new Error('Queue sendBatch failed: Queue is overloaded. Please back off.')

const now = (all: readonly string[]) => all.map((id) => ({ id, delaySeconds: 0 }))

/** A queue that refuses the calls for which the rule says so, counted from 1, and its producer. */
function refusing(rule: (call: number, messages: readonly SyncMessage[]) => boolean, random = 0.5) {
  const sent: SyncMessage[] = []
  const delays: number[] = []
  const pauses: number[] = []
  const logged: object[] = []
  let calls = 0
  const queue: MessageQueue = {
    sendBatch: (messages) => {
      calls += 1
      const bodies = messages.map(({ body }) => body)
      if (rule(calls, bodies)) return Promise.reject(overloaded)
      delays.push(...messages.map(({ delaySeconds }) => delaySeconds))
      return Promise.resolve(sent.push(...bodies))
    },
  }
  const producer = createProducer({
    queue,
    wait: (ms) => Promise.resolve(void pauses.push(ms)),
    random: () => random,
    log: { error: (event, fields) => void logged.push({ event, ...fields }) },
  })
  return { producer, sent, delays, pauses, logged, calls: () => calls }
}

describe('the producer', () => {
  it('spreads rotations in the background over time, and says how many the queue took', async () => {
    const { producer, sent, delays } = refusing((call) => call > 1)
    const rotations = ids(105).map((itemId) => ({ itemId, tokenDigest: 'ab'.repeat(32) }))
    expect(await producer.enqueueRotations(rotations, 2)).toBe(100)
    expect(sent[0]).toEqual({
      rotate_item_id: rotations[0]?.itemId,
      token_digest: rotations[0]?.tokenDigest,
      background: true,
    })
    expect(delays).toEqual(Array.from({ length: 100 }, (_, index) => Math.floor(index / 2)))
  })

  it('sends a refused batch again after pauses that grow', async () => {
    const { producer, sent, delays, pauses, logged } = refusing((call) => call <= 2)
    const [id = ''] = ids(1)
    expect(await producer.send([{ id, delaySeconds: 7 }], 'user')).toEqual([])
    expect(sent).toEqual([{ item_product_id: id, reason: 'user' }])
    expect(delays).toEqual([7])
    expect(pauses).toEqual([250, 500])
    expect(logged).toEqual([])
  })

  it.each([
    [0, 125],
    [0.999, 374],
  ])('spreads its pauses at random (%d)', async (random, expected) => {
    const { producer, pauses } = refusing((call) => call === 1, random)
    await producer.send(now(ids(1)), 'user')
    expect(Math.floor(pauses[0] ?? 0)).toBe(expected)
  })

  it('returns what a queue has refused three times, logs it, and sends the next batch', async () => {
    const { producer, sent, logged, calls } = refusing((call) => call >= 2 && call <= 4)
    const all = ids(250)
    expect(await producer.send(now(all), 'sweep')).toEqual(all.slice(100, 200))
    expect(sent.map((message) => 'item_product_id' in message && message.item_product_id)).toEqual([
      ...all.slice(0, 100),
      ...all.slice(200),
    ])
    expect(calls()).toBe(5)
    expect(logged).toEqual([{ event: 'queue_refused', count: 100, attempts: 3, error: overloaded }])
  })

  it('sends Link sessions in batches too, and returns the refused ones', async () => {
    const { producer, sent } = refusing((call) => call > 1)
    const all = ids(101)
    expect(await producer.enqueueLinkSessions(all)).toEqual(all.slice(100))
    expect(sent).toEqual(all.slice(0, 100).map((id) => ({ link_session_id: id })))
  })

  it('sends nothing for no ids', async () => {
    const { producer, calls } = refusing(() => true)
    expect(await producer.send([], 'user')).toEqual([])
    expect(calls()).toBe(0)
  })
})

describe('a queue that hangs', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('holds a sender up for less than the ten seconds in which a webhook must be answered', async () => {
    vi.useFakeTimers()
    const hanging = createProducer({
      queue: { sendBatch: () => new Promise(() => undefined) },
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: () => 0.999,
      log: { error: () => undefined },
    })
    const all = ids(3)
    const answer = hanging.send(now(all), 'webhook')
    await vi.advanceTimersByTimeAsync(9000)
    expect(await Promise.race([answer, Promise.resolve('waiting')])).toEqual(all)
  })
})
