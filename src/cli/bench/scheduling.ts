// Checks that a day of 100,000 items fits Plaid's limits, and how long users wait; of more items, with the limits of a
// contract. Runs the real scheduling code on a database with a simulated clock. Calls nothing else over HTTP.
import * as z from 'zod'
import { limitsWith, type PlaidLimitChoices, type PlaidLimits } from '../../plaid/rate-limit/limits.ts'
import { freshness, type SyncProduct, syncProducts } from '../../sync/products.ts'
import { type Benchmark, type Result, rounded } from './result.ts'
import { type Age, startSimulatedDatabase } from './scheduling/database.ts'
import { type DayReport, simulateDay } from './scheduling/day.ts'
import { busiestMinute, createSimulatedPlaid, limitOfPath, paths, type Trouble } from './scheduling/plaid.ts'
import { createTraffic } from './scheduling/traffic.ts'

/** What Plaid's documented limits and the default of `SWEEP_WAKES_PER_SECOND` are enough for. */
const documentedItems = 100_000
const documentedRate = 25
/**
 * The concurrency that Cloudflare reaches with wrangler.toml's max_concurrency of 250 and this load: it scales up slowly.
 */
const documentedConsumers = 50
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

function parseChosenLimits(text: string | undefined): PlaidLimitChoices {
  return text === undefined
    ? {}
    : z.record(z.string(), z.object({ item: z.int().optional(), client: z.int().optional() })).parse(JSON.parse(text))
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

function resultsOf(
  report: DayReport,
  plaid: ReturnType<typeof createSimulatedPlaid>,
  limits: PlaidLimits,
  ages: readonly Age[],
): Result[] {
  const peaks = paths.map((path) =>
    atMost(`busiest minute of ${path}`, busiestMinute(plaid.calls.get(path) ?? []), limitOfPath(path, limits), 'calls'),
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
  async run(say, signal, { items, hours }) {
    const random = seeded(7)
    const times = Math.max(1, items / documentedItems)
    const choices = parseChosenLimits(process.env['PLAID_LIMITS'])
    const limits = limitsWith(choices)
    say(`filling a database with ${items} items`)
    // A part of a day begins one hour before the outage.
    const beginMs = hours === 24 ? startMs : trouble.outage[0] - hourMs
    const database = await startSimulatedDatabase(items, beginMs)
    try {
      const plaid = createSimulatedPlaid(beginMs, trouble, limits, random)
      const traffic = createTraffic(items, trouble, random)
      const size = {
        hours,
        limits: choices,
        messagesPerSecond: documentedRate * times,
        consumers: Math.min(documentedConsumers * times, 250),
      }
      const report = await simulateDay({ startMs: beginMs, database, plaid, traffic, random, ...size }, say, signal)
      const ages = await database.ages()
      say(
        `${report.runs} runs, ${report.deferred} deferred, at most ${report.mostQueued} queued by a sweep, ` +
          `at most ${report.longestLine} messages in line, ` +
          `${report.left} of ${report.clickSeconds.length + report.webhookSeconds.length} awaited at the end`,
      )
      return resultsOf(report, plaid, limits, ages)
    } finally {
      await database.stop()
    }
  },
}
