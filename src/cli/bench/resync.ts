// The cost of a sync that receives rows that are already stored. It must be about as quick as storing them, and must
// change nothing in the table, the change feed and the sequences.
import type { Client } from 'pg'
import * as z from 'zod'
import type { PlaidTransactionRow } from '../../db/records/transactions-merge.ts'
import { bankRows, type HeldItem, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, makeDue, prepareCommit } from './stored-commit.ts'

const rounds = { 500: 7, 5000: 3, 50000: 2 } as const
const target = 0.8
/** A page of changes at the cursor, or a full read because the cursor was lost. */
const reads = ['cursor', 'start'] as const

const traceRow = z.object({ id: z.string(), version: z.string() })
const numbersRow = z.object({ numbers: z.coerce.number() })

/** Each row's version: inserting and locking transaction, and position. */
async function versionsOf(owner: Client, { itemId }: HeldItem): Promise<Map<string, string>> {
  const text = `select id, concat_ws(' ', xmin, xmax, ctid) as version from transactions where item_id = $1`
  const { rows } = await owner.query(text, [itemId])
  return new Map(
    z
      .array(traceRow)
      .parse(rows)
      .map(({ id, version }) => [id, version]),
  )
}

/** How many numbers were used, of every sequence and of the user's change feed. */
async function numbersTaken(owner: Client, { userId }: HeldItem): Promise<number> {
  const text = `select (select coalesce(sum(last_value), 0) from pg_sequences) + (select change_seq from users where id = $1) as numbers`
  const { rows } = await owner.query(text, [userId])
  return z.tuple([numbersRow]).parse(rows)[0].numbers
}

interface Traces {
  rows: number
  numbers: number
  received: number
}

async function resyncOnce(
  database: ScratchDatabase,
  item: HeldItem,
  rows: readonly PlaidTransactionRow[],
  from: (typeof reads)[number],
  traces: Traces,
): Promise<number> {
  await makeDue(database.owner, item, from)
  const [versions, numbers] = [await versionsOf(database.owner, item), await numbersTaken(database.owner, item)]
  const spent = await database.directly(await prepareCommit(database, item, rows))
  const after = await versionsOf(database.owner, item)
  traces.rows += [...after].filter(([id, version]) => versions.get(id) !== version).length
  traces.numbers += (await numbersTaken(database.owner, item)) - numbers
  traces.received += rows.length
  return spent
}

async function measure(
  database: ScratchDatabase,
  size: keyof typeof rounds,
  traces: Traces,
  signal: AbortSignal,
): Promise<Result[]> {
  const rows = bankRows(size)
  const fresh: number[] = []
  const again: Record<(typeof reads)[number], number[]> = { cursor: [], start: [] }
  for (let round = 0; round < rounds[size]; round += 1) {
    signal.throwIfAborted()
    const item = await makeItem(database.owner, crypto.randomUUID())
    fresh.push(await database.directly(await prepareCommit(database, item, rows)))
    for (const from of reads) again[from].push(await resyncOnce(database, item, rows, from, traces))
  }
  const rate = (times: readonly number[]): number => (size * 1000) / median(times)
  return reads.map((from) => {
    const ratio = rate(again[from]) / rate(fresh)
    const name = `resync of ${size} unchanged${from === 'start' ? ', read from the start' : ''}`
    const shown = {
      value: rounded(rate(again[from])),
      unit: 'rows/s',
      against: rounded(rate(fresh)),
      ratio: rounded(ratio),
    }
    return { name, ...shown, target: `>= ${target * 100} % of new`, ok: ratio >= target }
  })
}

function none(name: string, value: number, against: number): Result {
  return { name, value, unit: 'rows', against, ratio: value / against, target: '= 0', ok: value === 0 }
}

export const resyncBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    const traces: Traces = { rows: 0, numbers: 0, received: 0 }
    try {
      await fillWithOthers(database.owner)
      const results: Result[] = []
      for (const size of [500, 5000, 50000] as const) {
        say(`telling ${size} again`)
        results.push(...(await measure(database, size, traces, signal)))
      }
      return [
        ...results,
        none('resync: rows written or locked', traces.rows, traces.received),
        none('resync: numbers taken from sequences and the change feed', traces.numbers, traces.received),
      ]
    } finally {
      await database.stop()
    }
  },
}
