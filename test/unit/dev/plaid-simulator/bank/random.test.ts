import { describe, expect, it } from 'vitest'
import { between, pick, randomFrom } from '../../../../../src/dev/plaid-simulator/bank/random.ts'

const draw = (seed: string, count: number): number[] => {
  const random = randomFrom(seed)
  return Array.from({ length: count }, random)
}

describe('seeded randomness', () => {
  it('is the same for the same seed and another for another', () => {
    expect(draw('a', 50)).toEqual(draw('a', 50))
    expect(draw('a', 50)).not.toEqual(draw('b', 50))
    expect(draw('seed-1', 50)).not.toEqual(draw('seed-2', 50))
  })

  it('fills [0, 1) evenly', () => {
    const counts = Array.from({ length: 20 }, () => 0)
    for (const number of draw('evenly', 20_000)) {
      expect(number >= 0 && number < 1).toBe(true)
      const bucket = Math.floor(number * 20)
      counts[bucket] = (counts[bucket] ?? 0) + 1
    }
    // Each should have 1000; 150 is nearly five standard deviations.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('draws both ends of a range and every choice', () => {
    const random = randomFrom('ends')
    expect(new Set(Array.from({ length: 200 }, () => between(random, 3, 5)))).toEqual(new Set([3, 4, 5]))
    expect(new Set(Array.from({ length: 200 }, () => pick(random, ['a', 'b'])))).toEqual(new Set(['a', 'b']))
    expect(() => pick(random, [])).toThrow(RangeError)
  })
})
