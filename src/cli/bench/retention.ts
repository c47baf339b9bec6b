// The rate at which old rows are deleted, by the statements of the daily job: webhooks and runs, each by its own time, and
// transactions, each of which leaves its removal in the change feed of its user.
import type { Client } from 'pg'
import { type Expired, purgeHistory, purgeRows } from '../../db/records/retention.ts'
import { makeItem } from './bank-rows.ts'
import { type Benchmark, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'

const rowCount = 1_000_000
const users = 200
const stepRows = 5000
const targetRate = 20_000

async function fillWebhooks(owner: Client): Promise<void> {
  await owner.query(
    `insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, payload, received_at)
      select 'old ' || n, 'jwt', 'TRANSACTIONS', 'SYNC_UPDATES_AVAILABLE', 'item ' || n % 1000, '{"environment": "production"}',
        now() - interval '100 days' - n * interval '1 second' from generate_series(1, $1::int) n`,
    [rowCount],
  )
}

async function fillRuns(owner: Client): Promise<void> {
  for (let user = 0; user < users; user += 1) {
    const { userId, itemId, itemProductId } = await makeItem(owner, `run ${user}`)
    await owner.query(
      `insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, plaid_request_ids, started_at)
        select gen_random_uuid(), $1, $2, $3, 'transactions', 'sweep', 'committed', array[md5(n::text)],
          now() - interval '100 days' - n * interval '1 minute' from generate_series(1, $4::int) n`,
      [userId, itemId, itemProductId, rowCount / users],
    )
  }
}

async function fillTransactions(owner: Client): Promise<void> {
  for (let user = 0; user < users; user += 1) {
    const { userId, itemId, accountIds } = await makeItem(owner, `old ${user}`)
    await owner.query(
      `insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
        select $1::uuid, $2::uuid, ($3::uuid[])[1 + n % $4::int], md5(n || $2::text), current_date - 2600 - n % 300, 12.34, 'Blue Bottle Coffee',
          false, n from generate_series(1, $5::int) n`,
      [userId, itemId, accountIds, accountIds.length, rowCount / users],
    )
    await owner.query('update users set change_seq = $2 where id = $1', [userId, rowCount / users])
  }
}

/** Runs steps until one finds fewer rows than it may delete; returns how many they deleted. */
async function purgeAll(
  step: (after: string | null) => Promise<{ purged: number; after: string | null }>,
): Promise<number> {
  let total = 0
  for (let after: string | null = null; ;) {
    const { purged, after: next } = await step(after)
    total += purged
    if (next === null && purged < stepRows) return total
    after = next
  }
}

async function measure({ owner }: ScratchDatabase, name: string, purge: () => Promise<number>): Promise<Result> {
  await owner.query('vacuum analyze')
  const startedMs = performance.now()
  const deleted = await purge()
  if (deleted !== rowCount) throw new Error(`${deleted} of ${rowCount} rows were deleted.`)
  const rate = (rowCount * 1000) / (performance.now() - startedMs)
  return {
    name: `deletion of ${rowCount} old ${name}`,
    value: rounded(rate),
    unit: 'rows/s',
    against: targetRate,
    ratio: rounded(rate / targetRate),
    target: `>= ${targetRate} rows/s`,
    ok: rate >= targetRate,
  }
}

export const retentionBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    const { owner, jobs } = database
    try {
      say('old webhooks')
      await fillWebhooks(owner)
      signal.throwIfAborted()
      const webhooks: Expired = { name: 'webhook_events', days: 90 }
      const results = [
        await measure(database, 'webhooks', () =>
          purgeAll(async () => ({ purged: await purgeRows(jobs, webhooks, stepRows), after: null })),
        ),
      ]
      say('old runs')
      await fillRuns(owner)
      signal.throwIfAborted()
      const runs: Expired = { name: 'sync_runs', days: 90 }
      results.push(
        await measure(database, 'runs', () =>
          purgeAll(async () => ({ purged: await purgeRows(jobs, runs, stepRows), after: null })),
        ),
      )
      say('old transactions')
      await fillTransactions(owner)
      signal.throwIfAborted()
      const transactions: Expired = { name: 'transactions', days: 2555 }
      results.push(
        await measure(database, 'transactions', () =>
          purgeAll((after) => purgeHistory(jobs, transactions, after, stepRows)),
        ),
      )
      return results
    } finally {
      await database.stop()
    }
  },
}
