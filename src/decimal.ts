// Exact decimals as canonical text: no exponent, no padding, no "-0". Amounts must never pass through a float, so
// whoever reads JSON with money in it reads it here.

import { AppError } from './errors.ts'

/** The longest decimal, in digits, that is read; a `numeric` of Postgres holds more, an amount never does. */
const MAX_DIGITS = 400

/** A JSON number (RFC 8259 §6): sign, integer digits, fraction digits, exponent. */
const jsonNumber = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
const canonicalNumber = /^(?:0|-?(?:[1-9]\d*(?:\.\d*[1-9])?|0\.\d*[1-9]))$/
const shortInteger = /^-?[1-9]\d{0,14}$/

function notANumber(reason: string): AppError {
  return new AppError('bad_request', 'A decimal number could not be read.', { reason })
}

/**
 * Canonical text of a JSON number token or of Postgres's `numeric` text: `1e-3` → `0.001`, `12.50` → `12.5`, `-0` → `0`.
 * @throws AppError `bad_request` for anything else (`+3`, `.5`, `NaN`, spaces) and past 400 digits
 */
export function canonicalDecimal(source: string): string {
  if (shortInteger.test(source)) return source
  if (source.length > MAX_DIGITS * 2) throw notANumber('number too long')
  const match = jsonNumber.exec(source)
  if (match === null) throw notANumber('not a number')
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const text = placePoint(digits, Number(exponent) - fraction.length)
  return sign + text
}

/** Writes the integer `digits` × 10^`scale` without an exponent. */
function placePoint(digits: string, scale: number): string {
  if (digits.length + Math.abs(scale) > MAX_DIGITS * 2) throw notANumber('number too long')
  if (scale >= 0) return bounded(digits + '0'.repeat(scale), '')
  const padded = digits.padStart(1 - scale, '0')
  return bounded(padded.slice(0, scale), padded.slice(scale).replace(/0+$/, ''))
}

function bounded(whole: string, fraction: string): string {
  if (whole.length + fraction.length > MAX_DIGITS) throw notANumber('number too long')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** Whether `text` is a decimal in its one canonical form. */
export function isDecimal(text: string): boolean {
  return text.length <= MAX_DIGITS + 2 && canonicalNumber.test(text)
}

/** What `JSON.parse` tells a reviver beside key and value; TypeScript's library does not declare it yet. */
interface ReviverContext {
  readonly source?: string
}

function reviveNumber(_key: string, value: unknown, context?: ReviverContext): unknown {
  if (typeof value !== 'number') return value
  // Without the source the digits are gone already, so an engine that lacks it must not go on.
  if (context?.source === undefined) throw new AppError('internal', 'This engine cannot read exact numbers.')
  return canonicalDecimal(context.source)
}

/**
 * `JSON.parse` in which every number becomes its canonical decimal string, so `12` and `"12"` read alike: for third
 * parties' answers, whose schema says which is which.
 * @throws AppError `bad_request`; it quotes nothing of the text (the engine's own error does)
 */
export function parseExactJson(text: string): unknown {
  try {
    return JSON.parse(text, reviveNumber)
  } catch (error) {
    if (error instanceof AppError) throw error
    // RangeError: nested deeper than the stack.
    throw new AppError('bad_request', 'Malformed JSON.', {
      reason: error instanceof RangeError ? 'too deep' : 'syntax',
    })
  }
}
