// A strict deployment without the rate limiter's Durable Object, or without the queue of events, does not start.
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../../src/config/config.ts'
import { createServices } from '../../../../src/services.ts'
import { developmentVariables, productionVariables } from '../../http/serve-app.ts'
import { objectsInMemory } from '../../ratelimit/objects-in-memory.ts'
import { limiterObjectsInMemory } from '../store-in-memory.ts'

const queue = { sendBatch: () => Promise.resolve() }
const start = (variables: Readonly<Record<string, string>>, given: object = {}) =>
  createServices(parseConfig(variables), {
    SYNC_QUEUE: queue,
    EVENTS_QUEUE: queue,
    RATE_LIMITER: objectsInMemory(),
    ...given,
  })

describe('a Worker without the binding', () => {
  it('a strict deployment does not start, and one in development does', () => {
    expect(() => start(productionVariables)).toThrow(
      expect.objectContaining({ code: 'misconfigured', reason: 'PLAID_QUOTA is not bound' }),
    )
    expect(() => start(productionVariables, { PLAID_QUOTA: {} })).toThrow('not configured')
    expect(() =>
      start(productionVariables, { PLAID_QUOTA: limiterObjectsInMemory(), EVENTS_QUEUE: undefined }),
    ).toThrow(expect.objectContaining({ reason: 'EVENTS_QUEUE is not bound' }))
    expect(start(productionVariables, { PLAID_QUOTA: limiterObjectsInMemory() })).toBeDefined()
    expect(start(developmentVariables)).toBeDefined()
  })
})
