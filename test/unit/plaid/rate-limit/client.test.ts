// Calls through the rate limiter: which calls wait and for how long, what happens when the limiter fails, how a 429 is
// reported, which calls cost money, and what the usage counter holds afterwards.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createSecret } from '../../../../src/crypto/secret.ts'
import { AppError } from '../../../../src/errors.ts'
import { createPlaidClient, type PlaidCall } from '../../../../src/plaid/client.ts'
import { createUsageCounter } from '../../../../src/plaid/usage-counter.ts'
import type { Admission, LimitedCall, RejectedCall } from '../../../../src/plaid/rate-limit/admission.ts'
import { defaultLimits, limitsWith, type PaidPath } from '../../../../src/plaid/rate-limit/limits.ts'
import { type Caller, createPlaidLimiter, type PlaidLimiter } from '../../../../src/plaid/rate-limit/limiter.ts'
import { toAppError } from '../../../../src/plaid/app-error.ts'
import { type Answering, json, plaidError, startAnswering } from '../answering.ts'
import { limiterObjectsInMemory } from '../store-in-memory.ts'

const granted: Admission = { admitted: true }
const spent = (waitMs: number): Admission => ({ admitted: false, waitMs, by: 'client' })

let server: Answering
let now: number
let waits: number[]
let asked: LimitedCall[]
let refusals: RejectedCall[]
let failures: unknown[]

beforeAll(async () => {
  server = await startAnswering()
})
afterAll(() => server.stop())
beforeEach(() => {
  now = Date.parse('2031-03-04T05:06:07Z')
  ;[waits, asked, refusals, failures] = [[], [], [], []]
  server.answer(json('{"amount":1}'))
})

const wait = (milliseconds: number): Promise<void> => {
  waits.push(milliseconds)
  now += milliseconds
  return Promise.resolve()
}

function limiterOf(admit: (call: LimitedCall) => Admission | Promise<Admission>): PlaidLimiter {
  const objects = {
    getByName: () => ({
      admit: async (call: LimitedCall) => {
        asked.push(call)
        return await admit(call)
      },
      refused: (refusal: RejectedCall) => Promise.resolve(void refusals.push(refusal)),
    }),
  }
  const onFailure = (error: unknown): void => void failures.push(error)
  return createPlaidLimiter({
    objects,
    limits: limitsWith({}),
    wait,
    random: () => 0,
    now: () => now,
    timeoutMs: 30,
    onFailure,
  })
}

const usage = createUsageCounter()
const clientOf = (limiter: PlaidLimiter | null, caller: Caller) =>
  createPlaidClient({
    environment: 'sandbox',
    baseUrl: server.url,
    clientId: 'client',
    secret: createSecret('secret'),
    fetch: (request) => fetch(request),
    wait,
    random: () => 0,
    caller,
    limiter,
    usage,
    freeze: { check: () => Promise.resolve('open') },
  })

const user: Caller = { priority: 'interactive', itemId: 'item', userId: 'user' }
const sweep: Caller = { priority: 'background', itemId: 'item', userId: 'user' }
const answer = z.object({ amount: z.string() })
const call = { path: '/transactions/sync', body: {}, answer, idempotent: true } as const
const paidCall = (path: PaidPath) => ({ path, body: {}, answer, idempotent: false }) as const

const never = (): Promise<Admission> => new Promise(() => undefined)
const failing = (): Promise<Admission> => Promise.reject(new Error('the object is gone'))

