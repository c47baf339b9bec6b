// The rate limiter for calls to Plaid: compared with a simple model for every rhythm of calls and across restarts of
// its object. Also priorities, pauses after Plaid's own 429s, and the daily budget of paid calls.
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createAdmissionControl,
  type LimitedCall,
  type AdmissionControl,
} from '../../../../src/plaid/rate-limit/admission.ts'
import { defaultLimits, limitNameOf, limitsWith, type PlaidLimitName } from '../../../../src/plaid/rate-limit/limits.ts'
import { storeInMemory } from '../store-in-memory.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'

const start = Date.parse('2031-03-04T05:06:07.890Z')
const minuteMs = 60_000

interface Limits {
  readonly item: number
  readonly client: number
  readonly day?: number | null
}
const callOf = (
  limit: Limits,
  itemId: string | null = 'item',
  priority: LimitedCall['priority'] = 'interactive',
  path = '/transactions/sync',
): LimitedCall => ({
  path,
  itemId,
  priority,
  limit: { name: 'sync', item: limit.item, client: limit.client, day: limit.day ?? null },
})

const isAdmitted = (control: AdmissionControl, call: LimitedCall, nowMs: number): boolean =>
  control.admit(call, nowMs).admitted

/** The number of admitted calls of this many concurrent ones. */
const admittedOf = (control: AdmissionControl, times: number, call: LimitedCall, nowMs: number): number =>
  Array.from({ length: times }, () => isAdmitted(control, call, nowMs)).filter(Boolean).length

/** The most calls in any minute, its start included and its end not: a simple model of Plaid's count. */
function mostInAMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time <= from + minuteMs).length))
}

const limits = fc.record({ item: fc.integer({ min: 1, max: 12 }), client: fc.integer({ min: 1, max: 40 }) })
/** Floods, pauses, and the edges of the window. Sometimes the object restarts. */
const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 900 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1000, max: 20_000 }) },
      { weight: 2, arbitrary: fc.integer({ min: 58_000, max: 64_500 }) },
    ),
    item: fc.integer({ min: 0, max: 4 }),
    priority: fc.constantFrom('interactive', 'background'),
    calls: fc.integer({ min: 1, max: 15 }),
    ends: fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
  }),
  { minLength: 1, maxLength: 60 },
)

interface Admitted {
  readonly at: number
  readonly item: number
}

