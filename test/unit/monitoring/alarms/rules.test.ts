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
import { createHistory, type Labels, type Recorder } from '../../../support/metrics-history.ts'

const startMs = Date.UTC(2026, 2, 2, 9, 30)
const minuteMs = 60_000
const hour = 60
const day = 24 * hour

interface Case {
  /** What is measured in each minute while the condition holds, and while it does not. */
  readonly bad: (record: Recorder, nowMs: number) => void
  readonly good: (record: Recorder, nowMs: number) => void
  /** The minutes of each. */
  readonly badMinutes?: number
  readonly goodMinutes?: number
}

const nothing = (): void => undefined
const requests = (record: Recorder, status: string, seconds: number, times: number): void =>
  record.observe('wn_http_request_duration_seconds', seconds, { method: 'GET', route: '/r', status }, times)

/** The rules that do not count logged events. */
const measured: Readonly<Record<string, Case>> = {
  errors_5xx: {
    bad: (record) => {
      requests(record, '2xx', 0.05, 90)
      requests(record, '5xx', 0.05, 10)
    },
    good: (record) => requests(record, '2xx', 0.05, 100),
  },
  responses_slow: {
    bad: (record) => {
      requests(record, '2xx', 0.05, 90)
      requests(record, '2xx', 2.5, 10)
    },
    good: (record) => {
      requests(record, '2xx', 0.05, 96)
      requests(record, '2xx', 2.5, 4)
    },
  },
  database_failing: {
    bad: (record) => {
      record.observe('wn_database_duration_seconds', 0.01, { statement: 'select items' }, 6)
      record.count('wn_database_errors_total', { code: 'NO_ANSWER' }, 2)
    },
    good: (record) => {
      record.observe('wn_database_duration_seconds', 0.01, { statement: 'select items' }, 6)
      // A refused statement is no outage.
      record.count('wn_database_errors_total', { code: '23505' }, 6)
    },
  },
  plaid_failing: {
    bad: (record) => {
      record.count('wn_plaid_calls_total', { endpoint: '/a', code: 'ok' }, 100)
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'ok' }, 4)
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'INTERNAL_SERVER_ERROR' }, 6)
    },
    good: (record) => {
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'ok' }, 4)
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'ITEM_LOGIN_REQUIRED' }, 6)
    },
  },
  queue_slow: {
    bad: (record) => record.observe('wn_queue_wait_seconds', 301, { kind: 'sync' }, 10),
    good: (record) => record.observe('wn_queue_wait_seconds', 4, { kind: 'sync' }, 10),
  },
}

const days = (record: Recorder, nowMs: number, name: string, ago: number): void =>
  record.gauge(name, nowMs / 1000 - ago * 86_400)
const seconds = (name: string, bad: number, good: number, labels: Labels = {}): Case => ({
  bad: (record) => record.gauge(name, bad, labels),
  good: (record) => record.gauge(name, good, labels),
})
const runs = (record: Recorder, code: string, times: number): void =>
  record.count(
    'wn_sync_runs_total',
    { product: 'holdings', outcome: code === 'none' ? 'committed' : 'later', code },
    times,
  )
const webhooks = (record: Recorder, outcome: string, times = 1): void =>
  record.count('wn_webhooks_total', { outcome }, times)
const freeze = (record: Recorder, state: string): void => {
  for (const each of ['off', 'recovery', 'frozen', 'locked'])
    record.gauge('wn_safety_switch', Number(each === state), { switch: 'freeze', state: each })
}

const synced = (record: Recorder, ratio: number, live: number, down = 0): void => {
  record.gauge('wn_items_synced_day_ratio', ratio)
  record.gauge('wn_items_live', live)
  record.gauge('wn_items', down, { status: 'institution_down' })
}

