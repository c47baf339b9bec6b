// Each alarm fires on what it is for, once, and resolves once when that has ended.
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type Book, emptyBook } from '../../../../src/monitoring/alarms/book.ts'
import { eventsMetric } from '../../../../src/monitoring/alarms/builders.ts'
import { eventsOf } from '../../../../src/monitoring/alarms/logged-events.ts'
import { measureBook } from '../../../../src/monitoring/alarms/own-metrics.ts'
import { createReadings } from '../../../../src/monitoring/alarms/readings.ts'
import { rules } from '../../../../src/monitoring/alarms/rules.ts'
import { clientEndpoints, isOutage } from '../../../../src/monitoring/alarms/rules/dependencies.ts'
import { expectedCodes } from '../../../../src/monitoring/alarms/rules/expected-codes.ts'
import { notificationOf, stepBook } from '../../../../src/monitoring/alarms/step.ts'
import { bounds } from '../../../../src/monitoring/metrics/catalog.ts'
import { classify } from '../../../../src/plaid/errors.ts'
import { createHistory, type Recorder } from '../../../support/metrics-history.ts'
import {
  type Case,
  cases,
  day,
  days,
  freeze,
  heartbeat,
  heartbeats,
  jobOf,
  minuteMs,
  nothing,
  requests,
  synced,
  webhooks,
} from './rule-cases.ts'

const startMs = Date.UTC(2026, 2, 2, 9, 30)
/** What the evaluation measures about itself has its own tests below. */
const ownRules = ['alarms_interrupted', 'alarms_undelivered']

interface Change {
  readonly kind: string
  readonly minute: number
}

/** Plays the condition and its end, minute by minute, through all rules. */
function play(name: string, { bad, good, badMinutes = 15, goodMinutes = 90 }: Case): readonly Change[] {
  const rule = rules.filter((each) => each.name === name.split(' ')[0])
  const history = createHistory()
  let book = emptyBook(startMs)
  for (let minute = 0; minute < badMinutes + goodMinutes; minute += 1) {
    const nowMs = startMs + minute * minuteMs
    ;(minute < badMinutes ? bad : good)(history.at(nowMs), nowMs)
    const series = history.series.filter(({ minuteMs: at }) => at > nowMs - 70 * minuteMs)
    book = stepBook(rule, book, createReadings({ series, totals: history.totals() }, nowMs, bounds))
  }
  return book.outbox.map(({ kind, atMs }) => ({ kind, minute: (atMs - startMs) / minuteMs }))
}

const ofEvents = rules.filter(({ reads }) => reads.every((name) => name === eventsMetric))

describe('the table', () => {
  it('has each name once, and names that are anchors of a page', () => {
    const names = rules.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]{2,40}$/)
  })

  it('has a case of this test for each rule', () => {
    const known = new Set([...Object.keys(cases), ...ownRules, ...ofEvents.map(({ name }) => name)])
    expect(rules.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([])
  })

  it('says of each rule why silence is good, or fires on it', () => {
    const silent = rules.flatMap(({ absence }) => (absence.kind === 'quiet' ? [absence.why] : []))
    expect(silent.filter((why) => !/\w+ \w+/.test(why))).toEqual([])
  })

  it('holds rules by causes that exist and are evaluated before them', () => {
    const names = rules.map(({ name }) => name)
    const held = rules.flatMap(({ name, heldBy = [] }) =>
      heldBy.map((cause) => [names.indexOf(cause), names.indexOf(name)]),
    )
    expect(held.length).toBeGreaterThan(5)
    expect(held.filter(([cause = -1, effect = -1]) => cause < 0 || cause >= effect)).toEqual([])
  })

  it('resolves below the value from which on it fires, or at it', () => {
    expect(rules.filter(({ firesAt, clearsBelow }) => clearsBelow > firesAt)).toEqual([])
  })
})

describe.each(Object.entries(cases))('%s', (name, given) => {
  it('fires once and resolves once', () => {
    const changes = play(name, given)
    expect(changes.map(({ kind }) => kind)).toEqual(['fired', 'resolved'])
    expect(changes[0]?.minute).toBeLessThan(given.badMinutes ?? 15)
    expect(changes[1]?.minute).toBeGreaterThanOrEqual(given.badMinutes ?? 15)
  })

  it('does not fire while all is well', () => {
    expect(play(name, { ...given, bad: given.good })).toEqual([])
  })
})

