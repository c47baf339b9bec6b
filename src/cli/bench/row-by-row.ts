// The commit of a page of new transactions compared with upserting the same rows one by one, with one statement and
// round trip each, as a loop would. Both use one plain connection to a server with durable commits.
import { bankRows, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { openConnection, type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, prepareCommit } from './stored-commit.ts'
import { storedRows, upsertOneByOne } from './stored-row.ts'

const rowCount = 500
const rounds = 5
const target = 10

async function measure(database: ScratchDatabase, signal: AbortSignal): Promise<Result> {
  const client = await openConnection(database.jobsUrl)
  const rows = bankRows(rowCount)
  const newItem = () => makeItem(database.owner, crypto.randomUUID())
  const [set, single]: [number[], number[]] = [[], []]
  try {
    for (let round = 0; round < rounds; round += 1) {
      signal.throwIfAborted()
      set.push(await database.directly(await prepareCommit(database, await newItem(), rows)))
      const stored = storedRows(await newItem(), rows)
      const started = performance.now()
      await upsertOneByOne(client, stored)
      single.push(performance.now() - started)
    }
  } finally {
    await client.end()
  }
  const [value, against] = [(rowCount * 1000) / median(set), (rowCount * 1000) / median(single)]
  const ratio = value / against
  const shown = { value: rounded(value), unit: 'rows/s', against: rounded(against), ratio: rounded(ratio) }
  const name = `commit of ${rowCount} new, against a statement a row`
  return { name, ...shown, target: `>= ${target} times`, ok: ratio >= target }
}

export const rowByRowBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase({ durable: true })
    try {
      await fillWithOthers(database.owner)
      say('committing, and upserting row by row')
      return [await measure(database, signal)]
    } finally {
      await database.stop()
    }
  },
}
