// The place of a client in a read of the change feed that started at 0.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeFirstRead, encodeFirstRead, isUpToDate } from '../../../src/http/routes/transactions/first-read.ts'

/** The highest number that the encoding supports: sixty restored backups, each of which adds a billion. */
const highest = 68_719_476_735
const number = fc.integer({ min: 1, max: highest })

it('the place in a first read comes back as it was, as one negative integer', () => {
  fc.assert(
    fc.property(number, number, (readTo, missingTo) => {
      const since = encodeFirstRead(readTo, missingTo)
      expect([Number.isSafeInteger(since), since < 0]).toEqual([true, true])
      const place = decodeFirstRead(since)
      expect([place.readTo, isUpToDate(place, missingTo)]).toEqual([readTo, true])
    }),
  )
})

it.each([1, 2, 500, 50_000, 65_536, 100_000, 1_000_000, 1_000_000_000, 1_000_000_001])(
  'the place in a first read is out of date when %i more removals are missing',
  (more) => {
    fc.assert(
      fc.property(number, fc.integer({ min: 0, max: highest - more }), (readTo, missingTo) => {
        const place = decodeFirstRead(encodeFirstRead(readTo, missingTo))
        expect(isUpToDate(place, missingTo + more)).toBe(false)
      }),
    )
  },
)

it('the place in a first read is a whole number for any integer that a client makes up', () => {
  fc.assert(
    fc.property(fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: -1 }), (since) => {
      const { readTo, remainder } = decodeFirstRead(since)
      expect([Number.isSafeInteger(readTo), readTo >= 0, remainder >= 0]).toEqual([true, true, true])
    }),
  )
})

it('the place in a first read is not encoded where the integer would be inexact', () => {
  expect(() => encodeFirstRead(2 ** 37, 1)).toThrow(RangeError)
})
