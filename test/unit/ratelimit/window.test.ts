// The sliding log against a model that keeps every request and counts: floods, bursts, requests at the edge of a
// window, and clocks that are set back.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bucket, decide, type Decision, emptyLog, type Limit, type Log } from '../../../src/ratelimit/window.ts'

const limit = (policy: string, quota: number, windowMs: number): Limit => ({ policy, quota, windowMs })
const bucket = (name: string, ...limits: Limit[]): Bucket => ({ name, place: 'here', limits })

/** Logs that are stored between decisions, as in a Durable Object. */
function createStore() {
  const logs = new Map<string, Log>()
  return {
    logs,
    ask(buckets: readonly Bucket[], now: number): Decision {
      const held = buckets.map(({ name }) => logs.get(name) ?? emptyLog)
      const decision = decide(buckets, held, now)
      for (const [index, log] of decision.changed) logs.set(buckets[index]?.name ?? '', log)
      return decision
    },
  }
}

/** Keeps every admission. */
function createModel() {
  const admissions: { readonly name: string; readonly at: number }[] = []
  const used = (name: string, { windowMs }: Limit, now: number): number =>
    admissions.filter((one) => one.name === name && one.at > now - windowMs && one.at <= now).length
  const admits = (buckets: readonly Bucket[], now: number): boolean =>
    buckets.every(({ name, limits }) => limits.every((one) => used(name, one, now) < one.quota))
  return {
    used,
    admits,
    add(buckets: readonly Bucket[], now: number): void {
      for (const { name } of buckets) admissions.push({ name, at: now })
    },
    /** The first time from `now` at which a limit has room, found by trying the end of every window. */
    roomAt(name: string, one: Limit, now: number): number {
      const ends = admissions.map(({ at }) => at + one.windowMs).filter((time) => time > now)
      const times = [now, ...ends].toSorted((left, right) => left - right)
      return times.find((time) => used(name, one, time) < one.quota) ?? Number.NaN
    },
  }
}

const windowMs = 1000
/** Steps in time: floods, the edges of windows of both lengths, bursts with pauses, anything. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constantFrom(1, windowMs - 1, windowMs, windowMs + 1, 5 * windowMs - 1, 5 * windowMs) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
)
const requests = fc.array(fc.record({ step, kind: fc.constantFrom('plain', 'own', 'both') }), { maxLength: 120 })
const quotas = fc.record({
  short: fc.integer({ min: 1, max: 6 }),
  long: fc.integer({ min: 1, max: 12 }),
  own: fc.integer({ min: 1, max: 3 }),
})

function bucketsOf({ short, long, own }: { short: number; long: number; own: number }, kind: string): Bucket[] {
  const global = bucket('global', limit('short', short, windowMs), limit('long', long, 5 * windowMs))
  const route = bucket('own', limit('own', own, windowMs))
  if (kind === 'plain') return [global]
  return kind === 'own' ? [route] : [global, route]
}

describe('a sliding log', () => {
  it('decides like a complete log, with the same remaining requests and times', () => {
    fc.assert(
      fc.property(quotas, requests, (given, asked) => {
        const [store, model] = [createStore(), createModel()]
        let now = 1_000_000
        for (const one of asked) {
          now += one.step
          const buckets = bucketsOf(given, one.kind)
          const expected = model.admits(buckets, now)
          const waits = buckets.flatMap(({ name, limits }) => limits.map((each) => model.roomAt(name, each, now) - now))
          const { admitted, standings } = store.ask(buckets, now)
          expect(admitted).toBe(expected)
          if (admitted) model.add(buckets, now)
          expect(standings.map(({ waitMs }) => waitMs)).toEqual(admitted ? waits.map(() => 0) : waits)
          const left = buckets.flatMap(({ name, limits }) =>
            limits.map((each) => each.quota - model.used(name, each, now)),
          )
          expect(standings.map(({ remaining }) => remaining)).toEqual(left)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('keeps no more than its limits can ask about', () => {
    fc.assert(
      fc.property(quotas, requests, (given, asked) => {
        const store = createStore()
        let now = 0
        for (const one of asked) store.ask(bucketsOf(given, one.kind), (now += one.step))
        expect(store.logs.get('global')?.length ?? 0).toBeLessThanOrEqual(Math.max(given.short, given.long))
        expect(store.logs.get('own')?.length ?? 0).toBeLessThanOrEqual(given.own)
      }),
    )
  })

  it('admits no more than its quota in any window of true time when the clock is set back again and again', () => {
    const back = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 10, 999, 1000, 1001, 60_000))
    const moves = fc.array(fc.record({ step, back }), { maxLength: 120 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), moves, (quota, asked) => {
        const store = createStore()
        const buckets = [bucket('global', limit('short', quota, windowMs))]
        const admissions: number[] = []
        let [time, clock] = [0, 10_000_000]
        for (const one of asked) {
          time += one.step
          clock += one.step - one.back
          if (store.ask(buckets, clock).admitted) admissions.push(time)
        }
        for (const start of admissions)
          expect(admissions.filter((at) => at >= start && at < start + windowMs).length).toBeLessThanOrEqual(quota)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses for one window at most after the clock was set back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 1e9 }), (quota, back) => {
        const store = createStore()
        const buckets = [bucket('global', limit('short', quota, windowMs))]
        const now = 2e9
        for (let request = 0; request < quota; request += 1) store.ask(buckets, now)
        expect(store.ask(buckets, now - back).admitted).toBe(false)
        expect(store.ask(buckets, now - back + windowMs).admitted).toBe(true)
      }),
    )
  })

  it('changes nothing when it refuses', () => {
    const store = createStore()
    const buckets = [bucket('global', limit('short', 5, windowMs)), bucket('own', limit('own', 1, windowMs))]
    expect(store.ask(buckets, 0).admitted).toBe(true)
    const { admitted, changed } = store.ask(buckets, 1)
    expect([admitted, changed.size]).toEqual([false, 0])
  })

  it('counts a quota that was lowered from the newest on', () => {
    const store = createStore()
    const of = (quota: number) => [bucket('global', limit('short', quota, windowMs))]
    for (const now of [0, 100, 200, 300]) store.ask(of(10), now)
    expect(store.ask(of(2), 400)).toMatchObject({ admitted: false, standings: [{ remaining: 0, waitMs: 800 }] })
    expect(store.ask(of(2), 1199).admitted).toBe(false)
    expect(store.ask(of(2), 1200).admitted).toBe(true)
  })

  it('says of a fresh log how long its window is', () => {
    const { standings } = decide([bucket('global', limit('short', 5, windowMs))], [emptyLog], 7)
    expect(standings).toEqual([{ remaining: 4, waitMs: 0, resetMs: windowMs }])
  })
})
