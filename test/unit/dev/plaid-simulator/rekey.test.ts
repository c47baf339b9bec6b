// Ids of items: a bijection from the bank's ids. Ids that differ only in case stay different.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { rekey } from '../../../../src/dev/plaid-simulator/state/rekey.ts'

const { fromBank, toBank } = rekey('one')
const character = fc.constantFrom('A', 'B', 'Z', 'a', 'b', 'z', '0', '1', '9', '-', '_', 'ä')
const id = fc.string({ unit: character, minLength: 1, maxLength: 37 })

test('every id comes back from what it became', () => {
  fc.assert(
    fc.property(id, (bankId) => {
      expect([toBank(fromBank(bankId)), fromBank(toBank(bankId))]).toEqual([bankId, bankId])
    }),
  )
})

test('ids that differ by case alone still differ after a relink', () => {
  fc.assert(
    fc.property(id, (bankId) => {
      expect(fromBank(bankId.toUpperCase())).toBe(fromBank(bankId.toLowerCase()).toUpperCase())
    }),
  )
})

test('another item has other ids for the same bank', () => {
  const long = 'BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp'
  expect(new Set([long, fromBank(long), rekey('two').fromBank(long)]).size).toBe(3)
})
