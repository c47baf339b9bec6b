// A backup of a million transactions: by the command over TCP, by the Worker's cron over a WebSocket, and by PostgreSQL's
// own pg_dump, turn about on one server.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { Client } from 'pg'
import { bootstrap } from '../../dev/lib/bootstrap.ts'
import { migrate } from '../../dev/lib/migrate.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { startNeonEndpoint } from '../../dev/neon-local/server.ts'
import { cronSchedules, fireCron } from '../../dev/stack/crons.ts'
import { backupProgram } from '../lib/backup-program.ts'
import { startWorker, workerVariables } from './backup-worker.ts'
import { makeItem } from './bank-rows.ts'
import { watchHeap } from './heap-watch.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'

const run = promisify(execFile)
const rowCount = 1_000_000
const users = 50
const rounds = 3
/** Cloudflare's limit of an isolate, and the target of the command. */
const mostMb = 128
/** What a backup may need of it. Garbage comes on top, until V8 collects it. */
const liveMb = 64
const pollMs = 50
const quiet = (): void => undefined

async function fill(url: string): Promise<void> {
  const owner = new Client(url)
  await owner.connect()
  try {
    for (let user = 0; user < users; user += 1) {
      const { userId, itemId, accountIds } = await makeItem(owner, `saver ${user}`)
      await owner.query(
        `insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, authorized_date, amount, iso_currency_code,
            name, merchant_name, category_primary, category_detailed, payment_channel, pending, change_seq)
          select $1::uuid, $2::uuid, ($3::uuid[])[1 + n % $4::int], md5(n || $2::text), current_date - n % 730,
            current_date - n % 730 - 1, (n % 20000) / 100.0, 'USD', 'BLUE BOTTLE COFFEE #' || n % 977, 'Blue Bottle Coffee',
            'FOOD_AND_DRINK', 'FOOD_AND_DRINK_COFFEE', 'in store', false, n from generate_series(1, $5::int) n`,
        [userId, itemId, accountIds, accountIds.length, rowCount / users],
      )
    }
    await owner.query('vacuum analyze transactions')
  } finally {
    await owner.end()
  }
}

interface Prepared {
  readonly folder: string
  /** The owner's URL. */
  readonly url: string
  /** The owner's URL of a database without tables. */
  readonly emptyUrl: string
  readonly identity: string
  /** The command's and the Worker's. */
  readonly variables: Readonly<Record<string, string>>
  readonly worker: { readonly url: string; readonly inspectorUrl: string }
}

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1000
}

/** The largest resident memory of the process so far, in bytes: `VmHWM` of /proc/PID/status (proc(5)). */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

/** Runs `npm run backup` to its end. Returns its largest memory in MB. */
async function runBackup({ url, variables }: Prepared, args: readonly string[]): Promise<number> {
  const { AUDIT_KEY, BACKUP_RECIPIENT } = variables
  const env = { PATH: process.env['PATH'], MIGRATE_DATABASE_URL: url, AUDIT_KEY, BACKUP_RECIPIENT }
  const child = spawn(process.execPath, [...backupProgram, ...args], { cwd: projectFolder, env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  let peak = 0
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, await peakOf(child.pid ?? 0))
    await Promise.race([ended, delay(pollMs)])
  }
  if (child.exitCode !== 0) throw new Error(`The command failed: ${args.join(' ')}`)
  return peak / 1e6
}

async function runCommand(prepared: Prepared): Promise<number> {
  const to = await mkdtemp(join(prepared.folder, 'backups-'))
  const peakMb = await runBackup(prepared, ['create', '--to', to])
  await rm(to, { recursive: true })
  return peakMb
}

/** Creates a backup and restores it. */
async function restore(prepared: Prepared): Promise<Measured> {
  const { folder, emptyUrl, identity } = prepared
  const [to, keyFile] = [join(folder, 'restored'), join(folder, 'key.txt')]
  await writeFile(keyFile, `${identity}\n`)
  await runBackup(prepared, ['create', '--to', to])
  const [id = ''] = await readdir(to)
  const args = ['restore', join(to, id), '--identity', keyFile, '--into', emptyUrl, '--erasures', 'none']
  let peakMb = 0
  const seconds = await secondsOf(async () => (peakMb = await runBackup(prepared, args)))
  return { seconds, peakMb }
}

async function runWorker({ worker }: Prepared, collects = false): Promise<number> {
  const watch = await watchHeap(worker.inspectorUrl, collects)
  try {
    await fireCron(worker.url, cronSchedules.backup)
    if (watch.samples() < rounds) throw new Error('The inspector hardly answered.')
    return watch.peakBytes() / 1e6
  } finally {
    watch.stop()
  }
}

