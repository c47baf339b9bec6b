// The isolate's memory at the peak of an export of 60,000 transactions, in both formats: a hundred and twenty pages of which one
// may be held at a time. Cloudflare ends an isolate at 128 MB; workerd on a laptop does not, so it is watched.
import { watchHeap } from './heap-watch.ts'
import { type LinkedWorker, startLinkedWorker } from './linked-worker.ts'
import { type Benchmark, type Result, rounded } from './result.ts'

const transactions = 60_000
const targetMb = 64
const fewestSamples = 20
const path = '/api/v1/privacy/export'

async function peakOf(worker: LinkedWorker, format: 'jsonl' | 'csv', signal: AbortSignal): Promise<number> {
  const watch = await watchHeap(worker.inspectorUrl)
  try {
    const { end } = await worker.readAway(`${path}?format=${format}`, signal)
    // The list of entries of an archive names the manifest last.
    if (!end.includes(format === 'csv' ? 'manifest.json' : `"transactions":${transactions}`))
      throw new Error(`The export is not complete: it ends with ${end.slice(-200)}`)
    if (watch.samples() < fewestSamples) throw new Error('The inspector hardly answered.')
    return watch.peakBytes() / 1e6
  } finally {
    watch.stop()
  }
}

export const exportHeapBenchmark: Benchmark = {
  async run(say, signal) {
    const worker = await startLinkedWorker(say)
    try {
      say(`storing ${transactions} transactions`)
      await worker.addAtBank(1)
      await worker.openHistory()
      await worker.sync(60_000, signal)
      const before = await worker.storedTransactions()
      await worker.storeTransactions(transactions - before)
      const results: Result[] = []
      for (const format of ['jsonl', 'csv'] as const) {
        say(`exporting them as ${format}`)
        const value = await peakOf(worker, format, signal)
        results.push({
          name: `heap in an export of ${transactions} as ${format}`,
          value: rounded(value),
          unit: 'MB',
          against: 128,
          ratio: rounded(value / 128),
          target: `< ${targetMb} MB`,
          ok: value < targetMb,
        })
      }
      return results
    } finally {
      await worker.stop()
    }
  },
}
