// An export of a user with very many rows stays within the memory of a Worker: the built bundle in workerd, whose heap is
// watched through its inspector. `npm run bench -- --only export-heap` does the same with 200,000.
import { expect, test } from 'vitest'
import { measureExports } from '../../src/cli/bench/export-heap.ts'
import { runsLongProofs } from '../support/sampled.ts'

test.runIf(runsLongProofs())(
  'an export of 60,000 transactions needs less than a quarter of an isolate’s memory, in both formats',
  async () => {
    const results = await measureExports(() => undefined, AbortSignal.timeout(280_000), 60_000)
    const heaps = results.filter(({ unit }) => unit === 'MB')
    expect(heaps.map(({ name, ok, value }) => [name, ok, value])).toEqual([
      [expect.stringContaining('jsonl'), true, expect.any(Number)],
      [expect.stringContaining('csv'), true, expect.any(Number)],
    ])
  },
  300_000,
)