describe('a call', () => {
  it('asks once, as who it is', async () => {
    expect(
      (
        await clientOf(
          limiterOf(() => granted),
          sweep,
        ).call(call)
      ).ok,
    ).toBe(true)
    const limit = { ...defaultLimits.sync, name: 'sync' }
    expect(asked).toEqual([{ path: call.path, itemId: 'item', userId: 'user', priority: 'background', limit }])
    expect(server.asked).toHaveLength(1)
  })

  it('waits where the wait is short, and is made then', async () => {
    const answers = [spent(900), granted]
    const result = await clientOf(
      limiterOf(() => answers.shift() ?? granted),
      user,
    ).call(call)
    expect([result.ok, waits]).toEqual([true, [900]])
  })

  it.each([
    [user, 3001, 4],
    [sweep, 5001, 6],
  ])('is not made where the wait is long: %j', async (caller, waitMs, retryAfterSeconds) => {
    const result = await clientOf(
      limiterOf(() => spent(waitMs)),
      caller,
    ).call(call)
    const failure = result.ok ? null : result.failure
    expect(failure).toMatchObject({
      class: 'deferred',
      errorType: 'QUOTA',
      errorCode: 'QUOTA_SPENT',
      retryAfterSeconds,
    })
    expect([server.asked.length, waits]).toEqual([0, []])
    if (failure === null) return
    expect(toAppError(failure)).toMatchObject({ code: 'plaid_unavailable', retryAfterSeconds })
  })

  it('does not wait for ever in short waits', async () => {
    const result = await clientOf(
      limiterOf(() => spent(700)),
      user,
    ).call(call)
    expect(result.ok).toBe(false)
    expect(waits.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(3000)
  })

  it('is admitted a second time when it is retried', async () => {
    server.answer(json('oops', 500), json('{"amount":1}'))
    expect(
      (
        await clientOf(
          limiterOf(() => granted),
          user,
        ).call(call)
      ).ok,
    ).toBe(true)
    expect(asked).toHaveLength(2)
  })
})

describe('a rate limiter that fails', () => {
  it.each([
    ['fails', failing],
    ['does not answer', never],
  ])('admits interactive calls and defers background calls when the object %s', async (_what, admit) => {
    expect((await clientOf(limiterOf(admit), user).call(call)).ok).toBe(true)
    const result = await clientOf(limiterOf(admit), sweep).call(call)
    expect(result).toMatchObject({ ok: false, failure: { errorCode: 'QUOTA_UNAVAILABLE', retryAfterSeconds: 60 } })
    expect([server.asked.length, failures.length]).toEqual([1, 2])
  })

  it('the object is left alone for a while, and one alarm is raised', async () => {
    const quota = limiterOf(failing)
    for (let made = 0; made < 10; made += 1) await clientOf(quota, user).call(call)
    expect([server.asked.length, asked.length, failures.length]).toEqual([10, 1, 1])
    now += 5000
    await clientOf(quota, user).call(call)
    expect(asked).toHaveLength(2)
  })

  it('nothing is called that costs money', async () => {
    const result = await clientOf(limiterOf(failing), user).callPaid(paidCall('/accounts/balance/get'))
    expect(result).toMatchObject({ ok: false, failure: { errorCode: 'QUOTA_UNAVAILABLE' } })
    expect(server.asked).toHaveLength(0)
  })
})

describe('a 429', () => {
  it('is reported to the limiter, with Plaid’s Retry-After', async () => {
    server.answer(plaidError(429, 'RATE_LIMIT_EXCEEDED', 'TRANSACTIONS_SYNC_LIMIT', { 'retry-after': '45' }))
    await clientOf(
      limiterOf(() => granted),
      sweep,
    ).call(call)
    expect(refusals).toMatchObject([
      { path: call.path, itemId: 'item', errorCode: 'TRANSACTIONS_SYNC_LIMIT', retryAfterSeconds: 45 },
    ])
  })

  it('closes the endpoint for the next caller, in every isolate', async () => {
    const objects = limiterObjectsInMemory(() => now)
    const isolate = () =>
      createPlaidLimiter({
        objects,
        limits: limitsWith({}),
        wait,
        random: () => 0,
        now: () => now,
        onFailure: () => undefined,
      })
    server.answer(plaidError(429, 'RATE_LIMIT_EXCEEDED', 'TRANSACTIONS_SYNC_LIMIT', { 'retry-after': '45' }))
    await clientOf(isolate(), sweep).call(call)
    const next = await clientOf(isolate(), { priority: 'interactive', itemId: 'another', userId: 'user' }).call(call)
    expect(next).toMatchObject({ ok: false, failure: { errorCode: 'QUOTA_SPENT', retryAfterSeconds: 45 } })
    expect(server.asked).toHaveLength(1)
  })
})

describe('what costs money', () => {
  const paths = ['/accounts/balance/get', '/transactions/refresh', '/investments/refresh'] as const

  it.each(paths)('%s is refused unless the call says that it means to pay', async (path) => {
    const client = clientOf(
      limiterOf(() => granted),
      user,
    )
    // A path that is not known at compile time is refused at run time.
    const hidden: PlaidCall<typeof answer> = { ...call, path }
    await expect(client.call(hidden)).rejects.toMatchObject({ code: 'internal' })
    expect([server.asked.length, asked.length]).toEqual([0, 0])
    expect((await client.callPaid(paidCall(path))).ok).toBe(true)
    expect(server.asked).toHaveLength(1)
  })

  it('does not even compile as another call', () => {
    const client = clientOf(null, user)
    const unpaid = () =>
      // @ts-expect-error -- a paid path
      client.call({ path: '/accounts/balance/get', body: {}, answer, idempotent: true })
    const repeated = () =>
      // @ts-expect-error -- might be paid twice
      client.callPaid({ path: '/accounts/balance/get', body: {}, answer, idempotent: true })
    expect([unpaid, repeated]).toHaveLength(2)
  })

  it('is not called without a budget, nor for no item', async () => {
    for (const client of [
      clientOf(null, user),
      clientOf(
        limiterOf(() => granted),
        { ...user, itemId: null },
      ),
    ])
      await expect(client.callPaid(paidCall('/accounts/balance/get'))).rejects.toBeInstanceOf(AppError)
    expect(server.asked).toHaveLength(0)
  })

  it('is never asked for a second time by itself', async () => {
    server.answer((response) => response.destroy())
    await clientOf(
      limiterOf(() => granted),
      user,
    ).callPaid(paidCall('/transactions/refresh'))
    expect(server.asked).toHaveLength(1)
  })
})

describe('the usage counter', () => {
  it('counts each call that was made by endpoint and outcome, once', async () => {
    usage.drain()
    const client = clientOf(
      limiterOf(() => granted),
      user,
    )
    server.answer(
      json('{"amount":1}'),
      json('oops', 500),
      plaidError(400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'),
      json('{}'),
    )
    for (let made = 0; made < 3; made += 1) await client.call(call)
    await clientOf(
      limiterOf(() => spent(9000)),
      user,
    ).call(call)
    const byOutcome = Object.fromEntries(
      usage.drain().map(({ endpoint, outcome, calls }) => [`${endpoint} ${outcome}`, calls]),
    )
    expect(byOutcome).toEqual({
      '/transactions/sync ok': 1,
      '/transactions/sync UNREADABLE_ANSWER': 1,
      '/transactions/sync ITEM_LOGIN_REQUIRED': 1,
      '/transactions/sync UNEXPECTED_ANSWER': 1,
    })
    expect(usage.drain()).toEqual([])
  })

  it('holds a bounded number of kinds, and loses no call', () => {
    const full = createUsageCounter()
    for (let code = 0; code < 5000; code += 1) full.count('/a', `CODE_${code}`)
    full.count('/a', 'no code, but a text')
    const drained = full.drain()
    expect(drained.length).toBeLessThanOrEqual(1001)
    expect(drained.reduce((sum, { calls }) => sum + calls, 0)).toBe(5001)
  })
})
