// What the most rules of a user add to the commit of 500 new transactions, against the same commit of a user without rules.
// The two alternate, each time for a new user.
import { mostRules } from '../../db/records/rules.ts'
import { bankRows, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, prepareCommit } from './stored-commit.ts'

const size = 500
const ruleCount = mostRules
const rounds = 40
const warmUps = 3
const most = 0.5

/** Half of the rules look for a text that no transaction has, and half for an amount too. One matches some. */
const makeRules = `insert into rules (user_id, position, contains, max_amount, user_category)
  select $1, n, case when n = $2 then 'a' else 'a text of rule ' || n end, case when n % 2 = 0 then 100 * n end, 'Rule ' || n
  from generate_series(1, $2) n`

async function timed(database: ScratchDatabase, rows: ReturnType<typeof bankRows>, hasRules: boolean): Promise<number> {
  const item = await makeItem(database.owner, crypto.randomUUID())
  if (hasRules) await database.owner.query(makeRules, [item.userId, ruleCount])
  return await database.directly(await prepareCommit(database, item, rows))
}

async function measure(database: ScratchDatabase, signal: AbortSignal): Promise<Result> {
  const rows = bankRows(size)
  const times: { readonly ruled: number[]; readonly plain: number[] } = { ruled: [], plain: [] }
  for (let round = -warmUps; round < rounds; round += 1) {
    signal.throwIfAborted()
    const isFirst = round % 2 === 0
    const one = await timed(database, rows, isFirst)
    const other = await timed(database, rows, !isFirst)
    if (round < 0) continue
    times.ruled.push(isFirst ? one : other)
    times.plain.push(isFirst ? other : one)
  }
  const added = median(times.ruled.map((time, index) => time - (times.plain[index] ?? NaN)))
  const ratio = added / median(times.plain)
  return {
    name: `rules: commit of ${size} new transactions of a user with ${ruleCount} rules`,
    value: rounded(median(times.ruled)),
    unit: 'ms',
    against: rounded(median(times.plain)),
    ratio: rounded(1 + ratio),
    target: `< ${most * 100} % more, median of the pairs`,
    ok: ratio < most,
  }
}

export const rulesBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      say(`committing ${size}, ${rounds} pairs`)
      return [await measure(database, signal)]
    } finally {
      await database.stop()
    }
  },
}