describe.each(ofEvents.map((rule) => [rule.name, rule] as const))('%s', (name, rule) => {
  const ten = { badMinutes: 10, goodMinutes: 11 * day, bad: nothing, good: nothing }

  it.each(eventsOf(name))('fires once on %s, and resolves once when it has stopped', (event) => {
    let left = rule.firesAt
    const bad = (record: Recorder): void => {
      if (left > 0) record.count(eventsMetric, { event })
      left -= 1
    }
    expect(play(name, { ...ten, bad }).map(({ kind }) => kind)).toEqual(['fired', 'resolved'])
  })

  it('does not fire on other events, or on fewer', () => {
    let left = rule.firesAt - 1
    const bad = (record: Recorder): void => {
      record.count(eventsMetric, { event: 'another_event' })
      if (left > 0) record.count(eventsMetric, { event: eventsOf(name)[0] ?? '' })
      left -= 1
    }
    expect(play(name, { ...ten, goodMinutes: 10, bad })).toEqual([])
  })
})

describe('a job that has always run', () => {
  it.each(Object.keys(heartbeats))('fires when its heartbeats stop: %s', (job) => {
    const minutes = heartbeats[job] ?? 0
    const beats = heartbeat(jobOf(job), minutes)
    const given = { good: nothing, bad: beats.good, badMinutes: 3, goodMinutes: minutes + 3 }
    expect(play(`cron_${job}_missing`, given)).toEqual([{ kind: 'fired', minute: minutes + 2 }])
  })
})

describe('the evaluation', () => {
  /** Evaluates at these minutes, with what the outbox is at that time. */
  function evaluate(minutes: readonly number[], change: (book: Book, minute: number) => Book): string[] {
    const own = rules.filter(({ name }) => ownRules.includes(name))
    let book = emptyBook(startMs)
    const seen: string[] = []
    for (const minute of minutes) {
      const nowMs = startMs + minute * minuteMs
      book = change(book, minute)
      const readings = createReadings({ series: measureBook(book, nowMs), totals: [] }, nowMs, bounds)
      const before = new Set(book.outbox.map(({ id }) => id))
      book = stepBook(own, book, readings)
      seen.push(
        ...book.outbox.filter(({ id }) => !before.has(id)).map(({ alarm, kind }) => `${minute} ${alarm} ${kind}`),
      )
    }
    return seen
  }

  const upTo = (minutes: number): number[] => Array.from({ length: minutes }, (_, minute) => minute)

  it('fires alarms_interrupted when it did not run for five minutes, and resolves it', () => {
    const minutes = upTo(40).filter((minute) => minute < 10 || minute > 20)
    const empty = (book: Book): Book => ({ ...book, outbox: [] })
    expect(evaluate(minutes, empty)).toEqual(['21 alarms_interrupted fired', '27 alarms_interrupted resolved'])
    expect(
      evaluate(
        upTo(40).filter((minute) => minute % 3 === 0),
        empty,
      ),
    ).toEqual([])
  })

  it('fires alarms_undelivered when the receiver has refused a notification for ten minutes, and resolves it', () => {
    const rule = rules.find(({ name }) => name === 'queue_slow')
    if (rule === undefined) throw new Error('no such rule')
    const refused = { ...notificationOf(rule, 'fired', { sinceMs: startMs, atMs: startMs, value: 1 }), attempts: 3 }
    const seen = evaluate(upTo(40), (book, minute) => ({ ...book, outbox: minute < 20 ? [refused] : [] }))
    expect(seen).toEqual(['10 alarms_undelivered fired', '25 alarms_undelivered resolved'])
    // Its own notification waits as well.
    const own = { ...refused, alarm: 'alarms_undelivered' }
    expect(evaluate(upTo(40), (book) => ({ ...book, outbox: [own] }))).toEqual([])
  })
})

