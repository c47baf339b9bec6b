// Parses JSON and keeps the text of every number. Never converts an amount to a float.
import * as z from 'zod'
import { isExact } from '../bank/number.ts'
import type { RawNumber } from '../bank/values.ts'

/**
 * Parses JSON with each number as a raw number token.
 * @throws SyntaxError on invalid JSON
 */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? JSON.rawJSON(context.source) : value,
  )
}

/** A JSON number, kept exactly. */
export const exactNumber = z.custom<RawNumber>(isExact, { error: 'must be a number' })

/** A whole JSON number between two bounds, as a JavaScript number. */
export function whole(minimum: number, maximum: number) {
  const fits = (value: RawNumber): boolean => {
    const number = Number(value.rawJSON)
    return Number.isInteger(number) && number >= minimum && number <= maximum
  }
  return exactNumber
    .refine(fits, { error: `must be an integer between ${minimum} and ${maximum}` })
    .transform((value) => Number(value.rawJSON))
}

/** A JSON object: no array, no null, no number token. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}
