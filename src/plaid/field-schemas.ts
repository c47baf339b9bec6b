// Schemas for fields of Plaid's responses. An optional field that is absent, null, blank or invalid reads as null, so
// an invalid value does not cost its row. An invalid required field does.
import * as z from 'zod'
import { canonicalDecimalOrNull } from '../decimal.ts'

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Numbers arrive as their decimal text (src/exact-json.ts), so a number in place of a text reads as that text. */
const textOrNull = (value: unknown): string | null => (typeof value === 'string' && /\S/.test(value) ? value : null)

const decimalOrNull = (value: unknown): string | null =>
  typeof value === 'string' ? canonicalDecimalOrNull(value) : null

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** A calendar day that PostgreSQL also accepts; the written day of a date-time. */
function dayOrNull(value: unknown): string | null {
  const match = typeof value === 'string' ? /^((\d{4})-(\d{2})-(\d{2}))(?:[T ]\S.*)?$/.exec(value) : null
  if (match === null) return null
  const [, text = '', year, month, day] = match
  const [y, m, d] = [Number(year), Number(month), Number(day)]
  const days = m === 2 && isLeap(y) ? 29 : (daysOfMonth[m - 1] ?? 0)
  return y >= 1 && d >= 1 && d <= days ? text : null
}

/** PostgreSQL's indexes accept no key of more than 2,704 bytes; Plaid's ids have 37 characters. */
const longestId = 500
const idOrNull = (value: unknown): string | null => {
  const text = textOrNull(value)
  return text !== null && text.length <= longestId ? text : null
}

const optional = <Value>(read: (value: unknown) => Value) => z.unknown().optional().transform(read)

/** The two problems of a field that its row requires. They are stored and shown; the value is not. */
const required = <Value>(read: (value: unknown) => Value | null) =>
  z
    .unknown()
    .optional()
    .transform((value, ctx): Value => {
      const found = read(value)
      if (found !== null) return found
      const isMissing = value === undefined || value === null || (typeof value === 'string' && !/\S/.test(value))
      ctx.issues.push({ code: 'custom', message: isMissing ? 'missing' : 'invalid', input: undefined })
      return z.NEVER
    })

export const optionalText = optional(textOrNull)
export const optionalDecimal = optional(decimalOrNull)
export const optionalDay = optional(dayOrNull)
export const requiredId = required(idOrNull)
export const requiredText = required(textOrNull)
export const requiredDecimal = required(decimalOrNull)
export const optionalCount = optional((value) =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : null,
)
export const requiredDay = required(dayOrNull)
export const optionalId = optional(idOrNull)

const booleanOrNull = (value: unknown): boolean | null =>
  value === true || value === 'true' ? true : value === false || value === 'false' ? false : null
export const optionalBoolean = optional(booleanOrNull)
export const requiredBoolean = required(booleanOrNull)

/** The texts of a list; null if it is not a list, or if it is not empty and contains no text. */
export const optionalTexts = optional((value): string[] | null => {
  if (!Array.isArray(value)) return null
  const texts = value.flatMap((element: unknown) => textOrNull(element) ?? [])
  return texts.length === 0 && value.length > 0 ? null : texts
})

/** An object of optional fields; anything else reads as an empty one. */
export const objectOrEmpty = <Schema extends z.ZodType>(schema: Schema) =>
  optional((value): z.output<Schema> => schema.parse(isRecord(value) ? value : {}))

/** Levels of nesting in a stored value: PostgreSQL and the JavaScript engine limit them, too. */
const deepest = 32

/** A copy that can be stored. Values that are nested too deeply become null, and with `noBlanks` so does blank text. */
export function storableCopy(value: unknown, noBlanks: boolean, levels = deepest): unknown {
  if (typeof value === 'string') return noBlanks ? textOrNull(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return null
  if (Array.isArray(value)) return value.map((element: unknown) => storableCopy(element, noBlanks, levels - 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, storableCopy(inner, noBlanks, levels - 1)]),
  )
}
