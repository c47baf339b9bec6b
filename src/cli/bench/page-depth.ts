// A page of a user's transactions at depth 90,000 against the first one, by the query that the API asks, as the login
// that the row-level policies hold for.
import type { Client } from 'pg'
import * as z from 'zod'
import type { Key } from '../../db/page.ts'
import { listTransactions } from '../../db/transactions.ts'
import { bankRows, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers } from './stored-commit.ts'
import { copyIn, copyText, storedRows } from './stored-row.ts'

const depth = 90_000
const rowCount = 95_000
const pageSize = 100
const rounds = 60
const target = 2
const identity = { issuer: 'bench', subject: 'deep' }

const placeRow = z.object({ date: z.string(), id: z.string() })

async function placeAt(owner: Client, userId: string): Promise<Key> {
  const text = `select date::text, id from transactions where user_id = $1 order by date desc, id desc offset $2 limit 1`
  const { rows } = await owner.query(text, [userId, depth - 1])
  const [{ date, id }] = z.tuple([placeRow]).parse(rows)
  return [date, id]
}

interface Times {
  readonly first: number[]
  readonly deep: number[]
}

async function read(database: ScratchDatabase, from: Key | null): Promise<void> {
  const { rows } = await listTransactions(database.api, identity, {}, pageSize, from)
  if (rows.length !== pageSize) throw new Error(`A page has ${rows.length} rows.`)
}

function result(name: string, { first, deep }: Times): Result {
  const [value, against] = [median(deep), median(first)]
  const ratio = value / against
  const shown = { value: rounded(value), unit: 'ms', against: rounded(against), ratio: rounded(ratio) }
  return { name, ...shown, target: `<= ${target} times the first`, ok: ratio <= target }
}

async function measure(database: ScratchDatabase, place: Key, signal: AbortSignal): Promise<Result[]> {
  const [plain, http]: [Times, Times] = [
    { first: [], deep: [] },
    { first: [], deep: [] },
  ]
  for (let round = 0; round < rounds; round += 1)
    for (const [name, from] of [
      ['first', null],
      ['deep', place],
    ] as const) {
      signal.throwIfAborted()
      plain[name].push(await database.directly(() => read(database, from)))
      const started = performance.now()
      await read(database, from)
      http[name].push(performance.now() - started)
    }
  return [
    result(`page of ${pageSize} at depth ${depth}, statements over a connection`, plain),
    result(`page of ${pageSize} at depth ${depth}, through the HTTP endpoint`, http),
  ]
}

export const pageDepthBenchmark: Benchmark = {
  summary: `a page of ${pageSize} transactions at depth ${depth} against the first page`,
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      const item = await makeItem(database.owner, identity.subject)
      await copyIn(database.owner, copyText(storedRows(item, bankRows(rowCount))))
      await database.owner.query('vacuum analyze transactions')
      say('reading pages')
      return await measure(database, await placeAt(database.owner, item.userId), signal)
    } finally {
      await database.stop()
    }
  },
}
