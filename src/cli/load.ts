// `npm run load`: sends many requests to a Worker, and reports whether it meets the brief's criteria.
import { runCommand } from '../dev/lib/run-command.ts'
import { describeMachine } from './bench/result.ts'
import { bounds, readLoadOptions } from './load/options.ts'
import { refuseMissed, reportText } from './load/report.ts'

const { seconds, connections, soak } = bounds

const help = `npm run load [-- --url URL --token TOKEN…] [--seconds N] [--connections N] [--soak MINUTES] [--json]

Sends many requests and exits 1 where a criterion is missed: 99.9 % good responses, a mean below 2 s, and more on this
machine. Without --url it starts the nearest thing to production here, and stops it again: the built Worker in workerd,
and PostgreSQL, the Neon endpoint and the bank in separate processes. docs/load.md says how to read the result.
  --url URL        a running deployment, which gets reads only; on this machine, unless --i-own-this
  --token TOKEN    an access token of a user for --url; can be repeated for more users. LOAD_TOKEN does the same and
                   stays out of the list of processes
  --i-own-this     the deployment of --url is elsewhere, and mine
  --seconds N      length of each phase, ${seconds.from} to ${seconds.to} (${seconds.usual})
  --connections N  connections of the reads and of the webhooks, ${connections.from} to ${connections.to} (${connections.usual})
  --soak MINUTES   also reads for that long and watches the memory, ${soak.from} to ${soak.to}
  --json           one object {machine, traffic, findings, notes} on stdout instead of the tables`

/** Aborted on a signal, so that the command ends as usual, with nothing left running. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('Stopped.')))
  return stop.signal
}

async function main(args: string[]): Promise<void> {
  const options = readLoadOptions(args, process.env)
  const started = performance.now()
  const say = (line: string): void => {
    const elapsed = String(Math.round((performance.now() - started) / 1000)).padStart(4)
    process.stderr.write(`${elapsed} s  ${line}\n`)
  }
  const signal = stopSignal()
  const { loadLocally, loadTarget } = await import('./load/run.ts')
  const report =
    options.url === null ? await loadLocally(options, say, signal) : await loadTarget(options, options.url, say, signal)
  const machine = describeMachine()
  process.stdout.write(
    options.json ? `${JSON.stringify({ machine, ...report }, null, 2)}\n` : reportText(report, machine),
  )
  refuseMissed(report)
}

if (import.meta.main) await runCommand(help, main)
