// When an alarm fires and resolves: once each, not for a moment's value, and not again and again.
import { describe, expect, it } from 'vitest'
import { type Book, bookSchema, emptyBook } from '../../../../src/monitoring/alarms/book.ts'
import { createReadings } from '../../../../src/monitoring/alarms/readings.ts'
import type { Absence, Rule } from '../../../../src/monitoring/alarms/rule.ts'
import { stepBook } from '../../../../src/monitoring/alarms/step.ts'

const startMs = Date.UTC(2026, 2, 2, 9, 30)
const minuteMs = 60_000

/** A rule whose value the test gives. */
function ruleOf(values: { next: number | null }, choices: Partial<Rule> = {}): Rule {
  return {
    name: 'test_rule',
    severity: 'page',
    summary: 'A value is large.',
    unit: 'count',
    reads: [],
    measure: () => values.next,
    windowMinutes: 5,
    firesAt: 10,
    clearsBelow: 5,
    afterMinutes: 2,
    clearAfterMinutes: 3,
    absence: { kind: 'quiet', why: 'a test' },
    ...choices,
  }
}

/** Evaluates one value a minute. Returns the changes as `minute kind`, and the book. */
function play(given: readonly (number | null)[], choices: Partial<Rule> = {}): { changes: string[]; book: Book } {
  const values: { next: number | null } = { next: null }
  const rule = ruleOf(values, choices)
  let book = emptyBook(startMs)
  for (const [minute, value] of given.entries()) {
    values.next = value
    book = stepBook([rule], book, createReadings({ series: [], totals: [] }, startMs + minute * minuteMs, []))
  }
  return { changes: book.outbox.map(({ kind, atMs }) => `${(atMs - startMs) / minuteMs} ${kind}`), book }
}

const repeat = <Value>(times: number, value: Value): Value[] => Array.from({ length: times }, () => value)

describe('an alarm', () => {
  it('fires once when its condition has held long enough, and resolves once when it has been gone long enough', () => {
    expect(play([0, 20, 20, 20, 20, 20, 1, 1, 1, 1, 1]).changes).toEqual(['3 fired', '9 resolved'])
  })

  it('does not fire for a shorter time', () => {
    expect(play([20, 20, 0, 20, 20, 0, 20, 20]).changes).toEqual([])
  })

  it('fires immediately if its rule says so', () => {
    expect(play([20], { afterMinutes: 0 }).changes).toEqual(['0 fired'])
  })

  it('stays while the value is between both thresholds, and while it comes back', () => {
    expect(play([...repeat(3, 20), ...repeat(20, 7)]).changes).toEqual(['2 fired'])
    expect(play([...repeat(3, 20), 1, 1, 7, 1, 1, 7, 1, 1]).changes).toEqual(['2 fired'])
  })

  it('has ids that name the time at which it fired, and the same ones in each evaluation of the same state', () => {
    const ids = () => play([...repeat(3, 20), ...repeat(5, 0)]).book.outbox.map(({ id }) => id)
    const firedMs = startMs + 2 * minuteMs
    expect(ids()).toEqual([`alarm_test_rule_${firedMs}_fired`, `alarm_test_rule_${firedMs}_resolved`])
    expect(ids()).toEqual(ids())
  })

  it('stays after the third time in an hour when its condition flaps, until that is gone for an hour', () => {
    const flapping = Array.from({ length: 600 }, (_, minute) => (minute % 8 < 4 ? 20 : 0))
    const kinds = ['fired', 'resolved', 'fired', 'resolved', 'fired']
    expect(play(flapping).changes.map((change) => change.split(' ')[1])).toEqual(kinds)
    expect(play([...flapping, ...repeat(50, 0)]).changes).toHaveLength(5)
    expect(play([...flapping, ...repeat(70, 0)]).changes).toHaveLength(6)
  })
})

describe('an alarm of a common cause', () => {
  it('does not begin while the alarm of its cause fires, and begins afterwards if its condition holds', () => {
    const values: { next: number | null } = { next: 20 }
    const cause = ruleOf({ next: 20 }, { name: 'cause', afterMinutes: 0 })
    const other = ruleOf(values, { name: 'effect', heldBy: ['cause'] })
    const readings = (minute: number) => createReadings({ series: [], totals: [] }, startMs + minute * minuteMs, [])
    let book = emptyBook(startMs)
    for (let minute = 0; minute < 10; minute += 1) book = stepBook([cause, other], book, readings(minute))
    expect(book.outbox.map(({ alarm }) => alarm)).toEqual(['cause'])
    for (let minute = 10; minute < 30; minute += 1)
      book = stepBook([{ ...cause, measure: () => 0 }, other], book, readings(minute))
    expect(book.outbox.map(({ alarm, kind }) => `${alarm} ${kind}`)).toEqual([
      'cause fired',
      'cause resolved',
      'effect fired',
    ])
  })
})

describe('a rule without data', () => {
  const fires: Absence = { kind: 'fires', afterMinutes: 4 }

  it('fires after its time, and resolves when data are back', () => {
    expect(play([...repeat(7, null), ...repeat(5, 0)], { absence: fires }).changes).toEqual(['4 fired', '10 resolved'])
    expect(play([null, null, null, 0, null, null, null, 0], { absence: fires }).changes).toEqual([])
  })

  it('keeps a fired alarm, unless absence means that nothing is wrong', () => {
    const values = [...repeat(3, 20), ...repeat(30, null)]
    expect(play(values, { absence: fires }).changes).toEqual(['2 fired'])
    expect(play(values, { absence: { kind: 'same' } }).changes).toEqual(['2 fired'])
    expect(play(values).changes).toEqual(['2 fired', '6 resolved'])
  })

  it('does not fire if another alarm covers the absence', () => {
    expect(play(repeat(600, null), { absence: { kind: 'same' } }).changes).toEqual([])
  })
})

describe('the book of alarms', () => {
  it('can be stored and read again', () => {
    const { book } = play(repeat(5, 20))
    expect(bookSchema.parse(JSON.parse(JSON.stringify(book)))).toEqual(book)
  })

  it('keeps states of rules that this version does not have, for the version that has them', () => {
    const { book } = play(repeat(5, 20))
    const after = stepBook([], book, createReadings({ series: [], totals: [] }, startMs + 6 * minuteMs, []))
    expect(after.rules['test_rule']).toEqual(book.rules['test_rule'])
    expect(after.version).toBe(book.version + 1)
  })

  it('ends the alarm of a rule that no version has evaluated for an hour, and forgets it', () => {
    const { book } = play(repeat(5, 20))
    const later = (minutes: number, from: Book) =>
      stepBook([], from, createReadings({ series: [], totals: [] }, startMs + minutes * minuteMs, []))
    expect(later(63, book).outbox).toHaveLength(1)
    const after = later(64, book)
    expect(after.outbox.map(({ kind, alarm }) => `${alarm} ${kind}`)).toEqual(['test_rule fired', 'test_rule resolved'])
    expect(after.rules).toEqual({})
    expect(later(65, after).outbox).toHaveLength(2)
  })

  it('keeps at most 500 notifications', () => {
    const rules = Array.from({ length: 600 }, (_, index) =>
      ruleOf({ next: 20 }, { name: `rule_${index}`, afterMinutes: 0 }),
    )
    const book = stepBook(rules, emptyBook(startMs), createReadings({ series: [], totals: [] }, startMs, []))
    expect(book.outbox).toHaveLength(500)
    expect(book.outbox.at(-1)?.alarm).toBe('rule_599')
  })
})
