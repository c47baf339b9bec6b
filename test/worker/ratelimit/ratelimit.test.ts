// The rate limiter's Durable Object, run by the platform: concurrent floods, eviction, a new deployment, a moved clock,
// alarms, and a bound on its storage.
import {
  abortAllDurableObjects,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLimiter } from '../../../src/ratelimit/limiter.ts'
import { maxLogs, type RateLimiter } from '../../../src/ratelimit/object.ts'
import type { Bucket } from '../../../src/ratelimit/window.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      RATE_LIMITER: DurableObjectNamespace<RateLimiter>
    }
  }
}

const minuteMs = 60_000
const start = Date.parse('2031-03-04T05:06:07.890Z')
let count = 0
let stub: DurableObjectStub<RateLimiter>

beforeEach(() => {
  count += 1
  stub = env.RATE_LIMITER.getByName(`test ${count}`)
})
afterEach(() => {
  vi.useRealTimers()
})

/** Moves the clock of the Worker and of its Durable Objects, and of nothing else. */
function setTime(now: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now })
}

const bucket = (name: string, quota: number, windowMs = minuteMs, place = '192.0.2.1'): Bucket => ({
  name,
  place,
  limits: [{ policy: name, quota, windowMs }],
})

async function isAdmitted(...buckets: Bucket[]): Promise<boolean> {
  return (await stub.check(buckets)).admitted
}

async function admittedOf(times: number, ...buckets: Bucket[]): Promise<number> {
  const all = await Promise.all(Array.from({ length: times }, () => isAdmitted(...buckets)))
  return all.filter(Boolean).length
}

interface StoredLog {
  readonly stamps: Float64Array
  readonly idleAt: number
}

/** All entries of the object's storage. */
function stored(): Promise<{ readonly entries: Record<string, unknown>; readonly alarm: number | null }> {
  return runInDurableObject(stub, async (_object, { storage }) => ({
    entries: Object.fromEntries(storage.kv.list()),
    alarm: await storage.getAlarm(),
  }))
}

describe('the object of the rate limiter', () => {
  it('admits exactly its quota of 500 requests at once', async () => {
    expect(await admittedOf(500, bucket('global', 100))).toBe(100)
  })

  it('returns the remaining requests and when more are available', async () => {
    setTime(start)
    const [first] = (await stub.check([bucket('link', 2)])).standings
    expect(first).toEqual({ remaining: 1, waitMs: 0, resetMs: minuteMs })
    setTime(start + 15_000)
    const [second] = (await stub.check([bucket('link', 2)])).standings
    expect(second).toMatchObject({ remaining: 0, waitMs: 0, resetMs: 45_000 })
    setTime(start + 20_000)
    expect(await stub.check([bucket('link', 2)])).toMatchObject({
      admitted: false,
      standings: [{ remaining: 0, waitMs: 40_000, resetMs: 40_000 }],
    })
  })

  it('forgets an admission when it is exactly one window old, and not a millisecond before', async () => {
    setTime(start)
    expect(await admittedOf(3, bucket('sensitive', 3))).toBe(3)
    setTime(start + minuteMs - 1)
    expect(await isAdmitted(bucket('sensitive', 3))).toBe(false)
    setTime(start + minuteMs)
    expect(await admittedOf(10, bucket('sensitive', 3))).toBe(3)
  })

  it('admits in all buckets or in none, and a refusal writes nothing', async () => {
    expect(await admittedOf(3, bucket('global', 100), bucket('sensitive', 3))).toBe(3)
    const before = await stored()
    const { admitted, standings } = await stub.check([bucket('global', 100), bucket('sensitive', 3)])
    expect([admitted, standings.map(({ waitMs }) => waitMs > 0)]).toEqual([false, [false, true]])
    expect(await stored()).toEqual(before)
    expect(await admittedOf(200, bucket('global', 100))).toBe(97)
  })

  it('counts on after eviction', async () => {
    expect(await admittedOf(9, bucket('link', 10))).toBe(9)
    await evictDurableObject(stub)
    expect(await admittedOf(9, bucket('link', 10))).toBe(1)
    await evictDurableObject(stub)
    expect(await isAdmitted(bucket('link', 10))).toBe(false)
  })

  it('counts on after its end in the middle of a flood', async () => {
    const limit = bucket('global', 100)
    const flood = Array.from({ length: 60 }, () => isAdmitted(limit))
    const early = (await Promise.all(flood)).filter(Boolean).length
    await abortAllDurableObjects()
    stub = env.RATE_LIMITER.getByName(`test ${count}`)
    expect(early + (await admittedOf(500, limit))).toBe(100)
  })

  it('counts each of very many places exactly, whichever were asked for last', async () => {
    const places = Array.from({ length: 50 }, (_, place) => bucket('global', 2, minuteMs, `place ${place}`))
    const admitted: number[] = []
    for (let request = 0; request < 4; request += 1)
      admitted.push((await Promise.all(places.map((place) => isAdmitted(place)))).filter(Boolean).length)
    expect(admitted).toEqual([50, 50, 0, 0])
    expect((await stored()).entries['count']).toBe(50)
  })

  it('does not admit more, nor refuse for longer than a window, when its clock is set back', async () => {
    setTime(start + 3_600_000)
    expect(await admittedOf(5, bucket('link', 10))).toBe(5)
    setTime(start)
    expect(await admittedOf(10, bucket('link', 10))).toBe(5)
    await evictDurableObject(stub)
    setTime(start + minuteMs - 1)
    expect(await isAdmitted(bucket('link', 10))).toBe(false)
    setTime(start + minuteMs)
    expect(await admittedOf(20, bucket('link', 10))).toBe(10)
  })
})

