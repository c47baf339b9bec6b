// The rows that the benchmarks of a commit use, and the cost of a commit: it grows with its rows, not with the rows of
// the table, for any number of rows and any statistics of the planner.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bankRows, changesOf, makeItem } from '../../../src/cli/bench/bank-rows.ts'
import { type ScratchDatabase, startScratchDatabase } from '../../../src/cli/bench/scratch-database.ts'
import { countStatements } from '../../../src/cli/bench/statements.ts'
import { makeDue, prepareCommit } from '../../../src/cli/bench/stored-commit.ts'
import { copyIn, copyText, storedRows } from '../../../src/cli/bench/stored-row.ts'
import { commitRun } from '../../../src/db/commit.ts'
import { type Lease, acquireLease } from '../../../src/db/sync/work.ts'
import { mergeTransactions, stageTransactions } from '../../../src/db/records/transactions-merge.ts'
import { sampleSize, sampled } from '../../support/sampled.ts'

const minute = 60_000

describe('a benchmark’s transactions', () => {
  it('are as many as asked for, no two alike', () => {
    const count = sampleSize({ all: 100_000, few: 5000 })
    const rows = bankRows(count)
    expect(new Set(rows.map(({ plaid_transaction_id: id }) => id)).size).toBe(count)
    expect(rows.every(({ plaid_transaction_id: id }) => id.length === 37)).toBe(true)
  })

  it('go into COPY’s text with what would end a value escaped', () => {
    expect(copyText([['a\tb', 'c\nd\re', null, String.raw`\N`]]).toString()).toBe('a\\tb\tc\\nd\\re\t\\N\t\\\\N\n')
  })
})

describe('the statements of a commit', () => {
  it('are as many for 5,000 transactions as for one', { timeout: minute }, async () => {
    const { 1: one, 500: page, 5000: many } = await countStatements()
    expect([page, many]).toEqual([one, one])
  })
})

describe('a commit', () => {
  let database: ScratchDatabase
  beforeAll(async () => {
    database = await startScratchDatabase()
  }, minute)
  afterAll(() => database.stop())

  it('stores the same rows as COPY does', { timeout: minute }, async () => {
    const rows = bankRows(50)
    const [merged, copied] = [await makeItem(database.owner, 'merged'), await makeItem(database.owner, 'copied')]
    await (
      await prepareCommit(database, merged, rows)
    )()
    await copyIn(database.owner, copyText(storedRows(copied, rows)))
    const stored = async (itemId: string): Promise<unknown> => {
      const text = `select t.plaid_transaction_id, a.plaid_account_id, t.date::text, t.amount, t.name, t.pending_transaction_id,
          t.category_detailed, t.pending from transactions t join accounts a on a.id = t.account_id
        where t.item_id = $1 order by t.plaid_transaction_id`
      return (await database.owner.query(text, [itemId])).rows
    }
    expect(await stored(merged.itemId)).toEqual(await stored(copied.itemId))
  })

  it.each(sampled(['cursor', 'start'] as const, 2))(
    'ends in time from the %s for 20,000 stored rows, although statistics estimate one row for both sides',
    { timeout: 3 * minute },
    async (from) => {
      const rows = bankRows(20_000)
      const [item, other] = [
        await makeItem(database.owner, crypto.randomUUID()),
        await makeItem(database.owner, 'other'),
      ]
      for (const table of ['transactions', 'sync_staging'])
        await database.owner.query(`alter table ${table} set (autovacuum_enabled = off)`)
      await (
        await prepareCommit(database, item, [])
      )()
      await makeDue(database.owner, item, from)
      const lease = await leaseOf(database, item.itemProductId)
      // Analyzed while both tables held only rows of others, so the planner expects no rows of this item and this run.
      await database.owner.query('delete from transactions')
      await copyIn(database.owner, copyText(storedRows(other, rows)))
      await database.owner.query('truncate sync_staging')
      await stageTransactions(database.jobs, { ...lease, runId: crypto.randomUUID() }, changesOf(rows.slice(0, 5000)))
      await database.owner.query('analyze transactions')
      await database.owner.query('analyze sync_staging')
      await copyIn(database.owner, copyText(storedRows(item, rows)))
      const changes = changesOf(rows)
      while (changes.length > 0) await stageTransactions(database.jobs, lease, changes.splice(0, 5000))
      const report = { trigger: 'test', pages: 1, restarts: 0, requestIds: [], note: null }
      const end = { cursor: 'later', historyStatus: null, againSeconds: null, showsHealth: true }
      const committing = commitRun(
        database.jobs,
        lease,
        report,
        end,
        [mergeTransactions(lease, [], [], 2555)],
        [],
        null,
      )
      expect(await committing).toMatchObject({ kind: 'committed' })
    },
  )
})

async function leaseOf({ jobs }: ScratchDatabase, itemProductId: string): Promise<Lease> {
  const taken = await acquireLease(jobs, itemProductId, crypto.randomUUID())
  if (taken.kind !== 'taken') throw new Error(taken.kind)
  return taken.lease
}
