// The commit of a sync as the Worker makes it, from the first staged slice to the last statement. Uses the real
// functions of src/db, with generated rows instead of a bank's.
import type { Client } from 'pg'
import { commitRun } from '../../db/commit.ts'
import { writeAccounts } from '../../db/records/accounts-merge.ts'
import { mergeTransactions, stageTransactions, type PlaidTransactionRow } from '../../db/records/transactions-merge.ts'
import { acquireLease } from '../../db/sync/work.ts'
import { accountsOf, bankRows, changesOf, type HeldItem, makeItem } from './bank-rows.ts'
import type { ScratchDatabase } from './scratch-database.ts'
import { copyIn, copyText, storedRows } from './stored-row.ts'

/** How many changes a sync holds in memory before it stages them (src/sync/transactions.ts). */
const heldChanges = 5000
const othersRows = 50_000

/** Leases the item's transactions and returns a function that stores `rows` under that lease. */
export async function prepareCommit(
  { jobs }: ScratchDatabase,
  item: HeldItem,
  rows: readonly PlaidTransactionRow[],
): Promise<() => Promise<void>> {
  const taken = await acquireLease(jobs, item.itemProductId, crypto.randomUUID())
  if (taken.kind !== 'taken') throw new Error(`The item is ${taken.kind}.`)
  const { lease } = taken
  const changes = changesOf(rows)
  return async () => {
    while (changes.length > heldChanges) await stageTransactions(jobs, lease, changes.splice(0, heldChanges))
    const report = { trigger: 'bench', pages: 1, restarts: 0, requestIds: [], note: null }
    const end = { cursor: 'the end', historyStatus: null, againSeconds: null, showsHealth: true }
    const statements = [...writeAccounts(lease, accountsOf(), false, null), mergeTransactions(lease, changes, [], 2555)]
    const result = await commitRun(jobs, lease, report, end, statements, [], null)
    if (result.kind !== 'committed') throw new Error(`The commit was ${result.kind}.`)
  }
}

/** Makes the item due again. Its next read begins at its cursor, or at the start as after a lost cursor. */
export async function makeDue(owner: Client, { itemProductId }: HeldItem, from: 'cursor' | 'start'): Promise<void> {
  const text = `update item_products set dirty_seq = dirty_seq + 1, cursor = case when $2 then null else cursor end where id = $1`
  await owner.query(text, [itemProductId, from === 'start'])
}

/**
 * Creates two other users with many transactions, so that indexes are as deep as in production, and statistics. After
 * this, autovacuum no longer cleans up or analyses during the benchmark.
 */
export async function fillWithOthers(owner: Client): Promise<void> {
  await owner.query('alter table transactions set (autovacuum_enabled = off)')
  const rows = bankRows(othersRows)
  for (const subject of ['one', 'another']) {
    const item = await makeItem(owner, `others: ${subject}`)
    await copyIn(owner, copyText(storedRows(item, rows)))
  }
  await owner.query('vacuum analyze')
}
