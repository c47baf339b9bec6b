// The isolate's peak memory during a first sync of 50,000 transactions: a hundred pages, of which only a few may be in
// memory at the same time. Cloudflare ends an isolate at 128 MB; a local workerd does not, so the memory is measured.
import { watchHeap } from './heap-watch.ts'
import { type LinkedWorker, startLinkedWorker } from './linked-worker.ts'
import { type Benchmark, type Result, rounded } from './result.ts'

const transactions = 50_000
const limitMs = 120_000
const targetMb = 100
const fewestSamples = 20

async function peakOf(worker: LinkedWorker, least: number, signal: AbortSignal): Promise<number> {
  const watch = await watchHeap(worker.inspectorUrl)
  try {
    await worker.sync(limitMs, signal)
    const stored = await worker.storedTransactions()
    if (stored < least) throw new Error(`The sync stored ${stored} of ${least} transactions.`)
    if (watch.samples() < fewestSamples && least > 0) throw new Error('The inspector hardly answered.')
    return watch.peakBytes() / 1e6
  } finally {
    watch.stop()
  }
}

export const syncHeapBenchmark: Benchmark = {
  async run(say, signal) {
    const worker = await startLinkedWorker(say)
    try {
      say(`adding ${transactions} transactions at the bank`)
      await worker.addAtBank(transactions)
      await worker.openHistory()
      say('syncing them')
      const value = await peakOf(worker, transactions, signal)
      const result: Result = {
        name: `heap in a first sync of ${transactions}`,
        value: rounded(value),
        unit: 'MB',
        against: 128,
        ratio: rounded(value / 128),
        target: `< ${targetMb} MB`,
        ok: value < targetMb,
      }
      return [result]
    } finally {
      await worker.stop()
    }
  },
}
