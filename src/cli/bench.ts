// `npm run bench`: runs the benchmarks and reports whether each target is met. Compared measurements alternate in one
// run. Uses only what it starts.
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { benchmarks, type Listed } from './bench/all.ts'
import { describeMachine, type Result, tableOf } from './bench/result.ts'

const nameWidth = Math.max(...Object.keys(benchmarks).map(({ length }) => length))
const listed = Object.entries(benchmarks).map(([name, { summary }]) => `  ${name.padEnd(nameWidth)}  ${summary}`)

const defaultRows = 400_000
const defaultItems = 100_000
const wholeDay = 24

const help = `npm run bench [-- --only NAME] [-- --rows N] [-- --items N] [-- --hours N] [-- --json]

Measures on this machine, each thing against another one in the same run, and exits 1 where a target is missed.
  --only NAME  one benchmark
  --rows N     transactions in the larger table of table-size; ${defaultRows} unless given, 4000000 for the full size
  --items N    items of scheduling; ${defaultItems} unless given. Above that, PLAID_LIMITS has the limits of your contract.
  --hours N    hours of the day that scheduling simulates; ${wholeDay} unless given. Fewer begin before the busiest hour.
  --json       one object {machine, results} on stdout instead of the table

${listed.join('\n')}`

function chosen(name: string | undefined): Listed[] {
  if (name === undefined) return Object.values(benchmarks)
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
  if (benchmark === undefined) throw misuse(`--only can be ${Object.keys(benchmarks).join(', ')}.`)
  return [benchmark]
}

function wholeNumber(option: string, text: string | undefined, normal: number, least: number): number {
  const value = text === undefined ? normal : Number(text)
  if (!Number.isSafeInteger(value) || value < least) throw misuse(`${option} is a whole number of at least ${least}.`)
  return value
}

/** Aborted on a signal, so that the command ends as usual, with nothing left running. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('Stopped.')))
  return stop.signal
}

async function main(args: string[]): Promise<void> {
  const options = {
    only: { type: 'string' },
    rows: { type: 'string' },
    items: { type: 'string' },
    hours: { type: 'string' },
    json: { type: 'boolean', default: false },
  } as const
  const { values } = parseArgs({ args, options })
  const sizes = {
    rows: wholeNumber('--rows', values.rows, defaultRows, 200_000),
    items: wholeNumber('--items', values.items, defaultItems, 1000),
    hours: Math.min(wholeNumber('--hours', values.hours, wholeDay, 1), wholeDay),
  }
  const signal = stopSignal()
  const results: Result[] = []
  for (const { load } of chosen(values.only)) {
    const benchmark = await load()
    results.push(...(await benchmark.run((line) => process.stderr.write(`${line}\n`), signal, sizes)))
  }
  const machine = describeMachine()
  const { cpu, cores, platform, node } = machine
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ machine, results }, null, 2)}\n`
      : `${tableOf(results)}\n${cpu}, ${cores} cores, ${platform}, Node ${node}\n`,
  )
  const missed = results.filter(({ ok }) => !ok)
  if (missed.length > 0)
    throw new Error(`Missed: ${missed.map(({ name, target }) => `${name} (${target})`).join('; ')}`)
}

if (import.meta.main) await runCommand(help, main)
