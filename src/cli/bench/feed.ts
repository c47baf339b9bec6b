// What the triggers of the feed of everything add to the commit of 500 transactions, new ones and ones that are stored already,
// against the same commit with the triggers off. The two take turns, each time for a new user.
import * as z from 'zod'
import { bankRows, type HeldItem, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, makeDue, prepareCommit } from './stored-commit.ts'

const size = 500
const streams = 20
const rounds = 40
const warmUps = 3
const most = 0.05

const kinds = ['new', 'stored'] as const
type Kind = (typeof kinds)[number]
type Times = Readonly<Record<Kind, { readonly off: number[]; readonly on: number[] }>>

const triggersSchema = z.array(z.object({ relation: z.string(), name: z.string() }))

async function switchTriggers({ owner }: ScratchDatabase, state: 'enable' | 'disable'): Promise<number> {
  const { rows } = await owner.query(
    `select tgrelid::regclass::text as relation, tgname as name from pg_trigger where tgname like 'note\\_%'`,
  )
  const triggers = triggersSchema.parse(rows)
  for (const { relation, name } of triggers) await owner.query(`alter table ${relation} ${state} trigger ${name}`)
  return triggers.length
}

/** Recurring streams that name the item's transactions: an insert looks for them. */
async function addStreams({ owner }: ScratchDatabase, item: HeldItem, ids: readonly string[]): Promise<void> {
  await owner.query(
    `insert into recurring_streams (user_id, item_id, account_id, plaid_stream_id, direction, description, first_date, last_date,
        frequency, is_active, status, plaid_transaction_ids)
      select $1, $2, $3, 'stream ' || n, 'outflow', 'rent', current_date, current_date, 'MONTHLY', true, 'MATURE',
        ($4::text[])[n * 20 + 1 : n * 20 + 20] from generate_series(0, $5 - 1) n`,
    [item.userId, item.itemId, item.accountIds[0], ids, streams],
  )
}

/** One commit of new transactions and one of the same again, of a new user. */
async function round(database: ScratchDatabase, rows: ReturnType<typeof bankRows>, isOn: boolean) {
  await switchTriggers(database, isOn ? 'enable' : 'disable')
  const item = await makeItem(database.owner, crypto.randomUUID())
  await addStreams(
    database,
    item,
    rows.map((row) => row.plaid_transaction_id),
  )
  const fresh = await database.directly(await prepareCommit(database, item, rows))
  await makeDue(database.owner, item, 'cursor')
  return { new: fresh, stored: await database.directly(await prepareCommit(database, item, rows)) }
}

function resultOf(kind: Kind, { on, off }: Times[Kind]): Result {
  const added = median(on.map((time, index) => time - (off[index] ?? NaN)))
  const ratio = added / median(off)
  return {
    name: `feed: commit of ${size} ${kind}`,
    value: rounded(median(on)),
    unit: 'ms',
    against: rounded(median(off)),
    ratio: rounded(1 + ratio),
    target: `< ${most * 100} % more, median of the rounds`,
    ok: ratio < most,
  }
}

export const feedBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      if ((await switchTriggers(database, 'enable')) === 0) throw new Error('The feed has no triggers.')
      say(`committing ${size}, ${rounds} rounds of two`)
      const rows = bankRows(size)
      const times: Times = { new: { off: [], on: [] }, stored: { off: [], on: [] } }
      for (let turn = -warmUps; turn < rounds; turn += 1)
        for (const side of turn % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
          signal.throwIfAborted()
          const spent = await round(database, rows, side === 'on')
          if (turn >= 0) for (const kind of kinds) times[kind][side].push(spent[kind])
        }
      return kinds.map((kind) => resultOf(kind, times[kind]))
    } finally {
      await database.stop()
    }
  },
}
