// `npm run demo`: runs the whole product on a throwaway stack and compares it with what the bank holds. Exit code 0
// only if everything is equal.
import { runCommand } from '../dev/lib/run-command.ts'
import { readOptions } from './demo/options.ts'
import { createReport } from './demo/report.ts'

const help = `npm run demo [-- options]

Starts the whole stack on throwaway data, links a bank, changes it, kills the Worker, misses webhooks, and compares what
the API returns with the bank's own data: row by row, amount by amount. Takes about half a minute.
  --custom-users DIR  also links every custom user (Plaid's format) in DIR's .json files, each as a separate user
  --seed TEXT         another bank: the same seed gives the same one
  --wait SECONDS      how long a change may take to arrive (60)
  --json              one object on standard output at the end; the report goes to standard error
Exit codes: 0 all equal, 1 not equal or broken, 2 misused.`

const longestMs = 20 * 60_000

async function main(args: string[]): Promise<void> {
  const options = await readOptions(args)
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
  // The reader of the output has closed it, so there is no reason to run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopping.abort())
  const tooLong = setTimeout(() => stopping.abort(), longestMs)
  const report = createReport(options.json, { out: process.stdout, err: process.stderr })
  const { seed } = options
  try {
    // Imported only now, so that a signal during the second of loading is handled.
    const { runDemo } = await import('./demo/run.ts')
    const ok = await runDemo(options, report, stopping.signal)
    report.end({ ok, seed, error: null })
    if (!ok) process.exitCode = 1
  } catch (error) {
    report.end({ ok: false, seed, error: error instanceof Error ? error.message : String(error) })
    throw error
  } finally {
    clearTimeout(tooLong)
  }
}

if (import.meta.main) await runCommand(help, main)
