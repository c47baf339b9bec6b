// Notifications reach their receiver in order, are sent again after a failure, and are given up after a day.
import { describe, expect, it } from 'vitest'
import type { Notification } from '../../../../src/monitoring/alarms/book.ts'
import { type Channels, deliverDue } from '../../../../src/monitoring/alarms/deliver.ts'

const startMs = Date.UTC(2026, 2, 2, 9, 30)
const minuteMs = 60_000

const notification = (alarm: string, kind: Notification['kind'], atMs = startMs): Notification => ({
  id: `alarm_${alarm}_${atMs}_${kind}`,
  kind,
  alarm,
  severity: 'page',
  summary: 'It is.',
  unit: 'count',
  value: 1,
  threshold: 1,
  sinceMs: atMs,
  atMs,
  isReported: false,
  attempts: 0,
  nextAttemptMs: atMs,
})

function channels(answer: (id: string) => 'ok' | 'fails') {
  const seen = { webhook: [] as string[], sentry: [] as string[], failures: 0, givenUp: [] as string[] }
  const given: Channels = {
    webhook: async ({ id }) => {
      await Promise.resolve()
      seen.webhook.push(id)
      if (answer(id) === 'fails') throw new Error('the receiver of alarms returned 500')
    },
    sentry: ({ id }) => seen.sentry.push(id) > 0,
    onFailure: () => (seen.failures += 1),
    onGivenUp: ({ id }) => seen.givenUp.push(id),
  }
  return { seen, given }
}

describe('the outbox', () => {
  it('is empty after a delivery to both channels', async () => {
    const { seen, given } = channels(() => 'ok')
    const outbox = [notification('a', 'fired'), notification('a', 'resolved'), notification('b', 'fired')]
    expect(await deliverDue(outbox, given, startMs)).toEqual([])
    expect(seen.webhook).toEqual(outbox.map(({ id }) => id))
    expect(seen.sentry).toEqual(outbox.map(({ id }) => id))
  })

  it('goes to Sentry alone without a receiver', async () => {
    const { seen, given } = channels(() => 'fails')
    expect(await deliverDue([notification('a', 'fired')], { ...given, webhook: null }, startMs)).toEqual([])
    expect(seen).toMatchObject({ webhook: [], failures: 0, sentry: [expect.any(String)] })
  })

  it('keeps a notification that Sentry refuses where there is no receiver, in its order and for a day', async () => {
    const outbox = [notification('a', 'fired'), notification('a', 'resolved')]
    const { seen, given } = channels(() => 'ok')
    const paused: Channels = { ...given, webhook: null, sentry: () => false }
    const left = await deliverDue(outbox, paused, startMs)
    expect(left).toEqual(outbox)
    expect(await deliverDue(left, { ...given, webhook: null }, startMs + minuteMs)).toEqual([])
    expect(seen.sentry).toEqual(outbox.map(({ id }) => id))
    expect(await deliverDue(left, paused, startMs + 24 * 60 * minuteMs)).toEqual([])
    expect(seen.givenUp).toEqual(outbox.map(({ id }) => id))
  })

  it('needs no Sentry where a receiver accepts a notification', async () => {
    const { seen, given } = channels(() => 'ok')
    expect(await deliverDue([notification('a', 'fired')], { ...given, sentry: () => false }, startMs)).toEqual([])
    expect(seen.webhook).toHaveLength(1)
  })

  it('repeats a failed notification with growing pauses under the same id, and reports it to Sentry once', async () => {
    let left: readonly Notification[] = [notification('a', 'fired')]
    const { seen, given } = channels(() => (seen.webhook.length < 5 ? 'fails' : 'ok'))
    const minutes: number[] = []
    for (let minute = 0; left.length > 0 && minute < 120; minute += 1) {
      const before = seen.webhook.length
      left = await deliverDue(left, given, startMs + minute * minuteMs)
      if (seen.webhook.length > before) minutes.push(minute)
    }
    expect(minutes).toEqual([0, 1, 3, 7, 15])
    expect(new Set(seen.webhook).size).toBe(1)
    expect(seen.sentry).toHaveLength(1)
  })

  it('never lets the end of an alarm overtake its beginning', async () => {
    const [fired, resolved] = [notification('a', 'fired'), notification('a', 'resolved')]
    const { seen, given } = channels((id) => (id === fired.id && seen.webhook.length < 2 ? 'fails' : 'ok'))
    const left = await deliverDue([fired, resolved, notification('b', 'fired')], given, startMs)
    expect(left.map(({ id }) => id)).toEqual([fired.id, resolved.id])
    expect(await deliverDue(left, given, startMs + minuteMs)).toEqual([])
    expect(seen.webhook.slice(-2)).toEqual([fired.id, resolved.id])
  })

  it('calls a receiver that is down twice a run, for any number of notifications', async () => {
    const { seen, given } = channels(() => 'fails')
    const outbox = Array.from({ length: 40 }, (_, index) => notification(`alarm_${index}`, 'fired'))
    expect(await deliverDue(outbox, given, startMs)).toHaveLength(40)
    expect(seen.webhook).toHaveLength(2)
  })

  it('starts nothing after 25 seconds, however slow the receiver is, and the next run sends the rest', async () => {
    const { seen, given } = channels(() => 'ok')
    let passedMs = 0
    const slow: Channels = {
      ...given,
      webhook: async (sent) => {
        passedMs += 9000
        await given.webhook?.(sent)
      },
    }
    const outbox = Array.from({ length: 6 }, (_, index) => notification(`alarm_${index}`, 'fired'))
    const left = await deliverDue(outbox, slow, startMs, () => startMs + passedMs)
    expect(seen.webhook).toHaveLength(3)
    expect(left.map(({ id, attempts }) => [id, attempts])).toEqual(outbox.slice(3).map(({ id }) => [id, 0]))
    expect(await deliverDue(left, given, startMs + minuteMs)).toEqual([])
    expect(seen.webhook).toEqual(outbox.map(({ id }) => id))
    expect(seen.sentry).toHaveLength(6)
  })

  it('gives up after a day, and says so', async () => {
    const { seen, given } = channels(() => 'fails')
    const old = notification('a', 'fired', startMs - 24 * 60 * minuteMs)
    expect(await deliverDue([old], given, startMs)).toEqual([])
    expect(seen.givenUp).toEqual([old.id])
  })
})
