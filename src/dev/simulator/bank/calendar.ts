// Calendar arithmetic on `YYYY-MM-DD` text, in the proleptic Gregorian calendar and no time zone at all.

import type { Day } from './model.ts'

const msPerDay = 86_400_000

/** The day `count` days after `day` (before it, when negative). Throws a RangeError on text that is no day. */
export function addDays(day: Day, count: number): Day {
  return new Date(ordinal(day) * msPerDay + count * msPerDay).toISOString().slice(0, 10)
}

/** How many days `to` lies after `from`; negative when before. */
export function daysBetween(from: Day, to: Day): number {
  return ordinal(to) - ordinal(from)
}

/** Every day of (from, to], oldest first. */
export function daysAfter(from: Day, to: Day): Day[] {
  return Array.from({ length: Math.max(0, daysBetween(from, to)) }, (_, index) => addDays(from, index + 1))
}

/** 0 for Sunday to 6 for Saturday. */
export function weekday(day: Day): number {
  return (((ordinal(day) + 4) % 7) + 7) % 7
}

/** The day of the month, from 1. */
export function dayOfMonth(day: Day): number {
  return Number(day.slice(8))
}

/** The last day of the month that `day` lies in. */
export function monthEnd(day: Day): Day {
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))]
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10)
}

/** The same day `count` months later (earlier, when negative), or the month's last one where it has no such day. */
export function addMonths(day: Day, count: number): Day {
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + count
  const first = new Date(Date.UTC(Math.floor(months / 12), months - Math.floor(months / 12) * 12, 1))
  const last = monthEnd(first.toISOString().slice(0, 10))
  return `${last.slice(0, 8)}${String(Math.min(dayOfMonth(day), dayOfMonth(last))).padStart(2, '0')}`
}

/** Whether the text is a day that exists: `2026-02-30` is none. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

function ordinal(day: Day): number {
  // UTC on both ways, so that no time zone and no summer time can move a day.
  const ms = isDay(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(ms)) throw new RangeError(`not a day: ${day.slice(0, 20)}`)
  return ms / msPerDay
}
