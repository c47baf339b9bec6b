// When the counts of Plaid calls are written: at once where none were lately, else together with those that follow.
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { createUsageCounter, type UsageCount } from '../../../src/plaid/usage-counter.ts'
import { createUsageFlush } from '../../../src/plaid/usage-flush.ts'

function isolate(save: (counts: readonly UsageCount[]) => Promise<void> = () => Promise.resolve()) {
  const usage = createUsageCounter()
  const writes: number[] = []
  const lines: string[] = []
  const sleepers: (() => void)[] = []
  let nowMs = 1_000_000
  const flush = createUsageFlush({
    usage,
    save: async (counts) => {
      writes.push(counts.reduce((sum, { calls }) => sum + calls, 0))
      await save(counts)
    },
    wait: () => new Promise((resolve) => sleepers.push(resolve)),
    now: () => nowMs,
  })
  const log = createLogger({}, { sink: (line) => lines.push(line) })
  return {
    writes,
    lines,
    sleepers,
    pass: (milliseconds: number) => (nowMs += milliseconds),
    /** A request that calls Plaid once and ends. */
    request: () => {
      usage.count('/item/get', 'ok')
      return flush(log)
    },
  }
}

describe('the counts of Plaid calls', () => {
  it('are written immediately by a request that comes alone', async () => {
    const { writes, request, pass } = isolate()
    await request()
    pass(5000)
    await request()
    expect(writes).toEqual([1, 1])
  })

  it('are written twice for many requests at the same time, and none is lost', async () => {
    const { writes, request, pass, sleepers } = isolate()
    const requests = Array.from({ length: 100 }, () => request())
    expect(sleepers).toHaveLength(1)
    pass(5000)
    sleepers[0]?.()
    await Promise.all(requests)
    expect(writes).toEqual([1, 99])
  })

  it('are written by the next request where the one that waited was cancelled', async () => {
    const { writes, request, pass, sleepers } = isolate()
    await request()
    void request()
    pass(4000)
    void request()
    expect(writes).toEqual([1])
    pass(7000)
    await request()
    expect(writes).toEqual([1, 3])
    expect(sleepers).toHaveLength(1)
    void request()
    expect(sleepers).toHaveLength(2)
  })

  it('are logged and dropped where they cannot be saved, and the request does not fail', async () => {
    const { lines, request } = isolate(() => Promise.reject(new Error('down')))
    await request()
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { event: 'plaid_usage_not_recorded', count: 1 },
    ])
  })
})
