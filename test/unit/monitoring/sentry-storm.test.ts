// Many failures at once: Sentry gets one event of a kind, and one with the count.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { AppError } from '../../../src/errors.ts'
import { createReportBudget } from '../../../src/monitoring/report-budget.ts'
import { createReporter } from '../../../src/monitoring/sentry.ts'

const failure = (reason: string) => new AppError('unavailable', 'not now', { reason })
const eventSchema = z.object({ tags: z.record(z.string(), z.unknown()).default({}) })

/** A reporter whose envelopes are kept, with a clock that stands still, and timers that end at once. */
function isolate() {
  const clock = { ms: 0 }
  const tags: Record<string, unknown>[] = []
  const work: Promise<unknown>[] = []
  const waits: number[] = []
  const factory = createReporter({
    dsn: 'https://key@sentry.test/1',
    environment: 'test',
    now: () => clock.ms,
    wait: (ms) => {
      waits.push(ms)
      return Promise.resolve()
    },
    fetch: (_url, { body }) => {
      const [line = ''] = z.string().parse(body).split('\n').slice(-1)
      tags.push(eventSchema.parse(JSON.parse(line)).tags)
      return Promise.resolve(new Response('{}'))
    },
  })
  const report = (error: unknown, mayLinger: boolean): void =>
    factory({ waitUntil: (promise) => work.push(promise) }, { mayLinger }).captureError(error)
  const settled = async (): Promise<void> => {
    while (work.length > 0) await Promise.all(work.splice(0))
  }
  return { clock, tags, waits, report, settled }
}

describe('a storm of failures', () => {
  test('is one event of each kind at once, and one with the count after 20 seconds', async () => {
    const { tags, waits, report, settled } = isolate()
    for (let index = 0; index < 500; index += 1) report(failure('the rate limiter failed'), true)
    report(failure('no answer from the database'), true)
    expect(tags.map(({ reason, count }) => [reason, count])).toEqual([
      ['the rate limiter failed', undefined],
      ['no answer from the database', undefined],
    ])
    await settled()
    expect(waits).toEqual([20_000])
    expect(tags.slice(2)).toMatchObject([{ reason: 'the rate limiter failed', count: 499 }])
  })

  test('is counted by the next request where no timer may run', async () => {
    const { clock, tags, waits, report, settled } = isolate()
    for (let index = 0; index < 500; index += 1) report(failure('the rate limiter failed'), false)
    expect([tags.length, waits]).toEqual([1, []])
    clock.ms += 60_000
    report(failure('another'), false)
    await settled()
    expect(tags.slice(1)).toMatchObject([{ reason: 'the rate limiter failed', count: 499 }, { reason: 'another' }])
  })

  test('uses up the events of a minute with sixty kinds, and loses no count', async () => {
    const { clock, tags, report, settled } = isolate()
    for (let index = 0; index < 300; index += 1) report(failure(`reason ${index}`), false)
    expect(tags).toHaveLength(60)
    for (let minute = 0; minute < 6; minute += 1) {
      clock.ms += 60_000
      report(failure('reason 0'), false)
    }
    clock.ms += 60_000
    report(failure('the last one'), false)
    await settled()
    const counted = tags.map(({ count = 1 }) => z.number().parse(count))
    expect(counted.reduce((sum, count) => sum + count)).toBe(307)
  })

  test('is one kind if its errors are unknown, with any message', async () => {
    const { tags, report, settled } = isolate()
    for (let index = 0; index < 500; index += 1) report(new TypeError(`no ${index}`), true)
    await settled()
    expect(tags.map(({ count }) => count)).toEqual([undefined, 499])
  })
})

test('a budget keeps a bounded number of kinds, and counts further ones together', () => {
  const sent: [string, number][] = []
  const budget = createReportBudget<null>()
  for (let index = 0; index < 2000; index += 1)
    budget.report(`kind ${index}`, 0, null, (count) => sent.push([`kind ${index}`, count]))
  for (let minute = 1; minute < 40; minute += 1) budget.flush(minute * 60_000, null)
  expect(sent.reduce((sum, [, count]) => sum + count, 0)).toBe(2000)
  expect(sent.length).toBeLessThanOrEqual(60 + 501)
})
