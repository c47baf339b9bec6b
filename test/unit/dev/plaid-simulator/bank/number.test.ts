import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addExact,
  cents,
  compareExact,
  exact,
  isExact,
  minorUnits,
  multiplyExact,
  negateExact,
  roundExact,
  subtractExact,
  wholeOf,
} from '../../../../../src/dev/plaid-simulator/bank/number.ts'
import type { RawNumber } from '../../../../../src/dev/plaid-simulator/bank/values.ts'

/** An independent representation of a decimal: a fraction of two integers. */
interface Fraction {
  over: bigint
  under: bigint
}

function fractionOf({ rawJSON }: RawNumber): Fraction {
  const [mantissa = '', exponent = '0'] = rawJSON.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const over = BigInt(whole + fraction)
  const power = BigInt(exponent) - BigInt(fraction.length)
  return power < 0n ? { over, under: 10n ** -power } : { over: over * 10n ** power, under: 1n }
}

const equal = (left: Fraction, right: Fraction): boolean => left.over * right.under === right.over * left.under

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(25), fc.option(fc.integer({ min: -20, max: 20 })))
  .map(([digits, scale, exponent]) => {
    const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
    const mantissa = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
    return exact(`${digits < 0n ? '-' : ''}${mantissa}${exponent === null ? '' : `e${exponent}`}`)
  })

describe('exact decimals', () => {
  it('keep the text that they were made from, to the letter', () => {
    for (const text of ['0', '-0', '12.50', '1234567890123456.10', '0.000000000000000001', '1E+3', '-7e-2']) {
      expect(JSON.stringify({ amount: exact(text) })).toBe(`{"amount":${text}}`)
    }
  })

  it('are not made from anything that JSON would not call a number, nor from an exponent that would fill the memory', () => {
    for (const text of [
      '',
      ' 1',
      '1.',
      '.5',
      '+1',
      '01',
      '0x10',
      'NaN',
      'Infinity',
      '"1"',
      '1e1000',
      '1e-99999',
      '1,5',
    ]) {
      expect(() => exact(text)).toThrow(RangeError)
    }
  })

  it('are recognised, and numbers, strings and lookalikes are not', () => {
    expect(isExact(exact('1.10'))).toBe(true)
    for (const value of [1.1, '1.10', null, undefined, {}, { rawJSON: '1.10' }, JSON.rawJSON('"text"')]) {
      expect(isExact(value)).toBe(false)
    }
  })

  it('add, subtract, multiply and compare as fractions of integers do', () => {
    fc.assert(
      fc.property(decimals, decimals, (left, right) => {
        const [a, b] = [fractionOf(left), fractionOf(right)]
        const under = a.under * b.under
        expect(equal(fractionOf(addExact(left, right)), { over: a.over * b.under + b.over * a.under, under })).toBe(
          true,
        )
        expect(
          equal(fractionOf(subtractExact(left, right)), { over: a.over * b.under - b.over * a.under, under }),
        ).toBe(true)
        expect(equal(fractionOf(multiplyExact(left, right)), { over: a.over * b.over, under })).toBe(true)
        const difference = a.over * b.under - b.over * a.under
        expect(compareExact(left, right)).toBe(difference === 0n ? 0 : difference < 0n ? -1 : 1)
      }),
    )
  })

  it('give back what was added when it is taken away', () => {
    fc.assert(
      fc.property(decimals, decimals, (left, right) => {
        expect(compareExact(subtractExact(addExact(left, right), right), left)).toBe(0)
        expect(compareExact(addExact(left, negateExact(left)), exact('0'))).toBe(0)
      }),
    )
  })

  it('lose nothing where a float would', () => {
    expect(addExact(exact('0.1'), exact('0.2')).rawJSON).toBe('0.3')
    expect(addExact(exact('1234567890123456.10'), exact('0.000000000000000001')).rawJSON).toBe(
      '1234567890123456.100000000000000001',
    )
    expect(multiplyExact(exact('23.567'), exact('27')).rawJSON).toBe('636.309')
    expect(negateExact(exact('0.00')).rawJSON).toBe('0.00')
  })

  it('round half away from zero, both ways', () => {
    const cases = [
      ['1.005', 2, '1.01'],
      ['-1.005', 2, '-1.01'],
      ['1.0049', 2, '1.00'],
      ['2.5', 0, '3'],
      ['7', 2, '7'],
    ] as const
    for (const [text, places, rounded] of cases) expect(roundExact(exact(text), places).rawJSON).toBe(rounded)
  })

  it('count the smallest units of any currency', () => {
    expect(cents(-1250).rawJSON).toBe('-12.50')
    expect(cents(5).rawJSON).toBe('0.05')
    expect(minorUnits(1480, 0).rawJSON).toBe('1480')
    expect(minorUnits(41, 8).rawJSON).toBe('0.00000041')
    expect(() => cents(1.5)).toThrow(RangeError)
    expect(wholeOf(exact('-12.99'))).toBe(-12n)
  })
})
