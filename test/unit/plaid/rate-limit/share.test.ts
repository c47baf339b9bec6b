// How a user's clicks share Plaid's limits with other users and with background work.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createAdmissionControl,
  type LimitedCall,
  type AdmissionControl,
} from '../../../../src/plaid/rate-limit/admission.ts'
import { storeInMemory } from '../store-in-memory.ts'

const start = Date.parse('2031-03-04T05:06:07.890Z')
const windowMs = 63_000

const callOf = (
  userId: string | null,
  client = 100,
  priority: LimitedCall['priority'] = 'interactive',
): LimitedCall => ({
  path: '/liabilities/get',
  itemId: null,
  userId,
  priority,
  limit: { name: 'liabilities', item: client, client, day: null },
})

const newControl = (): AdmissionControl => createAdmissionControl(storeInMemory(), start)

const admittedOf = (control: AdmissionControl, times: number, call: LimitedCall, nowMs = start): number =>
  Array.from({ length: times }, () => control.admit(call, nowMs)).filter(({ admitted }) => admitted).length

describe("a user's share of a limit", () => {
  it('leaves half of the limit to others, however often one user clicks', () => {
    const control = newControl()
    expect(admittedOf(control, 500, callOf('greedy'))).toBe(50)
    expect(control.admit(callOf('greedy'), start)).toMatchObject({ admitted: false, by: 'user' })
    expect(admittedOf(control, 500, callOf('another'))).toBe(10)
    expect(admittedOf(control, 500, callOf('a third'))).toBe(10)
  })

  it('is a tenth while background work takes its part, and every user has the same', () => {
    const control = newControl()
    expect(admittedOf(control, 500, callOf(null, 100, 'background'))).toBe(80)
    expect(admittedOf(control, 500, callOf('greedy'))).toBe(10)
    expect(admittedOf(control, 500, callOf('another'))).toBe(10)
  })

  it('leaves background work its part', () => {
    const control = newControl()
    admittedOf(control, 500, callOf('greedy'))
    expect(admittedOf(control, 500, callOf('greedy', 100, 'background'))).toBe(30)
  })

  it('is one call at least', () => {
    const control = newControl()
    expect(admittedOf(control, 5, callOf('first', 3))).toBe(1)
    expect(admittedOf(control, 5, callOf('second', 3))).toBe(1)
    expect(admittedOf(control, 5, callOf('third', 3))).toBe(1)
  })

  it('does not count calls that serve no user', () => {
    expect(admittedOf(newControl(), 500, callOf(null))).toBe(100)
  })

  it('is counted for each limit by itself', () => {
    const control = newControl()
    admittedOf(control, 500, callOf(null, 100, 'background'))
    admittedOf(control, 500, callOf('greedy'))
    const elsewhere: LimitedCall = { ...callOf('greedy'), limit: { name: 'sync', item: 100, client: 100, day: null } }
    expect(admittedOf(control, 500, elsewhere)).toBe(50)
  })

  it('admits after the wait that was named, and not a millisecond before', () => {
    const rhythm = fc.array(
      fc.record({
        afterMs: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 58_000, max: 64_500 })),
        userId: fc.constantFrom('a', 'b', null),
        priority: fc.constantFrom<LimitedCall['priority']>('interactive', 'background'),
        calls: fc.integer({ min: 1, max: 20 }),
      }),
      { minLength: 1, maxLength: 40 },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), rhythm, (client, steps) => {
        const control = newControl()
        let now = start
        for (const { afterMs, userId, priority, calls } of steps) {
          now += afterMs
          const call = callOf(userId, client, priority)
          for (let made = 0; made < calls; made += 1) {
            const answer = control.admit(call, now)
            if (answer.admitted) continue
            expect(control.admit(call, now + answer.waitMs - 1).admitted).toBe(false)
            now += answer.waitMs
            expect(control.admit(call, now).admitted).toBe(true)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  it('is remembered only of users who were busy lately', () => {
    const control = newControl()
    for (let user = 0; user < 500; user += 1) control.admit(callOf(`user ${user}`, 10_000), start + user)
    expect(control.remembered()).toBe(500)
    for (let window = 1; window <= 3; window += 1)
      control.admit(callOf('still here', 10_000), start + window * windowMs)
    expect(control.remembered()).toBe(1)
  })
})
