// Exact decimals as canonical text: no exponent, no padding, no "-0". Amounts must never become floats: exact-json.ts
// parses JSON that contains money.

import { AppError } from './errors.ts'

/** The most digits of a decimal that is read. PostgreSQL's `numeric` allows more; no amount has that many. */
const maxDigits = 400

/** A JSON number (RFC 8259 §6): sign, integer digits, fraction digits, exponent. */
const jsonNumber = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
const canonicalNumber = /^(?:0|-?(?:[1-9]\d*(?:\.\d*[1-9])?|0\.\d*[1-9]))$/
const shortInteger = /^-?[1-9]\d{0,14}$/

/**
 * Canonical text of a JSON number token or of PostgreSQL's `numeric` text: `1e-3` → `0.001`, `12.50` → `12.5`, `-0` →
 * `0`. Null for anything else (`+3`, `.5`, `NaN`, spaces) and beyond 400 digits.
 */
export function canonicalDecimalOrNull(source: string): string | null {
  if (shortInteger.test(source)) return source
  if (source.length > maxDigits * 2) return null
  const match = jsonNumber.exec(source)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const text = placePoint(digits, Number(exponent) - fraction.length)
  return text === null ? null : sign + text
}

/**
 * The same for text that must be a number.
 * @throws AppError `bad_request` if it is not
 */
export function canonicalDecimal(source: string): string {
  const exact = canonicalDecimalOrNull(source)
  if (exact === null)
    throw new AppError('bad_request', 'A decimal number could not be read.', { reason: 'not a number, or too long' })
  return exact
}

/** Writes the integer `digits` × 10^`scale` without an exponent. */
function placePoint(digits: string, scale: number): string | null {
  if (digits.length + Math.abs(scale) > maxDigits * 2) return null
  if (scale >= 0) return bounded(digits + '0'.repeat(scale), '')
  const padded = digits.padStart(1 - scale, '0')
  return bounded(padded.slice(0, scale), padded.slice(scale).replace(/0+$/, ''))
}

function bounded(whole: string, fraction: string): string | null {
  if (whole.length + fraction.length > maxDigits) return null
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** Whether `text` is a decimal in canonical form. */
export function isDecimal(text: string): boolean {
  return text.length <= maxDigits + 2 && canonicalNumber.test(text)
}
