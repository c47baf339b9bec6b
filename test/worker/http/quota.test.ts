// What administrators read about limits and refused webhooks, over the objects that count them.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import type { Services } from '../../../src/context.ts'
import { quotaRoute } from '../../../src/http/routes/admin/quota.ts'
import { listRefusalsRoute } from '../../../src/http/routes/admin/refusals.ts'
import { createMetrics } from '../../../src/monitoring/metrics/collector.ts'
import { createMetricsStore } from '../../../src/monitoring/metrics/store.ts'
import type { Monitor } from '../../../src/monitoring/metrics/object.ts'
import type { LimitedCall } from '../../../src/plaid/rate-limit/admission.ts'
import { limitsWith } from '../../../src/plaid/rate-limit/limits.ts'
import { createPlaidLimiter } from '../../../src/plaid/rate-limit/limiter.ts'
import { lookAtLimits } from '../../../src/plaid/rate-limit/look.ts'
import type { PlaidQuota } from '../../../src/plaid/rate-limit/object.ts'
import { createLimiter } from '../../../src/ratelimit/limiter.ts'
import { receiveWebhook } from '../../../src/webhooks/receive.ts'
import { ask, operatorOf } from '../../support/call-route.ts'
import { codeOf, useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      PLAID_QUOTA: DurableObjectNamespace<PlaidQuota>
      MONITOR: DurableObjectNamespace<Monitor>
    }
  }
}

const start = Date.parse('2031-03-04T05:06:07.000Z')
const itemId = '11111111-1111-4111-8111-111111111111'
let world: World
let count = 0

useWorld((made) => {
  world = made
})
beforeEach(() => {
  count += 1
})
afterEach(() => {
  vi.useRealTimers()
})

const setTime = (now: number): void => void vi.useFakeTimers({ toFake: ['Date'], now })
const operator = (services: Partial<Services>) => ({
  ...operatorOf(world),
  services: { ...world.services, ...services },
})

const quotaSchema = z.object({
  plaid: z
    .array(
      z.object({
        limit: z.string(),
        responded: z.boolean(),
        client: z.object({ most: z.number(), used: z.number().nullable(), frees_at: z.string().nullable() }),
        item: z.object({ most: z.number(), busiest: z.array(z.object({ item_id: z.string(), used: z.number() })) }),
        day: z
          .object({ most: z.number(), busiest: z.array(z.object({ item_id: z.string(), calls: z.number() })) })
          .nullable(),
        refused: z.array(z.object({ endpoint: z.string(), item_id: z.string().nullable(), until: z.string() })),
      }),
    )
    .nullable(),
  requests: z.array(z.object({ policy: z.string(), most: z.number(), refused_hour: z.number().nullable() })).nullable(),
})
const quotaOf = async (services: Partial<Services>) => quotaSchema.parse(await ask(operator(services), quotaRoute))

/** The objects of this test, which fail for a limit if the test says so. */
const objectsOf = (failing = '') => ({
  getByName: (name: string) => {
    const stub = env.PLAID_QUOTA.getByName(`${count} ${name}`)
    return {
      admit: async (call: LimitedCall) => await stub.admit(call),
      refused: async (call: Parameters<typeof stub.refused>[0]) => await stub.refused(call),
      look: async (limit: string) => {
        if (limit === failing) throw new Error('overloaded')
        return await stub.look(limit)
      },
    }
  },
})

describe('the use of Plaid’s limits', () => {
  const limits = limitsWith({ sync: { client: 5 } })
  const common = (failing?: string) => ({
    objects: objectsOf(failing),
    limits,
    location: null,
    onFailure: () => undefined,
  })
  const limiterOf = () =>
    createPlaidLimiter({ ...common(), timeoutMs: 20_000, wait: () => Promise.resolve(), random: () => 0 })
  const caller = { priority: 'interactive', itemId, userId: null } as const
  const find = async (name: string, failing?: string) =>
    (await quotaOf({ lookAtPlaidLimits: () => lookAtLimits(common(failing)) })).plaid?.find(
      ({ limit }) => limit === name,
    )

  it('shows the calls of the client and of the item, and when the first of them no longer counts', async () => {
    setTime(start)
    const limiter = limiterOf()
    for (const path of ['/transactions/sync', '/transactions/sync', '/accounts/get']) await limiter.check(path, caller)
    expect(await find('sync')).toMatchObject({
      responded: true,
      client: { most: 5, used: 2, frees_at: '2031-03-04T05:07:10.000Z' },
      item: { busiest: [{ item_id: itemId, used: 2 }] },
      day: null,
    })
    expect(await find('liabilities')).toMatchObject({ client: { used: 0, frees_at: null }, item: { busiest: [] } })
    setTime(start + 63_000)
    expect(await find('sync')).toMatchObject({ client: { used: 0, frees_at: null }, item: { busiest: [] } })
  })

  it('counts nothing by looking', async () => {
    setTime(start)
    const limiter = limiterOf()
    for (let look = 0; look < 10; look += 1) await find('sync')
    for (let call = 0; call < 5; call += 1)
      expect(await limiter.check('/transactions/sync', caller)).toEqual({ kind: 'admitted' })
    expect(await find('sync')).toMatchObject({ client: { used: 5 } })
  })

  it('shows the billed calls of the day, and what Plaid refused and until when', async () => {
    setTime(start)
    const limiter = limiterOf()
    await limiter.check('/accounts/balance/get', caller)
    await limiter.recordRejection('/accounts/balance/get', caller, 'BALANCE_LIMIT', 40)
    expect(await find('balance')).toMatchObject({
      day: { most: 4, busiest: [{ item_id: itemId, calls: 1 }] },
      refused: expect.arrayContaining([
        { endpoint: '/accounts/balance/get', item_id: itemId, until: '2031-03-04T05:06:47.000Z' },
      ]),
    })
  })

  it('says of a limit whose object does not respond that nothing is known, and shows the others', async () => {
    expect(await find('sync', 'sync')).toMatchObject({ responded: false, client: { used: null } })
    expect(await find('accounts', 'sync')).toMatchObject({ responded: true, client: { used: 0 } })
  })
})

