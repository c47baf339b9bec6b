// The rate limiter inside an isolate: which limits a request counts against, what the isolate remembers and for how
// long, and what happens when a Durable Object fails, hangs or responds late.
import { describe, expect, it } from 'vitest'
import { clientOf } from '../../../src/ratelimit/address.ts'
import { createLimiter, type LimiterObjects, type Outcome } from '../../../src/ratelimit/limiter.ts'
import { createPolicies, type Target } from '../../../src/ratelimit/policies.ts'
import { objectsInMemory } from './objects-in-memory.ts'

const ipv4 = clientOf('192.0.2.1', null)
const ipv6 = clientOf('2001:db8:1:2::1', null)
const policies = createPolicies()
const start = 1_800_000_000_000

/** `bucket place: policy quota/seconds …`. */
const shown = (target: Target | null) =>
  target?.buckets.map(({ name, place, limits }) => {
    const each = limits.map(({ policy, quota, windowMs }) => `${policy} ${quota}/${windowMs / 1000}`)
    return `${name} ${place}: ${each.join(', ')}`
  })

describe('the default policies', () => {
  const global = 'global 100/60, global_hour 1000/3600'
  const networks = 'global_network 2001:db8:1::/48: global_network 400/60, global_hour_network 4000/3600'

  it('count a request against its address, and against the limit of its route', () => {
    expect(shown(policies.ofRequest(ipv4, null))).toEqual([`global 192.0.2.1: ${global}`])
    const of = (route: Parameters<typeof policies.ofRequest>[1]) => shown(policies.ofRequest(ipv4, route))?.at(1)
    expect(of('auth')).toBe('auth 192.0.2.1: auth 5/60')
    expect(of('link')).toBe('link 192.0.2.1: link 10/60')
    expect(of('sync')).toBe('sync 192.0.2.1: sync 20/60')
    expect(of('sensitive')).toBe('sensitive 192.0.2.1: sensitive 3/60')
  })

  it('give a whole /48 four addresses’ worth without a login', () => {
    expect(shown(policies.ofRequest(ipv6, null))).toEqual([`global 2001:db8:1:2::/64: ${global}`, networks])
    expect(shown(policies.ofRequest(ipv6, 'auth'))).toEqual([
      `global 2001:db8:1:2::/64: ${global}`,
      'auth 2001:db8:1:2::/64: auth 5/60',
      networks,
      'auth_network 2001:db8:1::/48: auth_network 20/60',
    ])
  })

  it('count a verified login against a generous limit of its address', () => {
    expect(shown(policies.ofLogin(ipv4))).toEqual(['address 192.0.2.1: address 3000/60'])
    expect(shown(policies.ofLogin(ipv6))).toEqual(['address 2001:db8:1:2::/64: address 3000/60'])
    expect(policies.ofLogin(ipv4).object).toBe(policies.ofRequest(ipv4, null).object)
  })

  it('count failed webhooks apart from everything else', () => {
    expect(shown(policies.ofFailedWebhook(ipv4))).toEqual(['webhook_failed 192.0.2.1: webhook_failed 60/60'])
    expect(shown(policies.ofFailedWebhook(ipv6))).toEqual([
      'webhook_failed 2001:db8:1:2::/64: webhook_failed 60/60',
      'webhook_failed_network 2001:db8:1::/48: webhook_failed_network 240/60',
    ])
  })

  it('count a user in an object of his own, by the same numbers', () => {
    expect(policies.ofUser('digest', 'link').object).toBe('user:digest')
    expect(shown(policies.ofUser('digest', 'link'))).toEqual([`global user: ${global}`, 'link user: link 10/60'])
  })

  it('take other quotas, and scale the /48 with them', () => {
    const own = createPolicies({ global: 7, link: 2 })
    expect(shown(own.ofRequest(ipv6, 'link'))).toEqual([
      'global 2001:db8:1:2::/64: global 7/60, global_hour 1000/3600',
      'link 2001:db8:1:2::/64: link 2/60',
      'global_network 2001:db8:1::/48: global_network 28/60, global_hour_network 4000/3600',
    ])
  })
})

const kinds = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind)

