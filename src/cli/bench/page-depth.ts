// Pages of a user with 100,000 transactions: depth 90,000 compared with the first page, for each limit, and the cost of
// a filter that reads all of them. Uses the API's queries, with the login to which row-level policies apply.
import type { Client } from 'pg'
import * as z from 'zod'
import type { Key, Page } from '../../db/core/page.ts'
import { listInvestmentTransactions } from '../../db/records/investments.ts'
import { listTransactions, type TransactionFilters } from '../../db/records/transactions.ts'
import { bankRows, makeItem } from './bank-rows.ts'
import { addCrowd } from './crowd.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers } from './stored-commit.ts'
import { copyIn, copyText, storedRows } from './stored-row.ts'

const depth = 90_000
const rowCount = 100_000
const investmentCount = 6000
const limits = [1, 100, 500] as const
const roundCount = 30
const searchCount = 7
const depthTarget = 2
/** A page of 500 has five times the rows of a page of 100. */
const limitTarget = 7

const identity = { issuer: 'bench', subject: 'deep' }
const investor = { issuer: 'bench', subject: 'investor 1' }

/** Filters without a match, so that each is evaluated on every row. */
const searches: Readonly<Record<string, TransactionFilters>> = {
  'a text': { q: 'no merchant is called so' },
  'a category': { category: 'NO_SUCH_CATEGORY' },
  'an amount': { minAmount: '1000000', maxAmount: '2000000' },
  'pending ones': { pending: true },
}

const placeRow = z.object({ date: z.string(), id: z.string() })

async function placeAt(owner: Client, userId: string): Promise<Key> {
  const text = `select date::text, id from transactions where user_id = $1 order by date desc, id desc offset $2 limit 1`
  const { rows } = await owner.query(text, [userId, depth - 1])
  const [{ date, id }] = z.tuple([placeRow]).parse(rows)
  return [date, id]
}

type Ask = () => Promise<Page<unknown>>

async function timed(database: ScratchDatabase, rows: number, ask: Ask): Promise<number> {
  return await database.directly(async () => {
    const page = await ask()
    if (page.rows.length !== rows) throw new Error(`A page has ${page.rows.length} rows.`)
  })
}

interface Comparison {
  readonly name: string
  readonly rows: readonly [value: number, against: number]
  readonly ask: readonly [value: Ask, against: Ask]
  /** The allowed ratio to the other time; null if there is no target. */
  readonly target: number | null
}

async function compare(
  database: ScratchDatabase,
  rounds: number,
  { name, rows, ask, target }: Comparison,
): Promise<Result> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round += 1)
    for (const side of [0, 1] as const) times[side].push(await timed(database, rows[side], ask[side]))
  const [value, against] = [median(times[0]), median(times[1])]
  const ratio = value / against
  const shown = { value: rounded(value), unit: 'ms', against: rounded(against), ratio: rounded(ratio) }
  return {
    name,
    ...shown,
    target: target === null ? 'none' : `<= ${target} times`,
    ok: target === null || ratio <= target,
  }
}

function comparisons({ api }: ScratchDatabase, accountId: string, place: Key): Comparison[] {
  const page =
    (filters: TransactionFilters, limit: number, from: Key | null): Ask =>
    () =>
      listTransactions(api, identity, filters, limit, from)
  const investments =
    (limit: number): Ask =>
    () =>
      listInvestmentTransactions(api, investor, {}, limit, null)
  const filtered: Readonly<Record<string, TransactionFilters>> = {
    '': {},
    ' of an account': { accountId },
    ' of a year': { from: '2025-01-01', to: '2025-12-31' },
  }
  return [
    ...limits.map((limit) => ({
      name: `page of ${limit} at depth ${depth}, against the first`,
      rows: [limit, limit] as const,
      ask: [page({}, limit, place), page({}, limit, null)] as const,
      target: depthTarget,
    })),
    ...Object.entries(filtered).map(([name, filters]) => ({
      name: `page of 500${name}, against 100`,
      rows: [500, 100] as const,
      ask: [page(filters, 500, null), page(filters, 100, null)] as const,
      target: limitTarget,
    })),
    {
      name: `page of 500 of ${investmentCount} investment transactions, against 100`,
      rows: [500, 100],
      ask: [investments(500), investments(100)],
      target: limitTarget,
    },
  ]
}

const searchesOf = ({ api }: ScratchDatabase): Comparison[] =>
  Object.entries(searches).map(([what, filters]) => ({
    name: `search of ${rowCount} for ${what}, against a page of 100`,
    rows: [0, 100],
    ask: [
      () => listTransactions(api, identity, filters, 100, null),
      () => listTransactions(api, identity, {}, 100, null),
    ],
    target: null,
  }))

export const pageDepthBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      const item = await makeItem(database.owner, identity.subject)
      await copyIn(database.owner, copyText(storedRows(item, bankRows(rowCount))))
      await addCrowd(database.owner, { name: 'investor', users: 1, transactions: 1, investments: investmentCount / 4 })
      await database.owner.query('vacuum analyze')
      const place = await placeAt(database.owner, item.userId)
      const results: Result[] = []
      say('reading pages')
      for (const comparison of comparisons(database, item.accountIds[0] ?? '', place)) {
        signal.throwIfAborted()
        results.push(await compare(database, roundCount, comparison))
      }
      for (const comparison of searchesOf(database)) {
        signal.throwIfAborted()
        results.push(await compare(database, searchCount, comparison))
      }
      return results
    } finally {
      await database.stop()
    }
  },
}
