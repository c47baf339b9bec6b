// The cost of committing new transactions, compared with COPY of the same rows into the same table, with the same
// indexes and constraints. The two alternate, each time for a user without transactions.
import { bankRows, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, prepareCommit } from './stored-commit.ts'
import { copyIn, copyText, storedRows } from './stored-row.ts'

/** Rounds by number of transactions; short measurements are repeated more often. */
const rounds = { 500: 15, 5000: 15, 50000: 3 } as const
const target = 0.35

type Side = 'copy' | 'database' | 'endpoint'
type Times = Readonly<Record<Side, number[]>>

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** The milliseconds of each side, each for a new user. */
function sidesOf(database: ScratchDatabase, rows: ReturnType<typeof bankRows>): Record<Side, () => Promise<number>> {
  const newItem = () => makeItem(database.owner, crypto.randomUUID())
  return {
    async copy() {
      const text = copyText(storedRows(await newItem(), rows))
      return await timed(() => copyIn(database.owner, text))
    },
    async database() {
      return await database.directly(await prepareCommit(database, await newItem(), rows))
    },
    async endpoint() {
      return await timed(await prepareCommit(database, await newItem(), rows))
    },
  }
}

function resultsOf(size: number, times: Times): Result[] {
  const rate = (side: Side): number => (size * 1000) / median(times[side])
  const result = (name: string, side: Side): Result => {
    const ratio = rate(side) / rate('copy')
    const shown = { value: rounded(rate(side)), unit: 'rows/s', against: rounded(rate('copy')), ratio: rounded(ratio) }
    return { name, ...shown, target: `>= ${target * 100} % of COPY`, ok: ratio >= target }
  }
  return [
    result(`commit of ${size} new, statements over a connection`, 'database'),
    result(`commit of ${size} new, through the HTTP endpoint`, 'endpoint'),
  ]
}

async function measure(database: ScratchDatabase, size: keyof typeof rounds, signal: AbortSignal): Promise<Result[]> {
  const sides = sidesOf(database, bankRows(size))
  const times: Times = { copy: [], database: [], endpoint: [] }
  const order: readonly Side[] = ['copy', 'database', 'endpoint']
  for (let round = 0; round < rounds[size]; round += 1)
    for (const side of round % 2 === 0 ? order : order.toReversed()) {
      signal.throwIfAborted()
      times[side].push(await sides[side]())
    }
  return resultsOf(size, times)
}

export const commitBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      const results: Result[] = []
      for (const size of [500, 5000, 50000] as const) {
        say(`committing ${size}`)
        results.push(...(await measure(database, size, signal)))
      }
      return results
    } finally {
      await database.stop()
    }
  },
}
