// Checks that the number of statements of a commit does not depend on the number of rows. Counted at the endpoint, so
// that a loop in the Worker or the driver would show.
import { bankRows, makeItem } from './bank-rows.ts'
import type { Benchmark, Result } from './result.ts'
import { startScratchDatabase } from './scratch-database.ts'
import { prepareCommit } from './stored-commit.ts'

const sizes = [1, 500, 5000] as const

/** The number of statements of one commit by number of transactions, all in one request. */
export async function countStatements(): Promise<Record<(typeof sizes)[number], number>> {
  const seen: string[][] = []
  const database = await startScratchDatabase({ onRequest: ({ queries }) => void seen.push(queries) })
  const counts = { 1: 0, 500: 0, 5000: 0 }
  try {
    for (const size of sizes) {
      const commit = await prepareCommit(database, await makeItem(database.owner, crypto.randomUUID()), bankRows(size))
      seen.length = 0
      await commit()
      if (seen.length !== 1) throw new Error(`A commit of ${size} was ${seen.length} requests.`)
      counts[size] = seen.flat().length
    }
    return counts
  } finally {
    await database.stop()
  }
}

export const statementsBenchmark: Benchmark = {
  async run() {
    const { 1: one, 5000: many } = await countStatements()
    const name = 'statements of a commit of 5000, against a commit of 1'
    const result: Result = {
      name,
      value: many,
      unit: 'statements',
      against: one,
      ratio: many / one,
      target: 'equal',
      ok: many === one,
    }
    return [result]
  },
}
