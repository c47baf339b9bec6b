// What a page, a commit, a sweep and a purge cost beside 100,000 transactions of other users, and beside millions: the
// same. Turn about in two databases, over one plain connection each.
import type { Client } from 'pg'
import * as z from 'zod'
import { purgeItem } from '../../db/items/purge.ts'
import { listTransactions } from '../../db/records/transactions.ts'
import { claimDue, markStale } from '../../db/sync/work.ts'
import { bankRows, makeItem } from './bank-rows.ts'
import { addCrowd, type Crowd, crowdOf, fillQuickly } from './crowd.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { prepareCommit } from './stored-commit.ts'

const SMALL_ROWS = 100_000
const ROUNDS = 11
const TARGET = 2
const PAGE_SIZE = 100
const COMMIT_SIZE = 500
const DUE_PRODUCTS = 200

const identity = { issuer: 'bench', subject: 'reader 1' }
const reader: Crowd = { name: 'reader', users: 1, transactions: 360, investments: 36 }
const removed: Crowd = { ...reader, name: 'removed' }

type Work = (database: ScratchDatabase) => Promise<number>

const idRow = z.tuple([z.object({ id: z.string() })])

/** A removed item whose time has come, with all that two years bring. */
async function addRemovedItem(owner: Client): Promise<string> {
  await addCrowd(owner, removed)
  const { rows } = await owner.query(
    `update items set status = 'removed', removed_at = now(), purge_at = now(), plaid_item_id = id::text
      where plaid_item_id = 'removed 1' returning id, (select 1 from users where id = user_id)`,
  )
  await owner.query(`update users set subject = id::text where subject = 'removed 1'`)
  return idRow.parse(rows)[0].id
}

const works: Readonly<Record<string, Work>> = {
  [`page of ${PAGE_SIZE} transactions`]: (database) =>
    database.directly(async () => {
      await listTransactions(database.api, identity, {}, PAGE_SIZE, null)
    }),
  [`commit of ${COMMIT_SIZE} new transactions`]: async (database) => {
    const item = await makeItem(database.owner, crypto.randomUUID())
    let commit = async (): Promise<void> => undefined
    // Also directly: the driver knows one endpoint, and there are two databases.
    await database.directly(async () => {
      commit = await prepareCommit(database, item, bankRows(COMMIT_SIZE))
    })
    return await database.directly(() => commit())
  },
  [`sweep with ${DUE_PRODUCTS} products due`]: async (database) => {
    const due = `select id from item_products where synced_seq = dirty_seq limit ${DUE_PRODUCTS}`
    await database.owner.query(
      `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where id in (${due})`,
    )
    const spent = await database.directly(async () => {
      const { ids: claimed } = await claimDue(database.jobs, 10 * DUE_PRODUCTS, 600)
      if (claimed.length !== DUE_PRODUCTS) throw new Error(`A sweep claimed ${claimed.length}.`)
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
  const shown = { value: rounded(value), unit: 'ms', against: rounded(against), ratio: rounded(ratio) }
  const among = `${name} beside ${rows} transactions, against ${SMALL_ROWS}`
  return { name: among, ...shown, target: `<= ${TARGET} times`, ok: ratio <= TARGET }
}

async function compare(small: ScratchDatabase, large: ScratchDatabase, rows: number, signal: AbortSignal) {
  const results: Result[] = []
  for (const [name, work] of Object.entries(works)) {
    const times: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round += 1) {
      signal.throwIfAborted()
      times[0].push(await work(small))
      times[1].push(await work(large))
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
        say(`storing ${SMALL_ROWS} and ${rows} transactions`)
        await fill(small, SMALL_ROWS)
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
