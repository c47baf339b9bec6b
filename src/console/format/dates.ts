// Days and moments as the reader's locale writes them.

const dayMs = 86_400_000

/** A day of the API has no time zone; as UTC it stays the same day everywhere. */
const asUtc = (day: string): Date => new Date(`${day}T00:00:00Z`)

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })
const longDayFormat = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
})
const shortDayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })
const momentFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

export const formatDay = (day: string): string => dayFormat.format(asUtc(day))
export const formatLongDay = (day: string): string => longDayFormat.format(asUtc(day))
export const formatShortDay = (day: string): string => shortDayFormat.format(asUtc(day))
export const formatMoment = (moment: string): string => momentFormat.format(new Date(moment))
/** Of a moment whose day is known. */
export const formatTime = (moment: string): string => timeFormat.format(new Date(moment))
/** The day of a moment where the reader is, as the API writes days. */
export function localDay(moment: string): string {
  const date = new Date(moment)
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}
/** With seconds, for operators. */
export const formatExactMoment = (moment: string): string => exactFormat.format(new Date(moment))

const steps = [
  { unit: 'day', ms: dayMs },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const

/** `3 minutes ago`, `in 2 days`; a date where it is more than a month away. */
export function formatRelative(moment: string, nowMs: number = Date.now()): string {
  const ms = new Date(moment).getTime() - nowMs
  if (Math.abs(ms) > 31 * dayMs) return formatMoment(moment)
  const step = steps.find((each) => Math.abs(ms) >= each.ms)
  return step === undefined
    ? relativeFormat.format(0, 'second')
    : relativeFormat.format(Math.trunc(ms / step.ms), step.unit)
}

/** Today less some days, as the API writes it. */
export const daysAgo = (days: number, nowMs: number = Date.now()): string =>
  new Date(nowMs - days * dayMs).toISOString().slice(0, 10)
