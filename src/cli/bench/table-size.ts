// A page, a commit, a sweep and a purge must cost the same with 100,000 transactions of other users as with millions.
// Measures two databases in turns, each over one connection of PostgreSQL's protocol.
import type { Client } from 'pg'
import * as z from 'zod'
import { purgeItem } from '../../db/items/purge.ts'
import { listTransactions } from '../../db/records/transactions.ts'
import { claimDue, markStale } from '../../db/sync/due.ts'
import { bankRows, makeItem } from './bank-rows.ts'
import { addCrowd, type Crowd, crowdOf, fillQuickly } from './crowd.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { prepareCommit } from './stored-commit.ts'

const smallRows = 100_000
const rounds = 11
const largestRatio = 2
const pageSize = 100
const commitSize = 500
const dueProducts = 200

const identity = { issuer: 'bench', subject: 'reader 1' }
const reader: Crowd = { name: 'reader', users: 1, transactions: 360, investments: 36 }
const removed: Crowd = { ...reader, name: 'removed' }

type Workload = (database: ScratchDatabase) => Promise<number>

const idRow = z.tuple([z.object({ id: z.string() })])

/** A removed item whose retention time has ended, with two years of data. */
async function addRemovedItem(owner: Client): Promise<string> {
  await addCrowd(owner, removed)
  const { rows } = await owner.query(
    `update items set status = 'removed', removed_at = now(), purge_at = now(), plaid_item_id = id::text
      where plaid_item_id = 'removed 1' returning id, (select 1 from users where id = user_id)`,
  )
  await owner.query(`update users set subject = id::text where subject = 'removed 1'`)
  return idRow.parse(rows)[0].id
}

const workloads: Readonly<Record<string, Workload>> = {
  [`page of ${pageSize} transactions`]: (database) =>
    database.directly(async () => {
      await listTransactions(database.api, identity, {}, pageSize, null)
    }),
  [`commit of ${commitSize} new transactions`]: async (database) => {
    const item = await makeItem(database.owner, crypto.randomUUID())
    let commit = async (): Promise<void> => undefined
    // Not over HTTP either: the driver has one endpoint, and there are two databases.
    await database.directly(async () => {
      commit = await prepareCommit(database, item, bankRows(commitSize))
    })
    return await database.directly(() => commit())
  },
  [`sweep with ${dueProducts} products due`]: async (database) => {
    const due = `select id from item_products where synced_seq = dirty_seq limit ${dueProducts}`
    await database.owner.query(
      `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where id in (${due})`,
    )
    const spent = await database.directly(async () => {
      const { ids: claimed } = await claimDue(database.jobs, 10 * dueProducts, 600)
      if (claimed.length !== dueProducts) throw new Error(`A sweep claimed ${claimed.length}.`)
      await markStale(database.jobs, 'transactions', { olderThanSeconds: 86_400, spreadSeconds: 60, limit: 1000 })
    })
    await database.owner.query('update item_products set synced_seq = dirty_seq where dirty_seq > synced_seq')
    return spent
  },
  'purge of an item': async (database) => {
    const id = await addRemovedItem(database.owner)
    const spent = await database.directly(() => purgeItem(database.jobs, id))
    const { rows } = await database.owner.query('select 1 from items where id = $1', [id])
    if (rows.length > 0) throw new Error('The item was not purged.')
    return spent
  },
}

function resultOf(name: string, small: readonly number[], large: readonly number[], rows: number): Result {
  const [value, against] = [median(large), median(small)]
  const ratio = value / against
  const figures = { value: rounded(value), unit: 'ms', against: rounded(against), ratio: rounded(ratio) }
  const title = `${name} among ${rows} transactions, against ${smallRows}`
  return { name: title, ...figures, target: `<= ${largestRatio} times`, ok: ratio <= largestRatio }
}

async function compare(small: ScratchDatabase, large: ScratchDatabase, rows: number, signal: AbortSignal) {
  const results: Result[] = []
  for (const [name, workload] of Object.entries(workloads)) {
    const times: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round += 1) {
      signal.throwIfAborted()
      times[0].push(await workload(small))
      times[1].push(await workload(large))
    }
    results.push(resultOf(name, ...times, rows))
  }
  return results
}

async function fill(database: ScratchDatabase, rows: number): Promise<void> {
  await fillQuickly(database.owner, crowdOf('other', rows))
  await addCrowd(database.owner, reader)
  await database.owner.query('update item_products set synced_seq = dirty_seq')
  await database.owner.query('vacuum analyze')
}

export const tableSizeBenchmark: Benchmark = {
  async run(say, signal, { rows }) {
    const small = await startScratchDatabase()
    try {
      const large = await startScratchDatabase()
      try {
        say(`storing ${smallRows} and ${rows} transactions`)
        await fill(small, smallRows)
        await fill(large, rows)
        say('reading, committing, sweeping and purging in both')
        return await compare(small, large, rows, signal)
      } finally {
        await large.stop()
      }
    } finally {
      await small.stop()
    }
  },
}
