// How many requests one sync makes: to the database, to Plaid and to the object that limits calls to Plaid. A queue
// message is one invocation, and the subrequests of an invocation are limited. Counted outside the Worker.
import { type LinkedWorker, startLinkedWorker } from './linked-worker.ts'
import { type Benchmark, type Result, rounded } from './result.ts'

const pageSize = 500
const pages = [2, 10, 20] as const
const limitMs = 60_000
const target = 50

type Counts = Record<(typeof pages)[number], number>

/**
 * Counts the database requests of a sync from its lease to its commit; only the last sync that stored transactions
 * counts.
 */
function databaseCounter(): { onRequest: (request: { queries: string[] }) => void; last: () => number } {
  let [running, last] = [0, 0]
  return {
    last: () => last,
    onRequest({ queries }) {
      const has = (text: string): boolean => queries.some((query) => query.includes(text))
      running = has('set lease_owner = case') ? 1 : running + 1
      if (has('app.begin_commit') && has('insert into transactions')) last = running
    },
  }
}

async function count(worker: LinkedWorker, last: () => number, signal: AbortSignal): Promise<Counts> {
  const counts: Counts = { 2: 0, 10: 0, 20: 0 }
  await worker.openHistory()
  await worker.sync(limitMs, signal)
  for (const wanted of pages) {
    const [held, read] = [await worker.storedTransactions(), await worker.pagesRead()]
    await worker.addAtBank(wanted * pageSize)
    await worker.sync(limitMs, signal)
    const plaidCalls = (await worker.pagesRead()) - read
    if (plaidCalls !== wanted) throw new Error(`${wanted} pages were read in ${plaidCalls} calls.`)
    if ((await worker.storedTransactions()) !== held + wanted * pageSize) throw new Error('The sync missed some.')
    // Each call of Plaid is preceded by one of the object that counts them.
    counts[wanted] = last() + 2 * plaidCalls
  }
  return counts
}

function resultsOf(counts: Counts): Result[] {
  const [early, late] = [(counts[10] - counts[2]) / 8, (counts[20] - counts[10]) / 10]
  const unit = 'requests'
  return [
    {
      name: `sync of ten pages of ${pageSize}`,
      value: counts[10],
      unit,
      against: counts[2],
      ratio: rounded(counts[10] / counts[2]),
      target: `< ${target}`,
      ok: counts[10] < target,
    },
    // Twenty pages are staged once or twice; a request that stages also extends the lease.
    {
      name: 'sync: each page more',
      value: late,
      unit,
      against: early,
      ratio: late / early,
      target: 'equal',
      ok: late === early,
    },
  ]
}

export const syncRequestsBenchmark: Benchmark = {
  async run(say, signal) {
    const { onRequest, last } = databaseCounter()
    const worker = await startLinkedWorker(say, onRequest)
    try {
      say('syncing two, ten and twenty pages')
      return resultsOf(await count(worker, last, signal))
    } finally {
      await worker.stop()
    }
  },
}
