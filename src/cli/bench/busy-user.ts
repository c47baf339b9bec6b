// How much one busy user slows down another: the time from a click until all products of the item are read, with and
// without a second user with a hundred items who requests syncs without a pause. The two cases alternate in one run.
// Uses the built Worker and the queue of `wrangler dev`, which delivers one message at a time; routes have their
// production rate limits.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { exchange, type StackWorker, startWholeStack, type WholeStack } from './whole-stack.ts'

const items = 100
const rounds = 3
const clicksInTurn = 4
const betweenClicksMs = 3000
const pressPauseMs = 50
const pollMs = 10
const targetMs = 3000
const limitMs = 300_000
const products = ['transactions', 'investments', 'liabilities']
/** Limits for an item would stop the clicks of a single item; users share only the client's limit. */
const unlimited = { item: 10_000 }
const given = {
  RATE_LIMIT_ENABLED: 'true',
  RATE_LIMITS: JSON.stringify({ link: 500, global: 1000, global_hour: 10_000 }),
  PLAID_LIMITS: JSON.stringify({
    sync: unlimited,
    accounts: unlimited,
    holdings: unlimited,
    investment_transactions: unlimited,
    liabilities: unlimited,
    item_get: unlimited,
    recurring: unlimited,
  }),
}

/** A small bank with an account for each product. */
const bankOf = (seed: string): string => {
  const accounts = [
    { type: 'depository', subtype: 'checking', meta: { name: 'Everyday', mask: '1111' } },
    { type: 'credit', subtype: 'credit card', meta: { name: 'Card', mask: '2222' } },
    { type: 'investment', subtype: 'brokerage', meta: { name: 'Nest egg', mask: '3333' } },
  ]
  return JSON.stringify({
    seed,
    override_accounts: accounts.map((account) => ({ ...account, starting_balance: 1000 })),
  })
}

interface Bench {
  readonly stack: WholeStack
  readonly worker: StackWorker
  readonly signal: AbortSignal
}

/** How many products of a user are queued or being read. */
async function waitingOf({ stack }: Bench, subject: string): Promise<number> {
  const { rows } = await stack.database.owner.query(
    `select count(*) as n from item_products p join users u on u.id = p.user_id
      where u.subject = $1 and p.status not in ('absent', 'consent_needed')
        and (p.dirty_seq > p.synced_seq or p.lease_owner is not null)`,
    [subject],
  )
  return z.tuple([z.object({ n: z.coerce.number() })]).parse(rows)[0].n
}

async function untilRead(bench: Bench, subject: string, everyMs: number): Promise<void> {
  const limit = AbortSignal.any([bench.signal, AbortSignal.timeout(limitMs)])
  while ((await waitingOf(bench, subject)) > 0) await delay(everyMs, undefined, { signal: limit })
}

async function link({ stack, worker }: Bench, subject: string, count: number): Promise<void> {
  for (let item = 0; item < count; item += 1)
    await exchange(worker, subject, await stack.makePublicToken(bankOf(`${subject} ${item}`), products))
}

async function click(bench: Bench): Promise<number> {
  const started = performance.now()
  await bench.worker.post('other', '/api/v1/plaid/sync/all')
  await untilRead(bench, 'other', pollMs)
  return performance.now() - started
}

async function clicks(bench: Bench): Promise<number[]> {
  const times: number[] = []
  for (let made = 0; made < clicksInTurn; made += 1) {
    times.push(await click(bench))
    await delay(betweenClicksMs, undefined, { signal: bench.signal })
  }
  return times
}

/** The other user's clicks while the busy one requests syncs repeatedly. */
async function clicksBeside(bench: Bench): Promise<{ readonly times: number[]; readonly accepted: number }> {
  const done = new AbortController()
  let accepted = 0
  const pressing = (async () => {
    while (!done.signal.aborted) {
      const { status, body } = await bench.worker.fetchAs('busy', '/api/v1/plaid/sync/all')
      await body?.cancel()
      if (status === 202) accepted += 1
      await delay(pressPauseMs)
    }
  })()
  try {
    return { times: await clicks(bench), accepted }
  } finally {
    done.abort()
    await pressing
  }
}

const listOf = (times: readonly number[]): string => times.map((time) => Math.round(time)).join(', ')

function resultsOf(alone: readonly number[], beside: readonly number[]): Result[] {
  const result = (what: string, value: number, against: number, target: number | null): Result => ({
    name: `busy-user: ${what}`,
    value: rounded(value),
    unit: 'ms',
    against: rounded(against),
    ratio: rounded(value / against),
    target: target === null ? 'none' : `< ${target} ms more`,
    ok: target === null || value - against < target,
  })
  return [
    result("another user's click, median", median(beside), median(alone), targetMs),
    result("another user's slowest click", Math.max(...beside), Math.max(...alone), targetMs),
  ]
}

export const busyUserBenchmark: Benchmark = {
  async run(say, signal) {
    const stack = await startWholeStack(say, signal)
    try {
      const bench = { stack, signal, worker: await stack.startWorker(stack.entry, given) }
      say(`linking ${items} items`)
      await link(bench, 'busy', items)
      await link(bench, 'other', 1)
      for (const subject of ['busy', 'other']) await untilRead(bench, subject, 500)
      const [alone, beside]: [number[], number[]] = [[], []]
      for (let round = 1; round <= rounds; round += 1) {
        const quiet = await clicks(bench)
        const { times, accepted } = await clicksBeside(bench)
        const left = await waitingOf(bench, 'busy')
        say(
          `round ${round} of ${rounds}: ${listOf(quiet)} ms alone, ${listOf(times)} ms during ${accepted} requests ` +
            `for ${items} items, ${left} products still to read`,
        )
        alone.push(...quiet)
        beside.push(...times)
        if (round < rounds) await untilRead(bench, 'busy', 500)
      }
      return resultsOf(alone, beside)
    } finally {
      await stack.stop()
    }
  },
}