describe('a record that was never made', () => {
  it.each([
    ['backup_not_verified', 35],
    ['audit_not_verified', 14],
  ])('fires %s after %i days', (name, after) => {
    // A backup is made, and none is restored.
    const backups = (record: Recorder, nowMs: number): void => {
      if (nowMs === startMs) days(record, nowMs, 'wn_backup_last_success_timestamp_seconds', 0.5)
    }
    const never = { bad: backups, good: nothing, badMinutes: after * day + 3, goodMinutes: 0 }
    expect(play(name, never)).toEqual([{ kind: 'fired', minute: after * day }])
  })
})

describe('a failure of Plaid', () => {
  it('is none that says something about an item or a bank', () => {
    const own = new Set(['ok', 'none', 'QUOTA_SPENT', 'FROZEN'])
    const failures = new Set(['retry', 'ours', 'rate_limited'])
    const classes = [...expectedCodes].filter((code) => !own.has(code)).map((code) => classify('ITEM_ERROR', code, 400))
    expect(classes.filter((each) => failures.has(each))).toEqual([])
  })

  it.each(['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'INVALID_API_KEYS', 'CREDITS_EXHAUSTED', 'A_NEW_CODE'])(
    'is %s',
    (code) => {
      expect(expectedCodes.has(code)).toBe(false)
    },
  )
})

describe('what clients choose', () => {
  it.each([
    ['/webhook_verification_key/get', 'INVALID_WEBHOOK_VERIFICATION_KEY_ID'],
    ['/webhook_verification_key/get', 'INVALID_FIELD'],
    ['/item/public_token/exchange', 'INVALID_PUBLIC_TOKEN'],
    ['/item/public_token/exchange', 'INVALID_FIELD'],
    ['/item/public_token/exchange', 'A_NEW_CODE'],
    ['/link/token/get', 'INVALID_LINK_TOKEN'],
    ['/link/token/create', 'INVALID_FIELD'],
    ['/another', 'INVALID_PUBLIC_TOKEN'],
  ])('does not fire plaid_failing: %s %s', (endpoint, code) => {
    const bad = (record: Recorder): void => record.count('wn_plaid_calls_total', { endpoint, code }, 100)
    expect(play('plaid_failing', { bad, good: nothing, badMinutes: 30, goodMinutes: 0 })).toEqual([])
  })

  it.each([
    ['/link/token/create', 'INVALID_API_KEYS'],
    ['/item/get', 'INVALID_FIELD'],
  ])('hides no failure of this deployment: %s %s', (endpoint, code) => {
    const bad = (record: Recorder): void => record.count('wn_plaid_calls_total', { endpoint, code }, 100)
    expect(play('plaid_failing', { bad, good: nothing, badMinutes: 30, goodMinutes: 0 })).toHaveLength(1)
  })

  it('names endpoints that the Worker calls', async () => {
    const text = await readFile('src/plaid/endpoints.ts', 'utf8')
    for (const endpoint of clientEndpoints) expect(text).toContain(`path: '${endpoint}'`)
  })
})

describe('requests that fail', () => {
  const failing = (each: (record: Recorder) => void, minutes = 12) =>
    play('errors_5xx', { bad: each, good: nothing, badMinutes: minutes, goodMinutes: 0 })

  it('fire no alarm if they are fewer than five', () => {
    const few = (record: Recorder): void => requests(record, '2xx', 0.05, 3)
    let failures = 0
    const some = (most: number) => (record: Recorder) => {
      few(record)
      failures += 1
      if (failures <= most) requests(record, '5xx', 0.05, 1)
    }
    expect(failing(some(4))).toEqual([])
    failures = 0
    expect(failing(some(9))).toHaveLength(1)
  })

  it('fire no alarm during a freeze and until its refusals are no longer measured', () => {
    const refused = (state: string) => (record: Recorder) => {
      freeze(record, state)
      requests(record, '5xx', 0.05, 50)
    }
    expect(failing(refused('frozen'))).toEqual([])
    expect(failing(refused('off'))).toHaveLength(1)
    let minute = 0
    const ending = (record: Recorder): void => {
      minute += 1
      if (minute < 6) refused('recovery')(record)
      else freeze(record, 'off')
      requests(record, '2xx', 0.05, 20)
    }
    expect(failing(ending, 30)).toEqual([])
  })

  it('are held by database_failing', () => {
    expect(rules.find(({ name }) => name === 'errors_5xx')?.heldBy).toEqual(['database_failing'])
  })
})

describe('a small deployment', () => {
  const play30 = (name: string, bad: Case['bad']) => play(name, { bad, good: nothing, badMinutes: 30, goodMinutes: 0 })

  it('fires items_not_synced from five items on, without those whose bank is down', () => {
    expect(play30('items_not_synced', (record) => synced(record, 0.9, 40))).toEqual([])
    expect(play30('items_not_synced', (record) => synced(record, 0.9, 50))).toHaveLength(1)
    expect(play30('items_not_synced', (record) => synced(record, 0.9, 50, 10))).toEqual([])
  })

  it('fires queue_slow from 20 messages in 15 minutes on', () => {
    const slow = (record: Recorder): void => record.observe('wn_queue_wait_seconds', 301, { kind: 'sync' })
    expect(play30('queue_slow', slow)).toEqual([])
    const twice = (record: Recorder): void => record.observe('wn_queue_wait_seconds', 301, { kind: 'sync' }, 2)
    expect(play30('queue_slow', twice)).toHaveLength(1)
  })
})

describe('a deployment without backups', () => {
  it('has none to verify, before it makes one', () => {
    const never = { bad: nothing, good: nothing, badMinutes: 40 * day, goodMinutes: 0 }
    expect(play('backup_not_verified', never)).toEqual([])
  })
})

describe('an event that pages', () => {
  const paging = ofEvents.filter(({ severity, name }) => severity === 'page' && name !== 'backup_none_good')

  it.each(paging.map(({ name, firesAt }) => [name, firesAt] as const))(
    'pages again when it comes again after an hour and a half: %s',
    (name, firesAt) => {
      const bad = (record: Recorder, nowMs: number): void => {
        const minute = (nowMs - startMs) / minuteMs
        if (minute === 0 || minute === 90) record.count(eventsMetric, { event: eventsOf(name)[0] ?? '' }, firesAt)
      }
      const kinds = play(name, { bad, good: nothing, badMinutes: 92, goodMinutes: 0 }).map(({ kind }) => kind)
      expect(kinds).toEqual(['fired', 'resolved', 'fired'])
    },
  )
})

describe('an event that concerns one item, user or request', () => {
  it.each(['access_token_lost', 'user_mismatch', 'audit_missing'])(
    'pages again in the same hour, once the alarm has resolved: %s',
    (name) => {
      const at = new Set([0, 5, 25])
      const bad = (record: Recorder, nowMs: number): void => {
        if (at.has((nowMs - startMs) / minuteMs)) record.count(eventsMetric, { event: eventsOf(name)[0] ?? '' })
      }
      const changes = play(name, { bad, good: nothing, badMinutes: 27, goodMinutes: 0 })
      // The second event, five minutes after the first, is part of the same alarm and prolongs it.
      expect(changes.map(({ kind, minute }) => `${minute} ${kind}`)).toEqual(['0 fired', '21 resolved', '25 fired'])
    },
  )
})

describe('two webhooks that were not stored', () => {
  it('fire no alarm, a third does', () => {
    const failing = (times: number): Case => ({
      bad: (record, nowMs) => (nowMs < startMs + times * minuteMs ? webhooks(record, 'failed') : undefined),
      good: nothing,
      badMinutes: 12,
      goodMinutes: 0,
    })
    expect(play('webhooks_failing', failing(2))).toEqual([])
    expect(play('webhooks_failing', failing(3))).toHaveLength(1)
  })
})

describe('an outage of the database', () => {
  it.each(['TIMEOUT', 'NO_ANSWER', '08006', '53300', '57P01', '58030', 'XX000', '28P01', '3D000', '25006'])(
    'is %s',
    (code) => {
      expect(isOutage(code)).toBe(true)
    },
  )

  it.each(['23505', '40001', 'WN001', '42P01', '55P03', 'none'])('is not %s', (code) => {
    expect(isOutage(code)).toBe(false)
  })
})
