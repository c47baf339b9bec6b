// When memory counts as flat, and whose processor time a profile shows.
import { describe, expect, it } from 'vitest'
import { countDifferences } from '../../../../src/cli/load/books.ts'
import { selfTimeOf } from '../../../../src/cli/load/profile.ts'
import { memoryOf } from '../../../../src/cli/load/soak.ts'

const megabyte = 1024 * 1024
const samples = (bytes: (index: number) => number, count = 40) =>
  Array.from({ length: count }, (_, index) => ({ requests: index * 1000, bytes: bytes(index) }))

describe('the memory of a load test', () => {
  it('is flat if it only varies', () => {
    expect(memoryOf(samples((index) => (100 + (index % 3)) * megabyte))).toMatchObject({ firstMb: 101, isFlat: true })
  })

  it('is not flat if it grows with the requests', () => {
    expect(memoryOf(samples((index) => (100 + index) * megabyte))).toEqual({
      firstMb: 110,
      secondMb: 130,
      slopeKb: 1020,
      isFlat: false,
    })
  })

  it('is flat if it grows at the start only', () => {
    expect(memoryOf(samples((index) => Math.min(100 + index * 10, 150) * megabyte))).toMatchObject({
      slopeKb: 0,
      isFlat: true,
    })
  })

  it.each([0, 1, 7])('is not known to be flat from %d samples', (count) => {
    expect(memoryOf(samples(() => megabyte, count)).isFlat).toBe(false)
  })
})

describe('a profile', () => {
  const frame = (functionName: string) => ({ functionName, lineNumber: 0, columnNumber: 0 })
  const nodes = ['(root)', '(program)', '(idle)', '(garbage collector)', 'parse', 'render'].map((name, index) => ({
    id: index + 1,
    callFrame: frame(name),
  }))

  const ofProfile = (ids: number[], timeDeltas: number[]) =>
    selfTimeOf({ nodes, samples: ids, timeDeltas }, (_line, _column, name) => name)

  it('counts the time of functions, and collections and idle time apart from it', () => {
    const found = ofProfile([5, 6, 5, 4, 3, 2], [250, 250, 250, 250, 5000, 1000])
    expect(found).toEqual({
      busyMs: 0.75,
      garbageMs: 0.25,
      idleMs: 6,
      functions: [
        { name: 'parse', ms: 0.5 },
        { name: 'render', ms: 0.25 },
      ],
    })
  })

  it('does not count the time before a sample in which the isolate waited', () => {
    const { busyMs, idleMs } = ofProfile([5, 5, 5], [250, 250, 10_250])
    expect({ busyMs, idleMs }).toEqual({ busyMs: 0.75, idleMs: 10 })
  })

  it('takes the requested interval where no two samples are neighbours', () => {
    expect(ofProfile([5], [10_000]).busyMs).toBeCloseTo(0.2)
  })
})

describe('stored rows', () => {
  it.each([
    [['a', 'b'], ['b', 'a'], 0],
    [['a', 'b'], ['a'], 1],
    [['a'], ['a', 'b'], 1],
    [['a'], ['b'], 2],
  ])('%j and %j differ in what only one has', (one, other, expected) => {
    expect(countDifferences(one, other)).toBe(expected)
  })
})
