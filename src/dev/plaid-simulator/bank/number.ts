// Exact decimals for money, quantities and rates. Arithmetic uses BigInt; a JavaScript number never holds an amount, so
// no digit is rounded.
import type { RawNumber } from './values.ts'

declare global {
  // Node 24 implements the JSON-parse-with-source proposal; TypeScript's libraries do not declare it yet.
  interface JSON {
    rawJSON(text: string): RawNumber
    isRawJSON(value: unknown): value is RawNumber
  }
}

/** The value is `digits` / 10^`scale`. */
interface Decimal {
  readonly digits: bigint
  readonly scale: number
}

// RFC 8259 section 6. The exponent is bounded: "1e999999999" would need gigabytes of digits.
const numberPattern = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

/**
 * Makes a raw number from a JSON number and keeps its text (`12.50` stays `12.50`).
 * @throws RangeError for other text
 */
export function exact(text: string): RawNumber {
  if (!numberPattern.test(text)) throw new RangeError(`not a decimal number: ${text.slice(0, 40)}`)
  return JSON.rawJSON(text)
}

/** Whether a parsed value is a raw number, as made by `exact` or `JSON.rawJSON`. */
export function isExact(value: unknown): value is RawNumber {
  return JSON.isRawJSON(value) && numberPattern.test(value.rawJSON)
}

/** The sum, with the larger scale of the two (`0.1` + `0.20` is `0.30`). */
export function addExact(left: RawNumber, right: RawNumber): RawNumber {
  const [a, b, scale] = align(left, right)
  return write({ digits: a + b, scale })
}

/** The difference `left - right`. */
export function subtractExact(left: RawNumber, right: RawNumber): RawNumber {
  return addExact(left, negateExact(right))
}

/** The exact product (`1.5` × `0.25` is `0.375`). */
export function multiplyExact(left: RawNumber, right: RawNumber): RawNumber {
  const [a, b] = [read(left), read(right)]
  return trim(write({ digits: a.digits * b.digits, scale: a.scale + b.scale }))
}

/** The negated value; zero stays `0`, never `-0`. */
export function negateExact(value: RawNumber): RawNumber {
  const { digits, scale } = read(value)
  return write({ digits: -digits, scale })
}

/** Negative, zero or positive, as `left` is less than, equal to or greater than `right`; `1.0` equals `1`. */
export function compareExact(left: RawNumber, right: RawNumber): -1 | 0 | 1 {
  const [a, b] = align(left, right)
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** The value rounded half away from zero to `places` decimals, as a bank rounds interest. */
export function roundExact(value: RawNumber, places: number): RawNumber {
  const { digits, scale } = read(value)
  if (scale <= places) return write({ digits, scale })
  const unit = 10n ** BigInt(scale - places)
  const half = digits < 0n ? -unit / 2n : unit / 2n
  return write({ digits: (digits + half) / unit, scale: places })
}

/** The value divided by a whole number, rounded half away from zero to `places` decimals. Throws a RangeError for zero. */
export function divideExact(value: RawNumber, by: number, places: number): RawNumber {
  const { digits, scale } = read(value)
  const [numerator, denominator] = [digits * 10n ** BigInt(places), BigInt(by) * 10n ** BigInt(scale)]
  const half = digits < 0n ? -denominator / 2n : denominator / 2n
  return write({ digits: (numerator + half) / denominator, scale: places })
}

/** The number of decimals in the text. */
export function decimalsOf(value: RawNumber): number {
  return read(value).scale
}

/**
 * `count` of a currency's smallest units: `minorUnits(1250, 2)` is `12.50`.
 * @throws RangeError unless `count` is a safe integer
 */
export function minorUnits(count: number, decimals: number): RawNumber {
  if (!Number.isSafeInteger(count)) throw new RangeError(`not a count of units: ${count}`)
  return write({ digits: BigInt(count), scale: decimals })
}

/** An amount of whole cents: `cents(1250)` is `12.50`. */
export function cents(count: number): RawNumber {
  return minorUnits(count, 2)
}

/** The value without its fraction: 12n for `12.99`, -12n for `-12.99`. */
export function wholeOf(value: RawNumber): bigint {
  const { digits, scale } = read(value)
  return digits / 10n ** BigInt(scale)
}

function read(value: RawNumber): Decimal {
  const parts = numberPattern.exec(value.rawJSON)
  if (parts === null) throw new RangeError(`not a decimal number: ${value.rawJSON.slice(0, 40)}`)
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] = parts
  const digits = BigInt(`${sign}${whole}${fraction}`)
  const scale = fraction.length - Number(exponent)
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale }
}

function align(left: RawNumber, right: RawNumber): [bigint, bigint, number] {
  const [a, b] = [read(left), read(right)]
  const scale = Math.max(a.scale, b.scale)
  return [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale), scale]
}

function write({ digits, scale }: Decimal): RawNumber {
  const sign = digits < 0n ? '-' : ''
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
  if (scale === 0) return JSON.rawJSON(`${sign}${text}`)
  return JSON.rawJSON(`${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`)
}

function trim(value: RawNumber): RawNumber {
  if (!value.rawJSON.includes('.')) return value
  return JSON.rawJSON(value.rawJSON.replace(/\.?0+$/, ''))
}
