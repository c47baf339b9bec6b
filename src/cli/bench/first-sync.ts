// How long a user waits for a bank: from the request that exchanges the public token to the last of its transactions in
// the database. Uses the built Worker, its queue and Plaid's webhooks. Can compare two builds, which then alternate.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { exchange, type StackWorker, startWholeStack, type WholeStack } from './whole-stack.ts'

const transactions = 2000
const rounds = 7
const targetMs = 500
const limitMs = 30_000
const pollMs = 5
const dayMs = 86_400_000

interface Waits {
  readonly exchangedMs: number
  readonly storedMs: number
}

const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10)

/** Plaid's custom user: one account with this many transactions of the last two years. */
function bankOf(name: string): string {
  const made = Array.from({ length: transactions }, (_, index) => {
    const date = day(3 + (index % 700))
    return {
      date_transacted: date,
      date_posted: date,
      amount: 1 + (index % 90),
      description: `Purchase ${index}`,
      currency: 'USD',
    }
  })
  const meta = { name: 'Everyday', mask: '1111' }
  const account = { type: 'depository', subtype: 'checking', starting_balance: 1000, meta, transactions: made }
  return JSON.stringify({ seed: name, override_accounts: [account] })
}

async function storedOf({ database }: WholeStack, itemId: string): Promise<number> {
  const { rows } = await database.owner.query('select count(*) as n from transactions where item_id = $1', [itemId])
  return z.tuple([z.object({ n: z.coerce.number() })]).parse(rows)[0].n
}

/** Links a new bank for a new user, and waits for all of its data. */
async function link(stack: WholeStack, worker: StackWorker, name: string): Promise<Waits> {
  const publicToken = await stack.makePublicToken(bankOf(name), ['transactions'])
  const started = performance.now()
  const id = await exchange(worker, name, publicToken)
  const exchangedMs = performance.now() - started
  while ((await storedOf(stack, id)) < transactions) {
    if (performance.now() - started > limitMs) throw new Error(`Not all was stored within ${limitMs} ms.`)
    await delay(pollMs)
  }
  return { exchangedMs, storedMs: performance.now() - started }
}

type Linking = (name: string) => Promise<Waits>

function resultOf(name: string, values: readonly number[], against: readonly number[], target: number | null): Result {
  const [value, other] = [median(values), median(against)]
  return {
    name: `first-sync: ${name}`,
    value: rounded(value),
    unit: 'ms',
    against: rounded(other),
    ratio: rounded(value / other),
    target: target === null ? 'none' : `< ${target} ms`,
    ok: target === null || value < target,
  }
}

/** A warm-up round, then both builds in turn; `earlier` is the same build if no other is given. */
async function measure(now: Linking, earlier: Linking, say: (line: string) => void): Promise<Result[]> {
  const [of, before]: [Waits[], Waits[]] = [[], []]
  for (let round = 0; round <= rounds; round += 1) {
    const waits = await now(`now ${round}`)
    const others = earlier === now ? waits : await earlier(`earlier ${round}`)
    say(`round ${round} of ${rounds}: ${rounded(waits.storedMs)} ms, against ${rounded(others.storedMs)} ms`)
    if (round === 0) continue
    of.push(waits)
    before.push(others)
  }
  const [exchanges, earlierExchanges] = [of, before].map((all) => all.map(({ exchangedMs }) => exchangedMs))
  const [stores, earlierStores] = [of, before].map((all) => all.map(({ storedMs }) => storedMs))
  return [
    resultOf('an exchange', exchanges ?? [], earlierExchanges ?? [], null),
    resultOf(`from exchange to ${transactions} stored transactions`, stores ?? [], earlierStores ?? [], targetMs),
  ]
}

export const firstSyncBenchmark: Benchmark = {
  async run(say, signal) {
    const stack = await startWholeStack(say, signal)
    try {
      const linking = async (entry: string): Promise<Linking> => {
        const worker = await stack.startWorker(entry)
        return (name) => link(stack, worker, name)
      }
      const now = await linking(stack.entry)
      const other = process.env['BENCH_AGAINST'] ?? ''
      return await measure(now, other === '' ? now : await linking(other), say)
    } finally {
      await stack.stop()
    }
  },
}
