// The effect of a failed sync run: the next attempt, the item's status, and the message for the user.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FailureClass, PlaidFailure } from '../../../src/plaid/errors.ts'
import { backoffSeconds, endOfFailure, itemStatusFor } from '../../../src/sync/failure.ts'

const attempts = fc.integer({ min: 0, max: 10_000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('the time to the next try', () => {
  it('lies between half and all of base × 2^attempts, and never beyond the most', () => {
    fc.assert(
      fc.property(
        attempts,
        random,
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 600, max: 90_000 }),
        (made, chance, base, most) => {
          const full = Math.min(most, base * 2 ** made)
          const seconds = backoffSeconds(made, chance, base, most)
          expect(Number.isInteger(seconds)).toBe(true)
          expect(seconds).toBeGreaterThanOrEqual(full / 2)
          expect(seconds).toBeLessThanOrEqual(Math.ceil(full))
          expect(seconds).toBeLessThanOrEqual(most)
        },
      ),
    )
  })

  it('never shrinks with the attempts', () => {
    fc.assert(
      fc.property(attempts, attempts, random, (one, other, chance) => {
        const [fewer, more] = [Math.min(one, other), Math.max(one, other)]
        expect(backoffSeconds(fewer, chance)).toBeLessThanOrEqual(backoffSeconds(more, chance))
      }),
    )
  })

  it('is spread by chance', () => {
    expect(backoffSeconds(3, 0)).toBe(120)
    expect(backoffSeconds(3, 0.5)).toBe(180)
    expect(backoffSeconds(3, 0.999_999)).toBe(240)
  })

  it('starts at half a minute and ends at an hour', () => {
    expect(backoffSeconds(0, 0)).toBe(15)
    expect(backoffSeconds(0, 0.999_999)).toBe(30)
    expect(backoffSeconds(500, 0.999_999)).toBe(3600)
  })
})

const failure = (name: FailureClass, more: Partial<PlaidFailure> = {}): PlaidFailure => ({
  class: name,
  errorType: 'SOME_TYPE',
  errorCode: 'SOME_CODE',
  status: 400,
  requestId: 'request-1',
  retryAfterSeconds: null,
  ...more,
})

/** A product that was never synced. */
const never = { attempts: 0, refusals: 0, wasRead: false }

const hour = 3600
const day = 24 * hour

interface Expected {
  readonly outcome: 'failed' | 'waiting' | 'absent' | 'consent_needed'
  /** The item's new status; null for no change. */
  readonly status: string | null
  /** Seconds until the next attempt: the least after the first failure, the most after the hundredth. */
  readonly retryRange: readonly [number, number]
  /** The message for the user; null when the product's error does not change. */
  readonly says: RegExp | null
}

const table: Readonly<Record<FailureClass, Expected>> = {
  retry: { outcome: 'failed', status: null, retryRange: [15, hour], says: /did not respond/ },
  restart: { outcome: 'failed', status: null, retryRange: [15, hour], says: /changed while they were read/ },
  rate_limited: { outcome: 'failed', status: null, retryRange: [30, hour], says: /Too many requests/ },
  deferred: { outcome: 'waiting', status: null, retryRange: [0, 0], says: null },
  institution_down: {
    outcome: 'failed',
    status: 'institution_down',
    retryRange: [hour / 2, 6 * hour],
    says: /institution does not respond/,
  },
  not_ready: { outcome: 'waiting', status: null, retryRange: [3, 900], says: null },
  update_mode: { outcome: 'failed', status: 'needs_update', retryRange: [day, day], says: /new login/ },
  at_bank: {
    outcome: 'failed',
    status: 'bank_action_required',
    retryRange: [day, day],
    says: /resolved at the institution/,
  },
  product_absent: { outcome: 'absent', status: null, retryRange: [0.9 * hour, 7.7 * day], says: /does not offer/ },
  consent_needed: {
    outcome: 'consent_needed',
    status: null,
    retryRange: [0.9 * hour, 7.7 * day],
    says: /has to agree/,
  },
  gone: { outcome: 'failed', status: 'relink_required', retryRange: [day, day], says: /Link the institution again/ },
  relink: { outcome: 'failed', status: 'relink_required', retryRange: [day, day], says: /Link the institution again/ },
  revoked: { outcome: 'failed', status: 'revoked', retryRange: [day, day], says: /Access was revoked/ },
  item_error: { outcome: 'failed', status: null, retryRange: [hour / 4, 6 * hour], says: /reports a problem/ },
  ours: { outcome: 'failed', status: null, retryRange: [6 * hour, 6 * hour], says: /internal error/ },
}
const isClass = (name: string): name is FailureClass => Object.hasOwn(table, name)
const classes = Object.keys(table).filter(isClass)

