// Parses JSON without rounding numbers, for the comparison. A separate implementation with integers of any size: one
// shared with the service or the simulator would hide their mistakes.

const numberToken = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
/** No amount has an exponent beyond this. */
const largestExponent = 1000

/**
 * `12.50`, `1250e-2` and `12.5` all become `12.5`.
 * @throws RangeError if the text is not a JSON number
 */
export function canonicalNumber(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = numberToken.exec(token) ?? []
  const exponent = Number(exponentText)
  if (whole === '' || Math.abs(exponent) > largestExponent) throw new RangeError(`${token} is no number to compare`)
  // The value is coefficient / 10^places.
  let coefficient = BigInt(whole + fraction)
  let places = fraction.length - exponent
  for (; places < 0; places += 1) coefficient *= 10n
  for (; places > 0 && coefficient % 10n === 0n; places -= 1) coefficient /= 10n
  if (coefficient === 0n) return '0'
  const digits = String(coefficient).padStart(places + 1, '0')
  const point = digits.length - places
  return sign + (places === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`)
}

/** The third argument of a `JSON.parse` reviver. TypeScript's library does not declare it yet. */
interface Source {
  readonly source?: string
}

function exactNumber(_key: string, value: unknown, context?: Source): unknown {
  if (typeof value !== 'number') return value
  if (context?.source === undefined) throw new Error('This Node cannot read exact numbers: use the pinned one.')
  return canonicalNumber(context.source)
}

/**
 * `JSON.parse` with each number as its canonical decimal text.
 * @throws SyntaxError on invalid JSON
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, exactNumber)
}
