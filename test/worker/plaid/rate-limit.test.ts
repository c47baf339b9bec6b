// The Durable Object of the rate limiter for Plaid, run by the platform: concurrent floods, eviction, crashes, a moved
// clock, and what it stores.
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LimitedCall } from '../../../src/plaid/rate-limit/admission.ts'
import { defaultLimits, limitsWith } from '../../../src/plaid/rate-limit/limits.ts'
import type { PlaidQuota } from '../../../src/plaid/rate-limit/object.ts'
import { createPlaidLimiter } from '../../../src/plaid/rate-limit/limiter.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      PLAID_QUOTA: DurableObjectNamespace<PlaidQuota>
    }
  }
}

const start = Date.parse('2031-03-04T05:06:07.890Z')
let count = 0
let stub: DurableObjectStub<PlaidQuota>

const reopen = (): void => {
  stub = env.PLAID_QUOTA.getByName(`test ${count}`)
}

beforeEach(() => {
  count += 1
  reopen()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Moves the clock of the Worker and of its Durable Objects, and of nothing else. */
function setTime(now: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now })
}

const limit = { name: 'sync', item: 15, client: 200, day: null } as const
const callOf = (itemId: string, given: Partial<LimitedCall> = {}): LimitedCall => ({
  path: '/transactions/sync',
  itemId,
  priority: 'interactive',
  limit,
  ...given,
})

async function admittedOf(times: number, ...calls: LimitedCall[]): Promise<number> {
  const all = await Promise.all(
    Array.from({ length: times }, (_, index) => stub.admit(calls[index % calls.length] ?? callOf('none'))),
  )
  return all.filter(({ admitted }) => admitted).length
}

const many = Array.from({ length: 100 }, (_, item) => callOf(`item ${item}`))

describe('the object', () => {
  it('admits exactly the limit of the client, for any number of concurrent calls', async () => {
    setTime(start)
    expect(await admittedOf(500, ...many)).toBe(200)
    setTime(start + 60_000)
    expect(await admittedOf(1, callOf('late'))).toBe(0)
    setTime(start + 64_000)
    expect(await admittedOf(500, ...many)).toBe(200)
  })

  it.each([
    ['eviction', () => evictDurableObject(stub)],
    ['an end without warning', () => abortAllDurableObjects()],
  ])('counts on after %s: never more in a minute, and never for long less', async (_what, end) => {
    setTime(start)
    let admitted = 0
    for (let round = 0; round < 12; round += 1) {
      setTime(start + round * 4000)
      admitted += await admittedOf(16, ...many.slice(round * 8, round * 8 + 8))
      await end()
      reopen()
    }
    setTime(start + 50_000)
    admitted += await admittedOf(300, ...many)
    expect(admitted).toBeLessThanOrEqual(200)
    expect(admitted).toBeGreaterThan(150)
    setTime(start + 50_000 + 64_000)
    expect(await admittedOf(300, ...many)).toBe(200)
  })

  it.each([1, 4, 5, 6, 10, 14])('counts an item on after eviction at its call %i', async (before) => {
    setTime(start)
    const first = await admittedOf(before, callOf('one'))
    await evictDurableObject(stub)
    setTime(start + 5000)
    const second = await admittedOf(3, callOf('one'))
    await evictDurableObject(stub)
    setTime(start + 55_000)
    expect(first + second + (await admittedOf(30, callOf('one')))).toBeLessThanOrEqual(15)
    setTime(start + 55_000 + 64_000)
    expect(await admittedOf(30, callOf('one'))).toBe(15)
  })

  it('obeys Plaid’s refusal and the day’s budget after eviction', async () => {
    setTime(start)
    await stub.refused({ ...callOf('one'), errorCode: 'TRANSACTIONS_SYNC_LIMIT', retryAfterSeconds: 30 })
    const paid = callOf('one', {
      path: '/accounts/balance/get',
      limit: { ...defaultLimits.balance, name: 'balance', day: 1 },
    })
    expect(await admittedOf(1, paid)).toBe(1)
    await evictDurableObject(stub)
    expect(await stub.admit(callOf('another'))).toEqual({ admitted: false, waitMs: 30_000, by: 'plaid' })
    expect(await stub.admit(paid)).toMatchObject({ by: 'day' })
    setTime(start + 30_000)
    expect(await admittedOf(1, callOf('another'))).toBe(1)
  })

  it('leaves of items nothing behind', async () => {
    setTime(start)
    await admittedOf(200, ...many.slice(0, 10))
    const keys = () => runInDurableObject(stub, (_object, { storage }) => [...storage.kv.list()].map(([key]) => key))
    expect(await keys()).toHaveLength(11)
    setTime(start + 120_000)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await keys()).toEqual(['client sync'])
    expect(await runDurableObjectAlarm(stub)).toBe(false)
  })
})

