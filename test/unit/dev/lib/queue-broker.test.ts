// The queue of plain workerd: what it returns to a producer, and what it delivers.
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type QueueBroker, startQueueBroker } from '../../../../src/dev/lib/queue-broker.ts'

const done = { outcome: 'ok', ackAll: false, retryBatch: { retry: false }, explicitAcks: [], retryMessages: [] }

describe('the queue broker', () => {
  let broker: QueueBroker | undefined
  afterEach(async () => {
    await broker?.stop()
    broker = undefined
  })

  /** As workerd sends a batch. */
  const send = (to: QueueBroker, bodies: readonly unknown[]): Promise<Response> =>
    fetch(`http://${to.address}/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        messages: bodies.map((body) => ({
          body: Buffer.from(JSON.stringify(body)).toString('base64'),
          contentType: 'json',
        })),
      }),
    })

  it('returns the metrics without which the producer’s send fails and sends again', async () => {
    broker = await startQueueBroker({ deliver: () => Promise.resolve(done), concurrency: 1, maxRetries: 0 })
    const response = await send(broker, [{ n: 1 }])
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ metadata: { metrics: { backlogCount: 1, backlogBytes: 0 } } })
  })

  it('delivers each message once, and a failed one again until it is a dead letter', async () => {
    const seen: unknown[] = []
    broker = await startQueueBroker({
      async deliver({ body, attempts }) {
        seen.push([body, attempts])
        await delay(1)
        return body === 'bad' ? { ...done, retryBatch: { retry: true } } : done
      },
      concurrency: 2,
      maxRetries: 1,
    })
    await send(broker, ['good', 'bad'])
    await broker.idle(AbortSignal.timeout(5000))
    expect(seen).toEqual([
      ['good', 1],
      ['bad', 1],
      ['bad', 2],
    ])
    expect(broker.deadLetters()).toEqual(['bad'])
  })
})
