// Assertions about queues: the size of a send, and when a message is delivered again.
import { setTimeout as delay } from 'node:timers/promises'
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import type { ProbeTarget } from './target.ts'

const limits = 'https://developers.cloudflare.com/queues/platform/limits'
const retries = 'https://developers.cloudflare.com/queues/configuration/batching-retries'
/** `max_retries` of the probe's queue is 2. */
const expectedDeliveries = ['attempt 1 of a batch of 1', 'attempt 2 of a batch of 1', 'attempt 3 of a batch of 1']
const quietMs = 2_000

const send = (target: ProbeTarget, count: number, bytes: number): Promise<unknown> =>
  target.ask('/send', { count: String(count), bytes: String(bytes) })

async function deliveries(target: ProbeTarget, act: string, count: number): Promise<string[]> {
  const name = target.newName()
  await target.ask('/queue', { name, act })
  await target.notes(name, count, { ms: 60_000 })
  await delay(quietMs)
  return (await target.notes(name, count)).map(({ what }) => what)
}

export const queueAssertions: readonly Assertion<ProbeTarget>[] = [
  {
    name: 'cloudflare/send-batch',
    promise: 'sendBatch takes 100 messages of 2 KB in one call.',
    source: limits,
    certainty: 'sure',
    async check(target) {
      expectEqual('outcome', await send(target, 100, 2_000), 'done')
    },
  },
  {
    name: 'cloudflare/send-batch-count',
    promise: 'sendBatch refuses 101 messages.',
    source: limits,
    certainty: 'sure',
    async check(target) {
      const seen = await send(target, 101, 10)
      expectThat('an error', seen !== 'done', seen)
    },
  },
  {
    name: 'cloudflare/send-batch-size',
    promise: 'sendBatch refuses messages of more than 256 KB together, and one of more than 128 KB.',
    source: limits,
    certainty: 'sure',
    async check(target) {
      const seen = [await send(target, 4, 100_000), await send(target, 1, 140_000)]
      expectThat('two errors', !seen.includes('done'), seen)
    },
  },
  {
    name: 'cloudflare/queue-acknowledged-once',
    promise: 'An acknowledged message does not come again.',
    source: retries,
    certainty: 'sure',
    async check(target) {
      expectEqual('deliveries', await deliveries(target, 'ack', 1), expectedDeliveries.slice(0, 1))
    },
  },
  {
    name: 'cloudflare/queue-retry',
    promise: 'A message that asks for a retry comes again, counted, until max_retries is spent; one message a batch.',
    source: retries,
    certainty: 'sure',
    async check(target) {
      expectEqual('deliveries', await deliveries(target, 'retry', 3), expectedDeliveries)
    },
  },
  {
    name: 'cloudflare/queue-throw',
    promise: 'A consumer that throws gets its message again, as with a retry.',
    source: retries,
    certainty: 'sure',
    async check(target) {
      expectEqual('deliveries', await deliveries(target, 'throw', 3), expectedDeliveries)
    },
  },
  {
    name: 'cloudflare/queue-delay',
    promise: 'retry({ delaySeconds: 2 }) waits at least that long.',
    source: retries,
    certainty: 'sure',
    async check(target) {
      const name = target.newName()
      await target.ask('/queue', { name, act: 'retry', delay: '2' })
      const [first, second] = await target.notes(name, 2, { ms: 60_000 })
      if (first === undefined || second === undefined) throw new Error('the message did not come twice')
      expectThat('two seconds between', second.at - first.at >= 1_900, second.at - first.at)
    },
  },
]