async function runDump({ folder, url }: Prepared): Promise<void> {
  const file = join(folder, 'dump')
  await run('pg_dump', ['-Fc', '--file', file, url])
  await rm(file)
}

interface Measured {
  readonly seconds: number
  readonly peakMb: number
}

async function measureRounds(prepared: Prepared, say: (line: string) => void, signal: AbortSignal) {
  const all = { command: new Array<Measured>(), worker: new Array<Measured>(), dump: new Array<number>() }
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, work] of [
      ['command', runCommand],
      ['worker', runWorker],
    ] as const) {
      signal.throwIfAborted()
      let peakMb = 0
      const seconds = await secondsOf(async () => (peakMb = await work(prepared)))
      all[name].push({ seconds, peakMb })
      say(`round ${round} of ${rounds}: ${name} ${rounded(seconds)} s, ${rounded(peakMb)} MB`)
    }
    const seconds = await secondsOf(() => runDump(prepared))
    all.dump.push(seconds)
    say(`round ${round} of ${rounds}: pg_dump ${rounded(seconds)} s`)
  }
  return all
}

function rateOf(name: string, measured: readonly Measured[], dump: readonly number[]): Result {
  const [value, against] = [
    median(measured.map(({ seconds }) => rowCount / seconds)),
    median(dump.map((seconds) => rowCount / seconds)),
  ]
  return {
    name: `backup of ${rowCount} transactions by the ${name}, against pg_dump -Fc`,
    value: rounded(value),
    unit: 'rows/s',
    against: rounded(against),
    ratio: rounded(value / against),
    target: 'none',
    ok: true,
  }
}

function restoreOf(seconds: number, created: readonly Measured[]): Result {
  const [value, against] = [rowCount / seconds, median(created.map((measured) => rowCount / measured.seconds))]
  return {
    name: `restoration of ${rowCount} transactions, against their backup by the command`,
    value: rounded(value),
    unit: 'rows/s',
    against: rounded(against),
    ratio: rounded(value / against),
    target: 'none',
    ok: true,
  }
}

/** @param limitMb null where the number is for information */
function memoryOf(name: string, value: number, limitMb: number | null): Result {
  return {
    name,
    value: rounded(value),
    unit: 'MB',
    against: mostMb,
    ratio: rounded(value / mostMb),
    target: limitMb === null ? 'none' : `< ${limitMb} MB`,
    ok: limitMb === null || value < limitMb,
  }
}

/** A new database on the server of BENCH_DATABASE_URL. */
async function createDatabase(): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const given = process.env['BENCH_DATABASE_URL']
  if (!given)
    throw new Error("BENCH_DATABASE_URL is not set: run '.ci/stock-postgres --run npm run bench -- --only backup'.")
  const name = `wn_bench_${randomBytes(4).toString('hex')}`
  const asOwner = async (statement: string): Promise<void> => {
    const client = new Client(given)
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  await asOwner(`create database ${name}`)
  const url = Object.assign(new URL(given), { pathname: `/${name}` }).href
  return { url, drop: () => asOwner(`drop database ${name} with (force)`) }
}

export const backupBenchmark: Benchmark = {
  async run(say, signal) {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bench-'))
    const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
    try {
      const { url, drop } = await createDatabase()
      undo.push(drop)
      const empty = await createDatabase()
      undo.push(empty.drop)
      await migrate(url)
      const endpoint = await startNeonEndpoint({ postgresUrl: url, port: 0, log: quiet })
      undo.push(() => endpoint.stop())
      say(`storing ${rowCount} transactions`)
      await fill(url)
      const identity = await generateIdentity()
      const recipient = await identityToRecipient(identity)
      const variables = workerVariables(await bootstrap(url), endpoint.url, recipient)
      const worker = await startWorker(folder, variables)
      undo.push(worker.dispose)
      const prepared = { folder, url, emptyUrl: empty.url, identity, variables, worker }
      const all = await measureRounds(prepared, say, signal)
      say('again by the Worker, with its garbage collected all the time')
      const needed = await runWorker(prepared, true)
      const restored = await restore(prepared)
      const peakOfAll = (measured: readonly Measured[]): number => Math.max(...measured.map(({ peakMb }) => peakMb))
      return [
        rateOf('command', all.command, all.dump),
        rateOf('Worker', all.worker, all.dump),
        restoreOf(restored.seconds, all.command),
        memoryOf("the isolate's heap in that backup, without garbage", needed, liveMb),
        memoryOf("the isolate's heap in that backup, with garbage", peakOfAll(all.worker), null),
        memoryOf('resident memory of the command in that backup', peakOfAll(all.command), mostMb),
        memoryOf('resident memory of the command in that restoration', restored.peakMb, null),
      ]
    } finally {
      for (const step of undo.toReversed()) await step()
    }
  },
}
