// Sums and differences of amounts in the console keep every digit.
import { expect, test } from 'vitest'
import { compare, difference, isZero, sumOf } from '../../../src/console/format/decimal.ts'

test('a sum keeps every digit, also those that a number would lose', () => {
  expect(sumOf(['0.1', '0.2'])).toBe('0.3')
  expect(sumOf(['9007199254740993.01', '0.000000000000000001'])).toBe('9007199254740993.010000000000000001')
  expect(sumOf(['-0.05', '0.05'])).toBe('0')
  expect(sumOf(['-1.5', '1'])).toBe('-0.5')
  expect(sumOf(['100', '200'])).toBe('300')
  expect(sumOf([])).toBe('0')
})

test('a difference has the sign of the greater side', () => {
  expect(difference('10', '12.25')).toBe('-2.25')
  expect(difference('10', '-12.25')).toBe('22.25')
  expect(difference('0', '0')).toBe('0')
})

test('amounts are compared by value, not by text', () => {
  expect(['10', '9.5', '-3', '9.50', '100.01'].toSorted(compare)).toEqual(['-3', '9.5', '9.50', '10', '100.01'])
  expect(compare('1.0', '1')).toBe(0)
})

test('an amount of zero is zero in every spelling', () => {
  expect(['0', '0.00', '-0'].map(isZero)).toEqual([true, true, true])
  expect(['0.01', '10', '-1'].map(isZero)).toEqual([false, false, false])
})
