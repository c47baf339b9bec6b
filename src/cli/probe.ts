// `npm run probe`: asks from outside whether the service is available, one time or for a while, and reports availability and
// response times of the samples so far.
import { appendFile, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { takeSample } from './probe/sample.ts'
import { describeSummary, meetsTargets, parseSamples, summarize } from './probe/summary.ts'

const help = `npm run probe -- --url URL [--file FILE] [--token TOKEN]
npm run probe -- --url URL --every 60 --for 3600 [--file FILE]
npm run probe -- --report FILE [--every 60] [--until TIME]

Takes a sample of a deployment: GET /ready, and with a token a read. Exits 1 when it is down, so that any scheduler can raise
an alarm. Run it from a network that is not Cloudflare's.
  --every N    takes a sample every N seconds (default 60), for --for N seconds
  --file FILE  appends each sample as a line of JSON
  --token T    an access token for the read; PROBE_TOKEN does the same and stays out of the list of processes
  --report F   prints availability against 99.9 % and the mean time against 2 s for the samples in a file. Times without a
               sample count as unknown, never as available: --every says how often one was due, --until when the
               time ended (now)`

const options = {
  url: { type: 'string' },
  every: { type: 'string' },
  for: { type: 'string' },
  file: { type: 'string' },
  token: { type: 'string' },
  report: { type: 'string' },
  until: { type: 'string' },
} as const

const print = (line: string): void => void process.stdout.write(`${line}\n`)

function secondsOf(name: string, text: string): number {
  const seconds = Number(text)
  if (!Number.isInteger(seconds) || seconds < 1) throw misuse(`--${name} takes a whole number of seconds.`)
  return seconds
}

async function report(file: string, everySeconds: number, until: Date): Promise<void> {
  const summary = summarize(parseSamples(await readFile(file, 'utf8')), everySeconds, until)
  for (const line of describeSummary(summary)) print(line)
  if (!meetsTargets(summary)) throw new Error('The targets are not met, or not known to be met.')
}

interface Probing {
  readonly url: string
  readonly token: string | undefined
  readonly file: string | undefined
}

/** Takes one sample and notes it. Returns whether the service was available. */
async function probe({ url, token, file }: Probing): Promise<boolean> {
  const sample = await takeSample({ url, token })
  const line = JSON.stringify(sample)
  print(line)
  if (file !== undefined) await appendFile(file, `${line}\n`)
  return sample.up
}

/** Samples at fixed times: a slow response delays none of the next ones. */
async function probeFor(probing: Probing, everySeconds: number, forSeconds: number): Promise<number> {
  const startedAt = performance.now()
  let down = 0
  for (let due = 0; due < forSeconds; due += everySeconds) {
    await delay(Math.max(0, startedAt + due * 1000 - performance.now()))
    if (!(await probe(probing))) down += 1
  }
  return down
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options })
  const everySeconds = secondsOf('every', values.every ?? '60')
  if (values.report !== undefined) {
    if (values.url !== undefined) throw misuse('--report goes without --url.')
    const until = values.until === undefined ? new Date() : new Date(values.until)
    if (Number.isNaN(until.getTime())) throw misuse('--until takes a time such as 2026-11-30T00:00:00Z.')
    return report(values.report, everySeconds, until)
  }
  const parsed = URL.parse(values.url ?? '')
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw misuse('Say with --url which deployment to ask.')
  if (values.every !== undefined && values.for === undefined) throw misuse('--every needs --for, its end.')
  const token = values.token ?? (process.env['PROBE_TOKEN'] || undefined)
  const probing = { url: parsed.origin, token, file: values.file }
  const down =
    values.for === undefined
      ? Number(!(await probe(probing)))
      : await probeFor(probing, everySeconds, secondsOf('for', values.for))
  if (down > 0) throw new Error(`${parsed.origin} was not available (${down} samples).`)
}

if (import.meta.main) await runCommand(help, main)