describe('a control', () => {
  it('never lets more through in any minute than its limits, however often it ends', () => {
    fc.assert(
      fc.property(limits, steps, (limit, rhythm) => {
        const store = storeInMemory()
        let now = start
        let control = createAdmissionControl(store, now)
        const admitted: Admitted[] = []
        for (const { afterMs, item, priority, calls, ends } of rhythm) {
          now += afterMs
          if (ends) control = createAdmissionControl(store, now)
          const call = callOf(limit, `item ${item}`, priority)
          for (let made = 0; made < calls; made += 1)
            if (isAdmitted(control, call, now)) admitted.push({ at: now, item })
        }
        expect(mostInAMinute(admitted.map(({ at }) => at))).toBeLessThanOrEqual(limit.client)
        for (const wanted of new Set(admitted.map(({ item }) => item))) {
          const times = admitted.filter(({ item }) => item === wanted).map(({ at }) => at)
          expect(mostInAMinute(times)).toBeLessThanOrEqual(limit.item)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('always keeps the rest of a limit for interactive calls, at any background load', () => {
    const background = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 5000 }), calls: fc.integer({ min: 1, max: 300 }) }),
    )
    fc.assert(
      fc.property(background, (rhythm) => {
        const limit = { item: 1000, client: 100 }
        const control = createAdmissionControl(storeInMemory(), start)
        let now = start
        for (const { afterMs, calls } of rhythm) {
          now += afterMs
          admittedOf(control, calls, callOf(limit, 'a', 'background'), now)
        }
        expect(admittedOf(control, 100, callOf(limit, 'b'), now)).toBeGreaterThanOrEqual(20)
      }),
    )
  })

  it('admits after the wait that it named, and not a millisecond before', () => {
    fc.assert(
      fc.property(limits, steps, (limit, rhythm) => {
        const control = createAdmissionControl(storeInMemory(), start)
        let now = start
        for (const { afterMs, item, priority, calls } of rhythm) {
          now += afterMs
          const call = callOf(limit, `item ${item}`, priority)
          for (let made = 0; made < calls; made += 1) {
            const answer = control.admit(call, now)
            if (answer.admitted) continue
            expect(answer.waitMs).toBeGreaterThan(0)
            expect(control.admit(call, now + answer.waitMs - 1).admitted).toBe(false)
            now += answer.waitMs
            expect(control.admit(call, now).admitted).toBe(true)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  it('lets nearly all of a limit through that is asked for steadily', () => {
    const control = createAdmissionControl(storeInMemory(), start)
    let admitted = 0
    for (let now = start; now < start + 10 * minuteMs; now += 10)
      if (isAdmitted(control, callOf({ item: 10_000, client: 2500 }, null), now)) admitted += 1
    expect(admitted / 10).toBeGreaterThan(2500 * 0.94)
  })

  it('writes for few of its calls', () => {
    const store = storeInMemory()
    const control = createAdmissionControl(store, start)
    for (let call = 0; call < 2000; call += 1)
      expect(isAdmitted(control, callOf(defaultLimits.sync, `item ${call}`, 'background'), start + call * 25)).toBe(
        true,
      )
    expect(store.writes).toBeLessThan(80)
  })

  it('counts an item under its limit although the client has room, and the other way round', () => {
    const control = createAdmissionControl(storeInMemory(), start)
    expect(admittedOf(control, 20, callOf({ item: 5, client: 12 }, 'a'), start)).toBe(5)
    expect(control.admit(callOf({ item: 5, client: 12 }, 'a'), start)).toMatchObject({ by: 'item' })
    expect(admittedOf(control, 20, callOf({ item: 5, client: 12 }, 'b'), start)).toBe(5)
    expect(admittedOf(control, 20, callOf({ item: 5, client: 12 }, 'c'), start)).toBe(2)
    expect(control.admit(callOf({ item: 5, client: 12 }, 'd'), start)).toMatchObject({ by: 'client' })
  })

  it('does not admit more, nor refuse for longer than a window, when its clock is set back', () => {
    const control = createAdmissionControl(storeInMemory(), start)
    const call = callOf({ item: 10, client: 100 })
    expect(admittedOf(control, 6, call, start + 3_600_000)).toBe(6)
    expect(admittedOf(control, 10, call, start)).toBe(4)
    expect(admittedOf(control, 20, call, start + 64_000)).toBe(10)
  })

  it('forgets what is idle', () => {
    const store = storeInMemory()
    const control = createAdmissionControl(store, start)
    for (let item = 0; item < 50; item += 1) admittedOf(control, 40, callOf(defaultLimits.sync, `item ${item}`), start)
    expect(control.clean(start)).toBe(50)
    expect(control.clean(start + 70_000)).toBe(0)
    expect([...store.entries.keys()]).toEqual(['client sync'])
  })
})

describe('an endpoint that Plaid refused for', () => {
  const call = callOf(defaultLimits.sync, 'a')
  const refused = (
    control: AdmissionControl,
    given: Partial<Parameters<AdmissionControl['recordRejection']>[0]> = {},
  ) =>
    control.recordRejection({ ...call, errorCode: 'TRANSACTIONS_SYNC_LIMIT', retryAfterSeconds: 45, ...given }, start)

  it.each([
    ['no limit of ours is known', { limit: null, itemId: 'a' }],
    ['no item is known', { itemId: null }],
  ])('is closed for all callers for a minute at most if %s', (_what, given) => {
    const control = createAdmissionControl(storeInMemory(), start)
    refused(control, { ...given, retryAfterSeconds: 3600 })
    const another = { ...call, ...given, itemId: given.itemId === null ? null : 'b' }
    expect(control.admit(another, start + 59_999)).toEqual({ admitted: false, waitMs: 1, by: 'plaid' })
    expect(control.admit(another, start + 60_000)).toEqual({ admitted: true })
  })

  it('is closed for all callers until the time that Plaid set, also after the end of the control', () => {
    const store = storeInMemory()
    const control = createAdmissionControl(store, start)
    refused(control)
    for (const each of [control, createAdmissionControl(store, start)]) {
      expect(each.admit(callOf(defaultLimits.sync, 'b'), start + 1000)).toEqual({
        admitted: false,
        waitMs: 44_000,
        by: 'plaid',
      })
      expect(each.admit(callOf(defaultLimits.sync, 'b'), start + 45_000)).toEqual({ admitted: true })
    }
  })

  it('is one endpoint, and no other', () => {
    const control = createAdmissionControl(storeInMemory(), start)
    refused(control)
    expect(isAdmitted(control, callOf(defaultLimits.item_get, 'a', 'interactive', '/item/get'), start)).toBe(true)
  })

  it('is the item alone where the item was near its limit, or its bank is meant', () => {
    const busy = createAdmissionControl(storeInMemory(), start)
    admittedOf(busy, 40, call, start)
    refused(busy)
    const bank = createAdmissionControl(storeInMemory(), start)
    refused(bank, { errorCode: 'INSTITUTION_RATE_LIMIT' })
    for (const control of [busy, bank]) {
      expect(control.admit(call, start + 1000)).toMatchObject({ by: 'plaid', waitMs: 44_000 })
      expect(isAdmitted(control, callOf(defaultLimits.sync, 'b'), start + 1000)).toBe(true)
    }
  })

  it('opens by itself where Plaid said nothing or nonsense', () => {
    const silent = createAdmissionControl(storeInMemory(), start)
    refused(silent, { retryAfterSeconds: null })
    expect(isAdmitted(silent, callOf(defaultLimits.sync, 'b'), start + 30_000)).toBe(true)
    expect(isAdmitted(silent, call, start + 60_000)).toBe(true)
    const absurd = createAdmissionControl(storeInMemory(), start)
    refused(absurd, { retryAfterSeconds: 999_999 })
    expect(isAdmitted(absurd, call, start + 3_600_000)).toBe(true)
  })

  it('applies also to endpoints without a configured limit', () => {
    const control = createAdmissionControl(storeInMemory(), start)
    const unlimited = { ...call, path: '/link/token/create', limit: null, itemId: null }
    expect(admittedOf(control, 1000, unlimited, start)).toBe(1000)
    refused(control, unlimited)
    expect(control.admit(unlimited, start)).toMatchObject({ by: 'plaid' })
  })
})

describe('a paid call', () => {
  const paid = (itemId: string): LimitedCall => ({
    path: '/accounts/balance/get',
    itemId,
    priority: 'interactive',
    limit: { ...defaultLimits.balance, name: 'balance', day: 2 },
  })

  it('is within the item’s budget of the day, which the control’s end does not renew', () => {
    const store = storeInMemory()
    const noon = Date.parse('2031-03-04T12:00:00Z')
    expect(admittedOf(createAdmissionControl(store, noon), 1, paid('a'), noon)).toBe(1)
    const control = createAdmissionControl(store, noon + 3_600_000)
    expect(admittedOf(control, 5, paid('a'), noon + 3_600_000)).toBe(1)
    expect(control.admit(paid('a'), noon + 3_600_000)).toEqual({ admitted: false, waitMs: 11 * 3_600_000, by: 'day' })
    expect(isAdmitted(control, paid('b'), noon + 3_600_000)).toBe(true)
    expect(isAdmitted(control, paid('a'), noon + 12 * 3_600_000)).toBe(true)
    expect(control.clean(noon + 24 * 3_600_000)).toBe(1)
  })
})

describe('limits', () => {
  it('are Plaid’s by item and by client, and what the operator says in their place', () => {
    const shown = Object.fromEntries(
      Object.entries(limitsWith({})).map(([name, { item, client }]) => [name, [item, client]]),
    )
    expect(shown).toEqual({
      sync: [50, 2500],
      accounts: [15, 15_000],
      balance: [5, 1200],
      holdings: [15, 2000],
      investment_transactions: [30, 20_000],
      liabilities: [15, 1000],
      item_get: [15, 5000],
      item_remove: [30, 2000],
      recurring: [20, 1000],
      user_items: [500, 500],
      refresh: [2, 100],
      other: [500, 500],
    } satisfies Record<PlaidLimitName, [number, number]>)
    const chosen = limitsWith({ sync: { client: 10 }, balance: { day: 0 } })
    expect(chosen.sync).toEqual({ item: 50, client: 10, day: null })
    expect(chosen.balance).toEqual({ item: 5, client: 1200, day: 0 })
    expect(chosen.item_get).toEqual(defaultLimits.item_get)
  })

  it('are shared by the two ways to refresh, and by nothing else', () => {
    expect(limitNameOf('/transactions/refresh')).toBe(limitNameOf('/investments/refresh'))
    expect(limitNameOf('constructor')).toBeNull()
  })

  it('include every endpoint that the product calls, also those that Plaid documents none for', () => {
    const source = readFileSync(join(projectFolder, 'src/plaid/endpoints.ts'), 'utf8')
    const paths = [...source.matchAll(/path: '([^']+)'/g)].map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(10)
    expect(paths.filter((path) => limitNameOf(path) === null)).toEqual([])
    expect(limitNameOf('/link/token/create')).toBe('other')
    expect(limitNameOf('/user/items/get')).toBe('user_items')
    expect(limitNameOf('/webhook_verification_key/get')).toBe('other')
  })
})
