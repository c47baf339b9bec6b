// The days of a sum: as requested, or a default that ends today (UTC). Pure. Limits the number of days of one request.
import { AppError } from '../errors.ts'
import type { Interval, Window } from '../db/read/insights.ts'

/** Two years, one of them a leap year. */
const mostDays = 731
const dayMs = 86_400_000
const firstDay = '0001-01-01'

/** The days of a request, `YYYY-MM-DD`; both can be absent. */
export interface GivenWindow {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

const numberOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / dayMs

/** The calendar begins with the year 1, as in PostgreSQL. */
function dayOf(number: number): string {
  return number < numberOf(firstDay) ? firstDay : new Date(number * dayMs).toISOString().slice(0, 10)
}

/** The day in UTC. */
export function todayAt(now: Date): string {
  return now.toISOString().slice(0, 10)
}

/** The first of the last 30 days, 12 weeks (from Monday) or 12 months that end with `to`. */
function defaultStart(to: string, interval: Interval): string {
  const last = numberOf(to)
  if (interval === 'day') return dayOf(last - 29)
  // Day 0 of the Unix epoch was a Thursday.
  if (interval === 'week') return dayOf(last - ((((last + 3) % 7) + 7) % 7) - 11 * 7)
  const [year = '', month = ''] = to.split('-')
  const firstMonth = Number(year) * 12 + Number(month) - 12
  const start = `${String(Math.floor(firstMonth / 12)).padStart(4, '0')}-${String((firstMonth % 12) + 1).padStart(2, '0')}-01`
  return start < firstDay ? firstDay : start
}

const refused = (detail: string): AppError =>
  new AppError('validation_failed', 'The request parameters are not valid.', { fields: [{ pointer: 'from', detail }] })

/**
 * The days from and to, inclusive.
 * @throws AppError `validation_failed` if they are in the wrong order or span more than two years
 */
export function windowOf(now: Date, given: GivenWindow, interval: Interval): Window {
  const to = given.to ?? todayAt(now)
  const from = given.from ?? defaultStart(to, interval)
  if (from > to) throw refused('Must not be after to. The default of to is today.')
  if (numberOf(to) - numberOf(from) >= mostDays) throw refused(`Must be at most ${mostDays} days before to.`)
  return { from, to }
}