describe('the end of a run that failed with', () => {
  it.each(classes)('%s', (name) => {
    const { outcome, status, retryRange, says } = table[name]
    expect(itemStatusFor(name)).toBe(status)
    const first = endOfFailure(failure(name), never, 0)
    const late = endOfFailure(failure(name), { attempts: 100, refusals: 100, wasRead: true }, 0.999_999_999)
    expect([first.retrySeconds, late.retrySeconds]).toEqual(retryRange)
    expect(first).toMatchObject({
      outcome,
      errorCode: 'SOME_CODE',
      itemStatus: status === null ? null : { status, reason: 'SOME_CODE' },
    })
    expect(first.asksItem).toBe(name === 'item_error')
    expect(first.lastError ?? '').toMatch(says ?? /^$/)
    expect(first.lastError === null).toBe(says === null)
  })

  it.each(classes)('%s shows the user no text from Plaid', (name) => {
    const { lastError } = endOfFailure(failure(name), { attempts: 3, refusals: 3, wasRead: true }, 0.5)
    expect(lastError ?? '').not.toMatch(/SOME_|request-1|[A-Z]{2,}/)
  })

  it('a limit waits as long as Plaid says, and longer where that is wiser', () => {
    const end = (retryAfterSeconds: number | null, made: number) =>
      endOfFailure(failure('rate_limited', { retryAfterSeconds }), { ...never, attempts: made }, 0).retrySeconds
    expect(end(500, 0)).toBe(500)
    expect(end(1, 0)).toBe(30)
    expect(end(1, 4)).toBe(480)
  })

  it('a call that our own limiter defers waits as long as the limiter says, twice as long at most', () => {
    const seconds = (chance: number) =>
      endOfFailure(failure('deferred', { retryAfterSeconds: 60 }), { ...never, attempts: 4 }, chance).retrySeconds
    expect([seconds(0), seconds(0.999_999_999)]).toEqual([60, 120])
    expect(endOfFailure(failure('deferred'), never, 0).isFailure).toBe(false)
  })

  it('a code of any length is kept, cut', () => {
    expect(endOfFailure(failure('ours', { errorCode: 'x'.repeat(5000) }), never, 0).errorCode).toHaveLength(200)
  })

  it('one refusal leaves a product that was read as it is, and asks again after an hour', () => {
    for (const name of ['product_absent', 'consent_needed'] as const) {
      const first = endOfFailure(failure(name), { attempts: 0, refusals: 0, wasRead: true }, 0.5)
      expect(first).toMatchObject({ outcome: 'failed', isRefusal: true, retrySeconds: hour })
      const second = endOfFailure(failure(name), { attempts: 1, refusals: 1, wasRead: true }, 0.5)
      expect(second).toMatchObject({ outcome: table[name].outcome, isRefusal: true, retrySeconds: day })
    }
  })

  it('a refusal is asked about again after an hour, a day, and then every week', () => {
    const rest = (refusals: number) => endOfFailure(failure('product_absent'), { ...never, refusals }, 0.5).retrySeconds
    expect([0, 1, 2, 3, 50].map(rest)).toEqual([hour, day, 7 * day, 7 * day, 7 * day])
  })
})