describe('an idle object of the rate limiter', () => {
  it('is deleted by an alarm, and with the last log the whole storage', async () => {
    setTime(start)
    await isAdmitted(bucket('global', 100, 3_600_000), bucket('link', 10))
    const { alarm } = await stored()
    expect(alarm).toBe(start + 3_600_000)
    setTime(start + 3_600_000)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await stored()).toEqual({ entries: {}, alarm: null })
    expect(await admittedOf(20, bucket('link', 10))).toBe(10)
  })

  it('is deleted, and other state stays with a separate alarm', async () => {
    setTime(start)
    await isAdmitted(bucket('link', 10))
    setTime(start + 30_000)
    await isAdmitted(bucket('sync', 20))
    setTime(start + minuteMs)
    await runDurableObjectAlarm(stub)
    const { entries, alarm } = await stored()
    expect(Object.keys(entries)).toEqual(['count', 'log sync 192.0.2.1'])
    expect(entries['count']).toBe(1)
    expect(alarm).toBe(start + 2 * minuteMs)
  })

  it('is new when it comes again, to the object that deleted it', async () => {
    setTime(start)
    await isAdmitted(bucket('link', 10))
    setTime(start + 30_000)
    await isAdmitted(bucket('sync', 20))
    setTime(start + minuteMs)
    await runDurableObjectAlarm(stub)
    await isAdmitted(bucket('link', 10))
    const { entries } = await stored()
    expect(Object.keys(entries)).toEqual(['count', 'log link 192.0.2.1', 'log sync 192.0.2.1'])
    expect(entries['count']).toBe(2)
  })

  it('leaves nothing where nothing was ever admitted', async () => {
    await stub.check([])
    expect(await stored()).toEqual({ entries: {}, alarm: null })
    expect(await runDurableObjectAlarm(stub)).toBe(false)
  })
})

describe('the stored state of the rate limiter', () => {
  it('is bounded for one log by what its limits need', async () => {
    setTime(start)
    for (let round = 0; round < 3; round += 1) {
      setTime(start + round * minuteMs)
      await admittedOf(50, bucket('link', 10))
    }
    const lengths = await runInDurableObject(stub, (_object, { storage }) =>
      [...storage.kv.list<StoredLog>({ prefix: 'log ' })].map(([, { stamps }]) => stamps.length),
    )
    expect(lengths).toEqual([10])
  })

  it('is bounded: beyond so many logs, newcomers share one until old ones are deleted', async () => {
    setTime(start)
    await isAdmitted(bucket('global', 5, minuteMs, 'first'))
    await runInDurableObject(stub, (_object, { storage }) => {
      const filler: StoredLog = { stamps: new Float64Array([start]), idleAt: start + minuteMs }
      for (let log = 1; log < maxLogs; log += 1) storage.kv.put(`log global filler ${log}`, filler)
      storage.kv.put('count', maxLogs)
    })
    await evictDurableObject(stub)
    const other = (name: string) => bucket('global', 5, minuteMs, name)
    expect([await admittedOf(4, other('second')), await admittedOf(4, other('third'))]).toEqual([4, 1])
    expect(await admittedOf(9, other('first'))).toBe(4)
    expect(Object.keys((await stored()).entries)).toHaveLength(maxLogs + 2)
    setTime(start + minuteMs)
    await runDurableObjectAlarm(stub)
    expect(await admittedOf(9, other('third'))).toBe(5)
  })
})

describe('the limiter of an isolate', () => {
  const client = { object: 'test', place: '192.0.2.7', network: null }

  it('admits exactly the quota of 500 concurrently, with one call each, and then makes no further call', async () => {
    let calls = 0
    const objects = {
      getByName: (name: string) => ({
        check: (buckets: readonly Bucket[]) => {
          calls += 1
          return env.RATE_LIMITER.getByName(`${name} ${count}`).check(buckets)
        },
        look: () => Promise.resolve([]),
      }),
    }
    const limiter = createLimiter({ objects })
    const target = limiter.policies.ofRequest(client, null)
    const flood = () => Promise.all(Array.from({ length: 500 }, () => limiter.check(target)))
    const outcomes = await flood()
    expect(outcomes.filter(({ kind }) => kind === 'admitted')).toHaveLength(100)
    expect(calls).toBe(500)
    const refused = await flood()
    expect([calls, new Set(refused.map(({ kind }) => kind))]).toEqual([500, new Set(['refused'])])
  })

  it('remembers a refusal to the millisecond, and no longer', async () => {
    setTime(start)
    const limiter = createLimiter({ objects: { getByName: () => stub } })
    const target = limiter.policies.ofRequest(client, 'sensitive')
    for (let request = 0; request < 4; request += 1) await limiter.check(target)
    setTime(start + minuteMs - 1)
    expect(await limiter.check(target)).toMatchObject({
      kind: 'refused',
      standings: [{ waitMs: 1, policy: 'sensitive' }],
    })
    setTime(start + minuteMs)
    expect(await limiter.check(target)).toMatchObject({ kind: 'admitted' })
  })

  it('counts each client in a separate object', async () => {
    const before = (await listDurableObjectIds(env.RATE_LIMITER)).length
    const limiter = createLimiter({ objects: env.RATE_LIMITER })
    for (const place of ['198.51.100.1', '198.51.100.2'])
      await limiter.check(limiter.policies.ofRequest({ object: `ip:${place}`, place, network: null }, null))
    await limiter.check(limiter.policies.ofUser('digest', null))
    expect((await listDurableObjectIds(env.RATE_LIMITER)).length - before).toBe(3)
  })
})
