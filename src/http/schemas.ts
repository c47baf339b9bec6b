// The values of requests and responses: ids, days, times, decimals, text. Each has one canonical form.
import * as z from 'zod'
import { canonicalDecimal, isDecimal } from '../decimal.ts'

/** PostgreSQL has no year 0. */
const hasYear = (text: string): boolean => !text.startsWith('0000')

/** A UUID of any version. */
export const id = z.guid({ error: 'Must be a UUID.' })

/** A calendar date, `YYYY-MM-DD`. */
export const day = z.iso
  .date({ error: 'Must be a calendar date, YYYY-MM-DD.' })
  .refine(hasYear, { error: 'Must be a calendar date, YYYY-MM-DD.' })

/** RFC 3339, UTC, milliseconds. */
export const instant = z.iso.datetime({ precision: 3 }).refine(hasYear)

/** An exact decimal in canonical text: `12.5`, `-0.01`, `0`. */
export const decimal = z
  .string()
  .refine(isDecimal)
  .meta({
    id: 'Decimal',
    description: 'An exact decimal number, without exponent or padding.',
    pattern: String.raw`^(0|-?([1-9]\d*(\.\d*[1-9])?|0\.\d*[1-9]))$`,
    examples: ['12.5'],
  })

const plainDecimal = /^-?(?:0|[1-9]\d{0,39})(?:\.\d{1,40})?$/

/** A decimal as a client may write it (`12.50`), read as its canonical text. */
export const decimalInput = z
  .string()
  .regex(plainDecimal, { error: 'Must be a decimal number, such as 12.5.' })
  .transform(canonicalDecimal)
  .pipe(z.string().meta({ pattern: plainDecimal.source }))

/** A whole number in a query string. */
export function wholeNumber(least: number, most: number) {
  const error = `Must be a whole number from ${least} to ${most}.`
  return z
    .string()
    .regex(/^(?:0|-?[1-9]\d{0,15})$/, { error })
    .transform(Number)
    .pipe(z.int().min(least, { error }).max(most, { error }))
}

/** `true` or `false` in a query string. */
export const flag = z
  .enum(['true', 'false'], { error: 'Must be true or false.' })
  .transform((text) => text === 'true')
  .pipe(z.boolean())

/** A query parameter of lists that leave out hidden accounts. */
export const hiddenQuery = { include_hidden: flag.default(false) }

/** PostgreSQL stores no NUL, and JSON escapes can contain unpaired surrogates. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** Text with any number of lines. */
export const lines = (most: number) =>
  z.string().max(most).refine(isStorable, { error: 'Must not contain NUL or unpaired surrogates.' })

/** One line of text: 1 to `most` characters, none of them a control character. */
export const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => isStorable(text) && !/\p{Cc}/u.test(text), { error: 'Must not contain control characters.' })

/** A time in a response. */
export const timeText = (time: Date): string => time.toISOString()
export const timeTextOrNull = (time: Date | null): string | null => time?.toISOString() ?? null

const earliestFirst = (range: { readonly from?: string | undefined; readonly to?: string | undefined }): boolean =>
  range.from === undefined || range.to === undefined || range.from <= range.to

/** Days from and to, inclusive. */
export const dayRange = { from: day.optional(), to: day.optional() }

/** A check for an object with a `dayRange`. */
export function inOrder() {
  return z.refine<{ from?: string | undefined; to?: string | undefined }>(earliestFirst, {
    path: ['to'],
    error: 'Must not be before from.',
  })
}