describe('two isolates', () => {
  it('share one limit', async () => {
    const isolate = () =>
      createPlaidLimiter({
        objects: { getByName: () => stub },
        limits: limitsWith({ sync: { client: 40 } }),
        wait: () => Promise.resolve(),
        random: () => 0,
        onFailure: (error) => {
          throw error
        },
      })
    const turns = await Promise.all(
      [isolate(), isolate()].flatMap((limiter) =>
        Array.from({ length: 60 }, (_, item) =>
          limiter.check('/transactions/sync', { priority: 'background', itemId: `item ${item}`, userId: null }),
        ),
      ),
    )
    expect(turns.filter(({ kind }) => kind === 'admitted')).toHaveLength(32)
  })
})

describe('one user', () => {
  it('takes no more than a part of a limit, and another one still gets their calls', async () => {
    setTime(start)
    const limiter = createPlaidLimiter({
      objects: { getByName: () => stub },
      limits: limitsWith({ liabilities: { client: 100 } }),
      wait: () => Promise.resolve(),
      random: () => 0,
      onFailure: (error) => {
        throw error
      },
    })
    const turnsOf = async (userId: string, calls: number) =>
      await Promise.all(
        Array.from({ length: calls }, (_, item) =>
          limiter.check('/liabilities/get', { priority: 'interactive', itemId: `${userId} ${item}`, userId }),
        ),
      )
    const granted = (turns: Awaited<ReturnType<typeof turnsOf>>) =>
      turns.filter(({ kind }) => kind === 'admitted').length
    const greedy = await turnsOf('greedy', 300)
    expect(granted(greedy)).toBe(50)
    expect(greedy.at(-1)).toEqual({ kind: 'refused', afterSeconds: 63 })
    expect(granted(await turnsOf('another', 10))).toBe(10)
  })
})

describe('the objects of different limits', () => {
  it('count apart, and each exactly', async () => {
    const names = new Set<string>()
    const limiter = createPlaidLimiter({
      objects: {
        getByName: (name, options) => {
          names.add(name)
          return env.PLAID_QUOTA.getByName(`test ${count} ${name}`, options)
        },
      },
      limits: limitsWith({ sync: { client: 40 }, item_get: { client: 20 } }),
      location: 'enam',
      wait: () => Promise.resolve(),
      random: () => 0,
      onFailure: (error) => {
        throw error
      },
    })
    const grantedOf = async (path: string, calls: number): Promise<number> => {
      const turns = await Promise.all(
        Array.from({ length: calls }, (_, item) =>
          limiter.check(path, { priority: 'interactive', itemId: `item ${item}`, userId: null }),
        ),
      )
      return turns.filter(({ kind }) => kind === 'admitted').length
    }
    setTime(start)
    const granted = await Promise.all([grantedOf('/transactions/sync', 60), grantedOf('/item/get', 60)])
    expect(granted).toEqual([40, 20])
    expect(names).toEqual(new Set(['client:sync', 'client:item_get']))
  })
})