describe('a refusal', () => {
  it('is remembered until exactly its end, and costs no call', async () => {
    let now = start
    const calls: string[] = []
    const limiter = createLimiter({ objects: objectsInMemory(() => now, calls), quotas: { link: 1 }, now: () => now })
    const target = policies.ofRequest(ipv4, 'link')
    const own = limiter.policies.ofRequest(ipv4, 'link')
    expect(kinds([await limiter.check(own), await limiter.check(own)])).toEqual(['admitted', 'refused'])
    now += 59_999
    expect(await limiter.check(own)).toMatchObject({
      kind: 'refused',
      standings: [{ policy: 'link', waitMs: 1, resetMs: 1 }],
    })
    expect(calls).toHaveLength(2)
    now += 1
    expect((await limiter.check(own)).kind).toBe('admitted')
    expect([calls.length, target.object]).toEqual([3, own.object])
  })

  it('affects only requests that count against its bucket', async () => {
    const limiter = createLimiter({ objects: objectsInMemory(), quotas: { link: 1 } })
    const link = limiter.policies.ofRequest(ipv4, 'link')
    expect(kinds([await limiter.check(link), await limiter.check(link)])).toEqual(['admitted', 'refused'])
    expect((await limiter.check(limiter.policies.ofRequest(ipv4, 'sync'))).kind).toBe('admitted')
    const other = limiter.policies.ofRequest(clientOf('192.0.2.2', null), 'link')
    expect((await limiter.check(other)).kind).toBe('admitted')
  })

  it('applies to all addresses of a /48, and not to verified tokens', async () => {
    const calls: string[] = []
    const limiter = createLimiter({
      objects: objectsInMemory(() => start, calls),
      quotas: { global: 2 },
      now: () => start,
    })
    const client = (subnet: number) => clientOf(`2001:db8:1:${subnet}::1`, null)
    const from = (subnet: number) => limiter.check(limiter.policies.ofRequest(client(subnet), null))
    const outcomes: Outcome[] = []
    for (let subnet = 1; subnet <= 12; subnet += 1) outcomes.push(await from(subnet))
    expect(kinds(outcomes)).toEqual([...Array(8).fill('admitted'), ...Array(4).fill('refused')])
    expect(calls).toHaveLength(9)
    expect((await limiter.check(limiter.policies.ofLogin(client(13)))).kind).toBe('admitted')
  })

  it('starts with the request, so a late response does not prolong it', async () => {
    let now = start
    const objects = objectsInMemory(() => start)
    const late: LimiterObjects = {
      getByName: (name) => ({
        async check(buckets) {
          const verdict = await objects.getByName(name).check(buckets)
          now += 500
          return verdict
        },
        look: () => Promise.resolve([]),
      }),
    }
    const limiter = createLimiter({ objects: late, quotas: { sensitive: 1 }, now: () => now })
    const target = limiter.policies.ofRequest(ipv4, 'sensitive')
    await limiter.check(target)
    now = start
    await limiter.check(target)
    expect(await limiter.check(target)).toMatchObject({ standings: [{ waitMs: 59_500 }] })
  })

  it('is forgotten, the oldest first, when there are too many', async () => {
    const calls: string[] = []
    const objects = objectsInMemory(() => start, calls)
    const limiter = createLimiter({ objects, quotas: { global: 1 }, now: () => start, maxRemembered: 2 })
    const check = (last: number) => limiter.check(limiter.policies.ofRequest(clientOf(`192.0.2.${last}`, null), null))
    for (const last of [1, 2, 3]) for (let request = 0; request < 2; request += 1) await check(last)
    expect(calls).toHaveLength(6)
    await check(2)
    await check(3)
    expect(calls).toHaveLength(6)
    await check(1)
    expect(calls).toHaveLength(7)
  })
})

describe('two targets', () => {
  const withCalls = (quotas: Readonly<Record<string, number>>) => {
    const calls: string[] = []
    const limiter = createLimiter({ objects: objectsInMemory(() => start, calls), quotas, now: () => start })
    const targets = [limiter.policies.ofLogin(ipv4), limiter.policies.ofUser('alice', 'sync')]
    return { calls, limiter, both: () => limiter.checkAll(targets) }
  }

  it('are asked at the same time', async () => {
    const { promise: end, resolve } = Promise.withResolvers<{ admitted: true; standings: [] }>()
    const asked: string[] = []
    const objects: LimiterObjects = {
      getByName: (name) => ({
        check: () => {
          asked.push(name)
          return end
        },
        look: () => Promise.resolve([]),
      }),
    }
    const limiter = createLimiter({ objects })
    const all = limiter.checkAll([limiter.policies.ofLogin(ipv4), limiter.policies.ofUser('alice', null)])
    expect(asked).toEqual(['ip:192.0.2.1', 'user:alice'])
    resolve({ admitted: true, standings: [] })
    expect(await all).toHaveLength(2)
  })

  it('cost each other one admission when one refuses, and none while that is remembered', async () => {
    const { calls, both } = withCalls({ sync: 1 })
    expect(kinds(await both())).toEqual(['admitted', 'admitted'])
    expect(kinds(await both())).toEqual(['admitted', 'refused'])
    expect(calls).toHaveLength(4)
    for (let request = 0; request < 20; request += 1) expect(kinds(await both())).toEqual(['refused'])
    expect(calls).toHaveLength(4)
  })

  it('are both in the response when both refuse', async () => {
    const { both } = withCalls({ sync: 1, address: 1 })
    await both()
    expect(kinds(await both())).toEqual(['refused', 'refused'])
    expect((await both()).flatMap(({ limits }) => limits.map(({ policy }) => policy))).toContain('address')
  })
})

describe('the limiter', () => {
  const failing = (check: () => Promise<never>) =>
    createLimiter({ objects: { getByName: () => ({ check, look: check }) }, timeoutMs: 20 })
  const target = policies.ofRequest(ipv4, 'link')

  it('rejects when its object fails to say what was counted', async () => {
    const error = new Error('the object is gone')
    await expect(failing(() => Promise.reject(error)).hasCounted(policies.ofSignedIn(ipv4))).rejects.toBe(error)
  })

  it('gives no decision when its object fails', async () => {
    const error = new Error('the object is overloaded')
    const outcome = await failing(() => Promise.reject(error)).check(target)
    expect(outcome).toMatchObject({ kind: 'failed', error, limits: [{ policy: 'global' }, {}, { policy: 'link' }] })
  })

  it('gives up an object that hangs after the time limit', async () => {
    const outcome = await failing(() => new Promise<never>(() => {})).check(target)
    expect(outcome).toMatchObject({ kind: 'failed', error: { message: 'no answer within 20 ms' } })
  })

  it('gives no decision when its object cannot be reached', async () => {
    const objects = {
      getByName: () => {
        throw new Error('no such namespace')
      },
    }
    expect((await createLimiter({ objects }).check(target)).kind).toBe('failed')
  })
})
