import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addDays,
  addMonths,
  daysAfter,
  daysBetween,
  isDay,
  monthEnd,
  weekday,
} from '../../../../../src/dev/plaid-simulator/bank/calendar.ts'

const days = fc.integer({ min: -20_000, max: 40_000 }).map((count) => addDays('1970-01-01', count))

describe('calendar days', () => {
  it('come back after going away, over leap years and summer time', () => {
    fc.assert(
      fc.property(days, fc.integer({ min: -4000, max: 4000 }), (day, count) => {
        const there = addDays(day, count)
        expect(addDays(there, -count)).toBe(day)
        expect(daysBetween(day, there)).toBe(count)
      }),
    )
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29')
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30')
  })

  it('follow each other through the week', () => {
    expect(weekday('2026-11-21')).toBe(6)
    expect(weekday('1969-12-31')).toBe(3)
    fc.assert(
      fc.property(days, (day) => {
        expect(weekday(addDays(day, 1))).toBe((weekday(day) + 1) % 7)
      }),
    )
  })

  it('are listed without the first and with the last', () => {
    expect(daysAfter('2026-02-27', '2026-03-02')).toEqual(['2026-02-28', '2026-03-01', '2026-03-02'])
    expect(daysAfter('2026-03-02', '2026-03-02')).toEqual([])
  })

  it('end months where the calendar does, and stay in a month that is too short', () => {
    expect(monthEnd('2024-02-10')).toBe('2024-02-29')
    expect(monthEnd('2026-12-01')).toBe('2026-12-31')
    expect(addMonths('2026-01-31', 1)).toBe('2026-02-28')
    expect(addMonths('2026-01-15', -1)).toBe('2025-12-15')
    expect(addMonths('2022-01-01', 132)).toBe('2033-01-01')
  })

  it('are distinguished from other text', () => {
    expect(isDay('2024-02-29')).toBe(true)
    for (const text of ['2026-02-29', '2026-2-1', '2026-11-21T00:00:00Z', '', '20261121', '2026-00-10']) {
      expect(isDay(text)).toBe(false)
      expect(() => addDays(text, 1)).toThrow(RangeError)
    }
  })
})
