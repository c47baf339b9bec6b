// Months and weeks as the API counts them: days without a time zone, weeks from Monday.
export type Interval = 'month' | 'week'

const dayMs = 86_400_000
const asUtc = (day: string): Date => new Date(`${day}T00:00:00Z`)
const dayOf = (date: Date): string => date.toISOString().slice(0, 10)

const monthFormat = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' })
const shortMonthFormat = new Intl.DateTimeFormat(undefined, { month: 'short', timeZone: 'UTC' })

/** Of any day of the month. */
export const formatMonth = (day: string): string => monthFormat.format(asUtc(day))
export const formatShortMonth = (day: string): string => shortMonthFormat.format(asUtc(day))

const startOfMonth = (date: Date, months = 0): Date =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1))

/** Day 0 of the Unix epoch was a Thursday. */
function startOfWeek(date: Date, weeks = 0): Date {
  const days = Math.floor(date.getTime() / dayMs)
  return new Date((days - ((days + 3) % 7) + weeks * 7) * dayMs)
}

const starts = { month: startOfMonth, week: startOfWeek } as const

/** The first days of the intervals between two days; the first one is `from` itself. */
export function intervalStarts(from: string, to: string, interval: Interval): string[] {
  const found = [from]
  for (let next = starts[interval](asUtc(from), 1); dayOf(next) <= to; next = starts[interval](next, 1))
    found.push(dayOf(next))
  return found
}

/** The first day of the interval that was `back` intervals ago. */
export const startBefore = (interval: Interval, back: number, nowMs: number = Date.now()): string =>
  dayOf(starts[interval](new Date(nowMs), -back))

/** The last day of a month, of any day of it. */
export const endOfMonth = (day: string): string => dayOf(new Date(startOfMonth(asUtc(day), 1).getTime() - dayMs))
