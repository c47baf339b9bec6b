import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalConstantTime } from '../../../src/crypto/constant-time.ts'
import {
  decodeBase64,
  decodeBase64Url,
  decodeHex,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  fromUtf8,
  lengthPrefixed,
  utf8,
} from '../../../src/crypto/encoding.ts'

const bytes = fc.uint8Array({ maxLength: 100 })

describe('base64url, base64 and hex', () => {
  test('agree with Node for all bytes', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(encodeBase64Url(value)).toBe(Buffer.from(value).toString('base64url'))
        expect(encodeBase64(value)).toBe(Buffer.from(value).toString('base64'))
        expect(encodeHex(value)).toBe(Buffer.from(value).toString('hex'))
      }),
    )
  })

  test('accept exactly one spelling of each value', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgwZz09+/-_=\n '.split('')), maxLength: 12 }), (text) => {
        for (const [decode, encode] of [
          [decodeBase64Url, encodeBase64Url],
          [decodeBase64, encodeBase64],
          [decodeHex, encodeHex],
        ] as const) {
          const decoded = decode(text)
          expect(decoded === null ? text : encode(decoded)).toBe(text)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test.each(['QQ==', 'QR', 'Q', 'Q Q', 'QQ\n', 'Q+', 'Q/', 'QQé'])('base64url refuses %j', (text) => {
    expect(decodeBase64Url(text)).toBeNull()
  })

  test.each(['QQ', 'QR==', 'Q===', 'Q_==', ' QQ==', 'QQ==\n'])('base64 refuses %j', (text) => {
    expect(decodeBase64(text)).toBeNull()
  })

  test.each(['a', 'AB', 'zz', '0x', ' ab '])('hex refuses %j', (text) => {
    expect(decodeHex(text)).toBeNull()
  })

  test('encode a body larger than an argument list', () => {
    const large = new Uint8Array(300_000).fill(7)
    expect(decodeBase64(encodeBase64(large))).toStrictEqual(large)
  })
})

describe('UTF-8', () => {
  test('refuses bytes that are not UTF-8 and keeps a byte order mark', () => {
    expect(fromUtf8(new Uint8Array([0xff]))).toBeNull()
    expect(fromUtf8(utf8('\uFEFFa'))).toBe('\uFEFFa')
  })
})

describe('length-prefixed lists', () => {
  test('two different lists never give the same bytes', () => {
    const list = fc.array(fc.string({ unit: fc.constantFrom('a', '\u0000', '\u0001'), maxLength: 3 }), { maxLength: 4 })
    fc.assert(
      fc.property(list, list, (left, right) => {
        const isSame = JSON.stringify(left) === JSON.stringify(right)
        expect(encodeHex(lengthPrefixed(left)) === encodeHex(lengthPrefixed(right))).toBe(isSame)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('constant-time comparison', () => {
  test('is equality of bytes, and false for unequal lengths', () => {
    fc.assert(
      fc.property(bytes, bytes, (left, right) => {
        expect(equalConstantTime(left, right)).toBe(encodeHex(left) === encodeHex(right))
        expect(equalConstantTime(left, left.slice())).toBe(true)
        expect(equalConstantTime(left, new Uint8Array([...left, 0]))).toBe(false)
      }),
    )
  })

  test('sees a flip of any one bit', () => {
    const flip = fc.record({ value: fc.uint8Array({ minLength: 1, maxLength: 64 }), at: fc.nat(), bit: fc.nat(7) })
    fc.assert(
      fc.property(flip, ({ value, at, bit }) => {
        const flipped = value.slice()
        const index = at % value.length
        flipped[index] = (flipped[index] ?? 0) ^ (1 << bit)
        expect(equalConstantTime(value, flipped)).toBe(false)
      }),
    )
  })
})
