// The isolate's memory at the peak of an export of very many transactions, in both formats, and how fast it is: hundreds of pages
// of which one may be held at a time. Cloudflare ends an isolate at 128 MB; workerd on a laptop does not, so it is watched. Garbage
// does not count: a longer export leaves more of it between two collections.
import { watchHeap } from './heap-watch.ts'
import { type LinkedWorker, startLinkedWorker } from './linked-worker.ts'
import { type Benchmark, type Result, rounded } from './result.ts'

const benchmarkTransactions = 200_000
const targetMb = 32
const targetRate = 2000
const fewestSamples = 8
const path = '/api/v1/privacy/export'

interface Measured {
  readonly peakMb: number
  readonly seconds: number
}

async function measure(
  worker: LinkedWorker,
  format: 'jsonl' | 'csv',
  transactions: number,
  signal: AbortSignal,
): Promise<Measured> {
  const watch = await watchHeap(worker.inspectorUrl, true)
  try {
    const started = performance.now()
    const { end } = await worker.readAway(`${path}?format=${format}`, signal)
    const seconds = (performance.now() - started) / 1000
    // The list of entries of an archive names the manifest last.
    if (!end.includes(format === 'csv' ? 'manifest.json' : `"transactions":${transactions}`))
      throw new Error(`The export is not complete: it ends with ${end.slice(-200)}`)
    if (watch.samples() < fewestSamples) throw new Error('The inspector hardly answered.')
    return { peakMb: watch.peakBytes() / 1e6, seconds }
  } finally {
    watch.stop()
  }
}

function resultsOf(format: string, transactions: number, { peakMb, seconds }: Measured): Result[] {
  const rate = transactions / seconds
  return [
    {
      name: `live heap in an export of ${transactions} as ${format}`,
      value: rounded(peakMb),
      unit: 'MB',
      against: 128,
      ratio: rounded(peakMb / 128),
      target: `< ${targetMb} MB`,
      ok: peakMb < targetMb,
    },
    {
      name: `rate of an export of ${transactions} as ${format}`,
      value: rounded(rate),
      unit: 'rows/s',
      against: targetRate,
      ratio: rounded(rate / targetRate),
      target: `>= ${targetRate} rows/s`,
      ok: rate >= targetRate,
    },
  ]
}

/** Measures exports of a user with so many transactions. */
export async function measureExports(
  say: (line: string) => void,
  signal: AbortSignal,
  transactions: number,
): Promise<Result[]> {
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
      results.push(...resultsOf(format, transactions, await measure(worker, format, transactions, signal)))
    }
    return results
  } finally {
    await worker.stop()
  }
}

export const exportHeapBenchmark: Benchmark = {
  run: (say, signal) => measureExports(say, signal, benchmarkTransactions),
}
