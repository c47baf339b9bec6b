import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalDecimal, isDecimal } from '../../src/decimal.ts'
import { AppError } from '../../src/errors.ts'
import { parseExactJson } from '../../src/exact-json.ts'

/** The oracle: a decimal as an integer times a power of ten, in exact arithmetic. */
function toFraction(text: string): { value: bigint; scale: number } {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return {
    value: BigInt(whole.replace('-', '') + fraction) * (text.startsWith('-') ? -1n : 1n),
    scale: fraction.length - Number(exponent),
  }
}

function isSameNumber(left: string, right: string): boolean {
  const [a, b] = [toFraction(left), toFraction(right)]
  const scale = Math.max(a.scale, b.scale)
  return a.value * 10n ** BigInt(scale - a.scale) === b.value * 10n ** BigInt(scale - b.scale)
}

const digits = (max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), minLength: 1, maxLength: max })
const token = fc
  .tuple(fc.constantFrom('', '-'), digits(30), fc.option(digits(30)), fc.option(fc.integer({ min: -60, max: 60 })))
  .map(([sign, whole, fraction, exponent]) => {
    const integer = whole.replace(/^0+(?=\d)/, '')
    return `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`
  })

describe('canonical decimals', () => {
  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.000', '0'],
    ['-0.0e5', '0'],
    ['0e999999', '0'],
    ['12.50', '12.5'],
    ['100', '100'],
    ['1E+2', '100'],
    ['1e-18', '0.000000000000000001'],
    ['-1.5e-3', '-0.0015'],
    ['1234567890123456.10', '1234567890123456.1'],
    ['123.456e1', '1234.56'],
    ['123.456e3', '123456'],
    ['120e-1', '12'],
  ])('writes %s as %s', (source, expected) => {
    expect(canonicalDecimal(source)).toBe(expected)
  })

  test.each([
    '',
    ' ',
    '+3',
    '.5',
    '5.',
    '01',
    '1e',
    'e5',
    '--1',
    '1,5',
    '1_000',
    'NaN',
    'Infinity',
    '0x10',
    '1 ',
    '１',
    '1\n',
  ])('refuses %j', (source) => {
    expect(() => canonicalDecimal(source)).toThrow(AppError)
  })

  test.each(['1e401', '1e-401', '1e99999999999999999999', `1${'0'.repeat(400)}`, '9'.repeat(1_000_000)])(
    'refuses a number of more than 400 digits',
    (source) => {
      expect(() => canonicalDecimal(source)).toThrow(AppError)
    },
  )

  test('keeps the value of every number and writes each in one form', () => {
    fc.assert(
      fc.property(token, (source) => {
        const text = canonicalDecimal(source)
        expect(isSameNumber(text, source)).toBe(true)
        expect(isDecimal(text)).toBe(true)
        expect(canonicalDecimal(text)).toBe(text)
      }),
    )
  })

  test('knows a canonical decimal from any other text', () => {
    fc.assert(
      fc.property(fc.oneof(token, fc.string()), (text) => {
        const canonical = ((): string | null => {
          try {
            return canonicalDecimal(text)
          } catch {
            return null
          }
        })()
        expect(isDecimal(text)).toBe(canonical === text)
      }),
    )
  })
})

describe('exact JSON', () => {
  test('reads numbers as the decimals that were written, at every depth', () => {
    const text = '{"a":[1234567890123456.10,{"b":1e-18}],"c":"12.50","d":null,"e":true,"f":-0}'
    expect(parseExactJson(text)).toStrictEqual({
      a: ['1234567890123456.1', { b: '0.000000000000000001' }],
      c: '12.50',
      d: null,
      e: true,
      f: '0',
    })
  })

  test('gives a member named __proto__ no power', () => {
    const parsed = parseExactJson('{"__proto__":{"admin":1}}')
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  })

  test('refuses malformed JSON without quoting it', () => {
    const attempt = (): unknown => parseExactJson('{"token": access-sandbox-canary}')
    expect(attempt).toThrow(expect.objectContaining({ code: 'bad_request', detail: 'Malformed JSON.' }))
    expect(attempt).not.toThrow(/canary/)
    expect(attempt).not.toThrow(expect.objectContaining({ cause: expect.anything() }))
  })

  test.each(['1e999', '-1e-999', '9'.repeat(200_000)])(
    'leaves a number that is no decimal as it was written',
    (number) => {
      expect(parseExactJson(`{"a":${number},"b":1.50}`)).toStrictEqual({ a: number, b: '1.5' })
    },
  )

  test('reads any depth', () => {
    const depth = 100_000
    const parsed = parseExactJson(`{"a":${'['.repeat(depth)}1.0${']'.repeat(depth)},"b":2}`)
    expect(parsed).toMatchObject({ b: '2' })
  })

  test.each([
    ['a\\u0000b', 'ab'],
    ['\\ud83d\\ude00', '😀'],
    ['\\ud83d', '\ufffd'],
    ['\\ude00\\ud83d!', '\ufffd\ufffd!'],
    ['\\ud83d\\u0000\\ude00', '\ufffd\ufffd'],
    ['\\\\u0000', '\\u0000'],
    ['\\\\\\u0000', '\\'],
    ['\\"\\u0000\\"', '""'],
    ['\ud800', '\ufffd'],
  ])('reads %s as text that can be stored, in keys and values', (written, read) => {
    expect(parseExactJson(`{"${written}":["${written}",1.0]}`)).toStrictEqual({ [read]: [read, '1'] })
  })

  test('accepts and refuses what JSON.parse does, and reads the same but for numbers', () => {
    const alphabet = fc.constantFrom(...'{}[]",:\\ \n-+.eE0123456789tnu'.split(''), 'true', 'null', '\\u0041')
    const written = fc.oneof(fc.json(), fc.string({ unit: alphabet, maxLength: 12 }))
    fc.assert(
      fc.property(written, (text) => {
        const attempt = (read: () => unknown): unknown => {
          try {
            return { read: JSON.stringify(read()) }
          } catch {
            return 'refused'
          }
        }
        const asTexts = (_key: string, value: unknown) =>
          typeof value === 'number' ? canonicalDecimal(String(value)) : value
        const isSmall = !/\d{15}|[eE]/.test(text)
        fc.pre(isSmall && !/\\u0000|\\u[dD]/.test(text))
        expect(attempt(() => parseExactJson(text))).toEqual(attempt(() => JSON.parse(text, asTexts)))
      }),
      { numRuns: 2000 },
    )
  })
})
