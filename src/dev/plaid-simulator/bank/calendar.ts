// Arithmetic on calendar days (`YYYY-MM-DD`) in the proleptic Gregorian calendar, without time zones.
import type { Day } from './values.ts'

const msPerDay = 86_400_000

/**
 * The day `count` days after `day`, or before it if `count` is negative.
 * @throws RangeError if the text is not a day
 */
export function addDays(day: Day, count: number): Day {
  return new Date(ordinal(day) * msPerDay + count * msPerDay).toISOString().slice(0, 10)
}

/** The number of days from `from` to `to`; negative if `to` is earlier. */
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

/** The last day of the month of `day`. */
export function monthEnd(day: Day): Day {
  return `${day.slice(0, 8)}${daysInMonth(Number(day.slice(0, 4)), Number(day.slice(5, 7)))}`
}

/** The same day of the month `count` months later (earlier if negative). The month's last day if it has no such day. */
export function addMonths(day: Day, count: number): Day {
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + count
  const [year, month] = [Math.floor(months / 12), (months % 12) + 1]
  const date = Math.min(dayOfMonth(day), daysInMonth(year, month))
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}

/** Whether the text is an existing day: `2026-02-30` is not. */
export function isDay(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (parts === null) return false
  const [year = 0, month = 0, day = 0] = parts.slice(1).map(Number)
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

function daysInMonth(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  if (month === 2) return leap ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function ordinal(day: Day): number {
  if (!isDay(day)) throw new RangeError(`not a day: ${day.slice(0, 20)}`)
  // Parses as UTC, so that no time zone or daylight saving time can move the day.
  return Date.parse(`${day}T00:00:00Z`) / msPerDay
}
