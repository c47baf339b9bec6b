// Checks that a day of 100,000 items fits Plaid's limits, and how long users wait. Runs the real scheduling code on a
// database with a simulated clock. Calls nothing else over HTTP.
import { freshness, type SyncProduct, syncProducts } from '../../sync/products.ts'
import { type Benchmark, type Result, rounded } from './result.ts'
import { type Age, startSimulatedDatabase } from './scheduling/database.ts'
import { type DayReport, simulateDay } from './scheduling/day.ts'
import { busiestMinute, createSimulatedPlaid, limitOfPath, paths, type Trouble } from './scheduling/plaid.ts'
import { createTraffic } from './scheduling/traffic.ts'

const items = 100_000
const startMs = Date.parse('2031-03-04T00:00:00Z')
const hourMs = 3_600_000
/** Plaid has an outage at the busiest hour of users, and refuses syncs at the busiest hour of banks. */
const trouble: Trouble = {
  outage: [startMs + 19 * hourMs, startMs + 20 * hourMs],
  refusals: [startMs + 5.5 * hourMs, startMs + 5.5 * hourMs + 120_000],
}
const awaitedSeconds = 15
/** The outage, and the longest backoff between two attempts of what failed in it. */
const afterOutageSeconds = 2 * 3600
/** The hourly marking, and the sweeps until a queued message is processed, also after an outage of an hour. */
const lateSeconds = 3 * 3600
const mostMissedSeconds = freshness.item.staleAfterSeconds + lateSeconds

/** Mulberry32: the same day in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function atMost(name: string, value: number, most: number, unit: string): Result {
  const ratio = rounded(value / most)
  return {
    name: `scheduling: ${name}`,
    value: Number(value.toFixed(1)),
    unit,
    against: most,
    ratio,
    target: `<= ${most} ${unit}`,
    ok: value <= most,
  }
}

function resultsOf(report: DayReport, calls: ReadonlyMap<string, readonly number[]>, ages: readonly Age[]): Result[] {
  const peaks = paths.map((path) =>
    atMost(`busiest minute of ${path}`, busiestMinute(calls.get(path) ?? []), limitOfPath(path), 'calls'),
  )
  const { clickSeconds, webhookSeconds, missedSeconds, quietClickSeconds, quietWebhookSeconds } = report
  const ageOf = (product: SyncProduct): number => ages.find((age) => age.product === product)?.oldestSeconds ?? Infinity
  return [
    ...peaks,
    atMost('click to done, median', percentile(clickSeconds, 0.5), awaitedSeconds, 's'),
    atMost('click to done, p99 without trouble', percentile(quietClickSeconds, 0.99), awaitedSeconds, 's'),
    atMost('click to done, p99 with the outage', percentile(clickSeconds, 0.99), afterOutageSeconds, 's'),
    atMost('webhook to done, median', percentile(webhookSeconds, 0.5), awaitedSeconds, 's'),
    atMost('webhook to done, p99 without trouble', percentile(quietWebhookSeconds, 0.99), awaitedSeconds, 's'),
    atMost('webhook to done, p99 with the outage', percentile(webhookSeconds, 0.99), afterOutageSeconds, 's'),
    atMost('lost webhook to done, p99', percentile(missedSeconds, 0.99), mostMissedSeconds, 's'),
    ...syncProducts.map((product) =>
      atMost(`oldest ${product} at the end`, ageOf(product), freshness[product].staleAfterSeconds + lateSeconds, 's'),
    ),
  ]
}

export const schedulingBenchmark: Benchmark = {
  async run(say, signal) {
    const random = seeded(7)
    say(`filling a database with ${items} items`)
    const database = await startSimulatedDatabase(items, startMs)
    try {
      const plaid = createSimulatedPlaid(startMs, trouble, random)
      const traffic = createTraffic(items, trouble, random)
      const report = await simulateDay({ startMs, database, plaid, traffic, random }, say, signal)
      const ages = await database.ages()
      say(
        `${report.runs} runs, ${report.deferred} deferred, at most ${report.mostQueued} queued by a sweep, at most ${report.longestLine} messages in line, ${report.left} of ${report.clickSeconds.length + report.webhookSeconds.length} awaited at the end`,
      )
      return resultsOf(report, plaid.calls, ages)
    } finally {
      await database.stop()
    }
  },
}
