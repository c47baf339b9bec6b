// Parses JSON of third parties with exact numbers, and with text that PostgreSQL can store.
import { canonicalDecimalOrNull } from './decimal.ts'
import { AppError } from './errors.ts'

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const minus = 0x2d

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
/** A character of a JSON number: digits, `+`, `-`, `.`, `e`, `E`. */
const isOfNumber = (code: number): boolean =>
  isDigit(code) || code === 0x2b || code === minus || code === 0x2e || code === 0x65 || code === 0x45
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d)

/** The position after the string that begins at `start`; the end of the text if the string does not end. */
function afterString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before -= 1
    if ((end - before) % 2 === 1) return end + 1
  }
  return text.length
}

function afterNumber(text: string, start: number): number {
  let end = start + 1
  while (isOfNumber(text.charCodeAt(end))) end += 1
  return end
}

function isKey(text: string, end: number): boolean {
  let at = end
  while (isSpace(text.charCodeAt(at))) at += 1
  return text.charCodeAt(at) === colon
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** A number that is too long for a decimal keeps its text, which no schema accepts as a number. */
const quoted = (token: string): string | null => {
  const exact = canonicalDecimalOrNull(token)
  if (exact !== null) return `"${exact}"`
  return jsonNumber.test(token) ? `"${token}"` : null
}

/** Puts every number in quotes. One pass without recursion, so nesting has no limit here. */
function withQuotedNumbers(text: string): string {
  let result = ''
  let copied = 0
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at)
    if (code === quote) at = afterString(text, at)
    else if (isDigit(code) || code === minus) {
      const end = afterNumber(text, at)
      const number = isKey(text, end) ? null : quoted(text.slice(at, end))
      if (number !== null) {
        result += text.slice(copied, at) + number
        copied = end
      }
      at = end
    } else at += 1
  }
  return result + text.slice(copied)
}

const unstorable = /\\u(?:0000|[dD][89a-fA-F])/
const escapes = /\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u(....)|\\./g

/** Removes NUL and unpaired surrogates from keys and values: PostgreSQL stores them neither in text nor in jsonb. */
function storable(text: string): string {
  const wellFormed = text.toWellFormed()
  if (!unstorable.test(wellFormed)) return wellFormed
  return wellFormed.replace(escapes, (escape, code?: string) => {
    if (code === '0000') return ''
    return code !== undefined && /^[dD][89a-fA-F]/.test(code) ? '\\ufffd' : escape
  })
}

/**
 * `JSON.parse` in which every number becomes its canonical decimal string, so `12` and `"12"` become equal. For third
 * parties' responses, whose schema distinguishes them. Text loses what PostgreSQL cannot store.
 * @throws AppError `bad_request`, which quotes nothing of the text (the engine's error does)
 */
export function parseExactJson(text: string): unknown {
  try {
    return JSON.parse(withQuotedNumbers(storable(text)))
  } catch (error) {
    throw new AppError('bad_request', 'Malformed JSON.', {
      reason: error instanceof RangeError ? 'too deep' : 'syntax',
    })
  }
}
