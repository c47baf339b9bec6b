// Months and weeks of the console's charts: none is left out, and weeks begin on Monday as in the API.
import { expect, test } from 'vitest'
import { endOfMonth, intervalStarts, startBefore } from '../../../src/console/format/periods.ts'

const at = (day: string): number => Date.parse(`${day}T12:00:00Z`)

test('months begin on their first day, across the end of a year', () => {
  expect(intervalStarts('2025-11-01', '2026-02-03', 'month')).toEqual([
    '2025-11-01',
    '2025-12-01',
    '2026-01-01',
    '2026-02-01',
  ])
  expect(startBefore('month', 11, at('2026-03-31'))).toBe('2025-04-01')
  expect(endOfMonth('2024-02-10')).toBe('2024-02-29')
  expect(endOfMonth('2025-12-31')).toBe('2025-12-31')
})

test('weeks begin on Monday; the first one begins where the window does', () => {
  expect(intervalStarts('2026-03-04', '2026-03-16', 'week')).toEqual(['2026-03-04', '2026-03-09', '2026-03-16'])
  // A Sunday belongs to the week before.
  expect(startBefore('week', 0, at('2026-03-15'))).toBe('2026-03-09')
  expect(startBefore('week', 1, at('2026-03-16'))).toBe('2026-03-09')
})