/** The rules over gauges and over what the gauges' job stores. */
const gauges: Readonly<Record<string, Case>> = {
  database_connections: {
    bad: (record) => {
      record.gauge('wn_database_connections', 81)
      record.gauge('wn_database_connections_limit', 100)
    },
    good: (record) => {
      record.gauge('wn_database_connections', 60)
      record.gauge('wn_database_connections_limit', 100)
    },
  },
  syncs_failing: {
    bad: (record) => {
      runs(record, 'none', 7)
      runs(record, 'INTERNAL_SERVER_ERROR', 3)
    },
    good: (record) => {
      runs(record, 'none', 7)
      runs(record, 'PRODUCT_NOT_READY', 3)
    },
  },
  items_not_synced: {
    bad: (record) => synced(record, 0.98, 500),
    good: (record) => synced(record, 0.995, 5000),
    badMinutes: 20,
  },
  sync_lag: { ...seconds('wn_sync_overdue_seconds', 22_000, 0, { product: 'holdings' }), badMinutes: 20 },
  sweep_behind: { ...seconds('wn_sync_due_products', 10_000, 10), badMinutes: 40 },
  exchanges_stuck: seconds('wn_link_exchange_oldest_age_seconds', 7300, 60),
  events_overdue: { ...seconds('wn_event_delivery_oldest_due_seconds', 1000, 60), badMinutes: 20 },
  removals_stuck: seconds('wn_removal_oldest_age_seconds', 260_000, 60, { reason: 'removed' }),
  webhooks_failing: {
    bad: (record) => {
      webhooks(record, 'accepted', 3)
      webhooks(record, 'failed', 2)
    },
    // Unverified deliveries, which anyone can send, get 503 while their keys cannot be read.
    good: (record) => {
      webhooks(record, 'accepted', 3)
      const labels = { method: 'POST', route: '/api/v1/plaid/webhook', status: '5xx' }
      record.observe('wn_http_request_duration_seconds', 0.05, labels, 100)
    },
  },
  webhooks_unmatched: {
    bad: (record) => {
      webhooks(record, 'accepted')
      webhooks(record, 'unmatched')
    },
    good: (record) => webhooks(record, 'accepted'),
    badMinutes: 30,
  },
  item_losses_stopped: seconds('wn_safety_switch', 1, 0, { switch: 'item_loss', state: 'tripped' }),
  backup_not_verified: {
    bad: (record, nowMs) => days(record, nowMs, 'wn_backup_last_verified_timestamp_seconds', 35),
    good: (record, nowMs) => days(record, nowMs, 'wn_backup_last_verified_timestamp_seconds', 1),
  },
  'item_losses_stopped by its event': {
    bad: (record) => record.count(eventsMetric, { event: 'item_losses_stopped' }),
    good: (record) => record.gauge('wn_safety_switch', 0, { switch: 'item_loss', state: 'tripped' }),
  },
  audit_trail_broken: seconds('wn_audit_valid', 0, 1),
  audit_not_verified: {
    bad: (record, nowMs) => days(record, nowMs, 'wn_audit_last_verification_timestamp_seconds', 14),
    good: (record, nowMs) => days(record, nowMs, 'wn_audit_last_verification_timestamp_seconds', 1),
  },
  audit_chain_behind: seconds('wn_audit_unchained_age_seconds', 601, 20),
  frozen_for_long: {
    bad: (record) => freeze(record, 'locked'),
    good: (record) => freeze(record, 'off'),
    badMinutes: 245,
  },
}

/** A job that ends, and one that runs again; each run is a heartbeat. */
const heartbeat = (job: string, minutes: number): Case => ({
  bad: nothing,
  good: (record, nowMs) => record.gauge('wn_cron_last_success_timestamp_seconds', nowMs / 1000, { job }),
  badMinutes: minutes + 2,
  goodMinutes: 5,
})
/** The chain is a part of its job. */
const jobOf = (name: string): string => (name === 'audit' ? 'chain' : name)
const heartbeats: Readonly<Record<string, number>> = {
  audit: 10,
  sweep: 20,
  sync: 130,
  backup: 26 * hour,
  retention: 26 * hour,
  cleanup: 8 * day,
}

/** What the evaluation measures about itself has its own tests below. */
const ownRules = ['alarms_interrupted', 'alarms_undelivered']

const cases: Readonly<Record<string, Case>> = {
  ...measured,
  ...gauges,
  gauges_missing: heartbeat('gauges', 15),
  ...Object.fromEntries(
    Object.entries(heartbeats).map(([name, minutes]) => [`cron_${name}_missing`, heartbeat(jobOf(name), minutes)]),
  ),
}

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