const storeOf = () =>
  createMetricsStore({ getByName: () => env.MONITOR.getByName(`quota ${count}`) }, crypto.randomUUID.bind(crypto))
const metricsOf = (store: ReturnType<typeof storeOf>) =>
  createMetrics({ store, wait: () => Promise.resolve(), newId: () => crypto.randomUUID() })
const limiter = createLimiter({
  objects: { getByName: () => ({ check: () => Promise.reject(new Error()), look: () => Promise.reject(new Error()) }) },
})

describe('the limits of requests', () => {
  it('have their refusals of the last hour, those of whole networks included', async () => {
    const store = storeOf()
    const metrics = metricsOf(store)
    setTime(start - 2 * 3_600_000)
    metrics.count('wn_rate_limit_refusals_total', { policy: 'auth' })
    await metrics.flush()
    setTime(start)
    for (const policy of ['auth', 'auth', 'auth_network']) metrics.count('wn_rate_limit_refusals_total', { policy })
    await metrics.flush()
    const ctx = operator({ metricsStore: store, limiter, lookAtPlaidLimits: null })
    const body = quotaSchema.parse(await ask({ ...ctx, now: () => new Date(start) }, quotaRoute))
    expect(body.plaid).toBeNull()
    expect(body.requests?.find(({ policy }) => policy === 'auth')).toEqual(
      expect.objectContaining({ most: world.services.config.rateLimits.quotas.auth, refused_hour: 3 }),
    )
    expect(body.requests?.find(({ policy }) => policy === 'global')).toMatchObject({ refused_hour: 0 })
  })

  it('are shown without refusals when the metrics cannot be read, and the log has the reason', async () => {
    world.lines.length = 0
    const broken = { ...storeOf(), read: () => Promise.reject(new Error('gone')) }
    const { requests } = await quotaOf({ metricsStore: broken, limiter })
    expect(requests?.map(({ refused_hour }) => refused_hour)).toEqual(requests?.map(() => null))
    const logged = world.lines.filter((line) => line.includes('"metrics_not_read"'))
    expect([logged.length, logged[0]]).toEqual([1, expect.stringContaining('gone')])
  })
})

const refusals = z.object({
  data: z.array(
    z.object({
      reason: z.string(),
      last_hour: z.number(),
      last_day: z.number(),
      total: z.number(),
      last_at: z.string().nullable(),
    }),
  ),
  latest: z.array(z.object({ minute: z.string(), reason: z.string(), count: z.number() })),
})

describe('refused webhooks', () => {
  const read = async (store: ReturnType<typeof storeOf>, query: Record<string, string> = {}) =>
    refusals.parse(
      await ask({ ...operator({ metricsStore: store }), now: () => new Date(start) }, listRefusalsRoute, { query }),
    )
  const refused = (store: ReturnType<typeof storeOf>, header: string | null) => {
    const metrics = metricsOf(store)
    const ctx = { ...world.job({ ...world.services, metrics }), actor: { kind: 'anonymous' } as const }
    const request = {
      plaidVerification: header,
      webhookSignature: null,
      body: new TextEncoder().encode('{"secret":1}'),
    }
    return codeOf(receiveWebhook(ctx, request)).then(async (code) => {
      await metrics.flush()
      return code
    })
  }

  it('are counted by reason and minute, without anything of their contents', async () => {
    const store = storeOf()
    setTime(start - 2 * 3_600_000)
    expect(await refused(store, null)).toBe('webhook_refused')
    setTime(start - 60_000)
    expect(await refused(store, null)).toBe('webhook_refused')
    expect(await refused(store, 'a.b')).toBe('webhook_refused')
    const body = await read(store)
    expect(body.data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ reason: 'missing_header', last_hour: 1, last_day: 2, total: 2 }),
        expect.objectContaining({ reason: 'malformed_jwt', last_hour: 1, last_day: 1, total: 1 }),
      ]),
    )
    expect(body.latest.map(({ reason, minute }) => `${minute} ${reason}`).toSorted()).toEqual([
      '2031-03-04T03:06:00.000Z missing_header',
      '2031-03-04T05:05:00.000Z malformed_jwt',
      '2031-03-04T05:05:00.000Z missing_header',
    ])
    expect(JSON.stringify(body)).not.toContain('secret')
    expect((await read(store, { reason: 'malformed_jwt' })).data).toHaveLength(1)
  })

  it('leave no row and one entry a minute, however many one sender sends', async () => {
    const store = storeOf()
    const metrics = metricsOf(store)
    setTime(start)
    const before = await world.sql('select count(*) as n from webhook_events')
    for (let sent = 0; sent < 500; sent += 1) metrics.count('wn_webhook_refusals_total', { reason: 'bad_signature' })
    for (let sent = 0; sent < 500; sent += 1)
      metrics.count('wn_rate_limit_refusals_total', { policy: 'webhook_failed' })
    await metrics.flush()
    const body = await read(store)
    expect(body.latest.map(({ reason, count: counted }) => `${reason} ${counted}`).toSorted()).toEqual([
      'bad_signature 500',
      'over_limit 500',
    ])
    expect(await world.sql('select count(*) as n from webhook_events')).toEqual(before)
  })

  it('are no empty list while the metrics cannot be read', async () => {
    const broken = { ...storeOf(), totals: () => Promise.reject(new Error('gone')) }
    await expect(read(broken)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
