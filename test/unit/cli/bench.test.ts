// The report of a benchmark: a median, and a table as wide as its words.
import { describe, expect, it } from 'vitest'
import { describeMachine, median, rounded, tableOf } from '../../../src/cli/bench/result.ts'

describe('a benchmark’s result', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
  ])('is the median of %j', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  it('is printed with three digits', () => {
    expect([rounded(0.123456), rounded(1234.5)]).toEqual([0.123, 1230])
  })

  it('is a row under the names of its columns', () => {
    const result = { name: 'limits', value: 0.4, unit: 'ms', against: 2, ratio: 0.2, target: '< 1 ms', ok: true }
    expect(tableOf([result, { ...result, name: 'x', value: 10, ok: false }])).toBe(
      [
        'benchmark  value   against  ratio  target  met',
        'limits     0.4 ms  2 ms     0.2    < 1 ms  yes',
        'x          10 ms   2 ms     0.2    < 1 ms  NO',
        '',
      ].join('\n'),
    )
  })

  it('names the machine', () => {
    expect(describeMachine()).toMatchObject({ cores: expect.any(Number), node: process.versions.node })
  })
})
