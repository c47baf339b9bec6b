// What the rate limiter costs: the same requests to two Workers from one build, one with limits and one without, turn
// about, and the difference in workerd's processor time. Database and Plaid are never asked: the request is one that
// validation refuses, after both the address and the user were counted.
import { mkdtemp, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker, type Worker } from '../../dev/worker.ts'
import { buildBundle } from '../bundle.ts'
import { signToken } from '../token.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { workerdCpuMs } from './worker-cpu.ts'

const projectFolder = join(import.meta.dirname, '..', '..', '..')
const nobody = 'http://127.0.0.1:9'
const path = '/api/v1/accounts/no-uuid'
const clients = 25
const requestsPerRound = 500
/** Divides what a client sends in a round. */
const inFlight = 10
/** So many that no client comes to its limit of 100 a minute. */
const rounds = 4
const targetMs = 1

function variables(secretKey: string, enabled: boolean): Record<string, string> {
  const secret = (): string => randomBytes(32).toString('base64')
  return {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: 'bench',
    PLAID_SECRET: secret(),
    PLAID_BASE_URL: nobody,
    PLAID_WEBHOOK_URL: `${nobody}/api/v1/plaid/webhook`,
    DATABASE_URL: 'postgres://wn_api:bench@127.0.0.1:9/bench',
    DATABASE_JOBS_URL: 'postgres://wn_jobs:bench@127.0.0.1:9/bench',
    DATABASE_ENDPOINT: `${nobody}/sql`,
    SECRET_KEY: secretKey,
    ENCRYPTION_KEY: secret(),
    RATE_LIMIT_ENABLED: String(enabled),
  }
}

interface Client {
  readonly address: string
  readonly token: string
}

async function send(worker: Worker, { address, token }: Client, expected: readonly number[]): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'cf-connecting-ip': address }
  const response = await fetch(`${worker.url}${path}`, { headers })
  await response.arrayBuffer()
  if (!expected.includes(response.status)) throw new Error(`${path} answered ${response.status}.`)
}

/**
 * Processor time of each of `times` requests, in milliseconds. One client comes after another, so that each wakes its
 * objects once, with so many requests in flight as keep workerd from falling asleep between them.
 */
async function cpuPerRequest(
  worker: Worker,
  by: readonly Client[],
  expected: readonly number[],
  times: number,
): Promise<number> {
  const before = await workerdCpuMs(worker.pid)
  for (const client of by)
    for (let sent = 0; sent < times / by.length; sent += inFlight)
      await Promise.all(Array.from({ length: inFlight }, () => send(worker, client, expected)))
  return ((await workerdCpuMs(worker.pid)) - before) / times
}

function result(name: string, values: readonly number[], against: readonly number[]): Result {
  const [value, compared] = [median(values), median(against)]
  const [shown, base] = [rounded(value), rounded(compared)]
  const ratio = rounded(value / compared)
  return { name, value: shown, unit: 'ms', against: base, ratio, target: `< ${targetMs} ms`, ok: value < targetMs }
}

async function measure(limited: Worker, open: Worker, secret: string, say: (line: string) => void): Promise<Result[]> {
  const clientsOf = (network: string, count: number): Promise<Client[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => ({
        address: `${network}.${index + 1}`,
        token: await signToken({ secret, subject: `${network}-${index}`, ttlSeconds: 3600 }),
      })),
    )
  say('warming up')
  const warm = await clientsOf('198.51.100', clients)
  for (const worker of [open, limited]) await cpuPerRequest(worker, warm, [400], requestsPerRound)
  const measured = await clientsOf('203.0.113', clients)
  const [flooder] = await clientsOf('192.0.2', 1)
  const flood = flooder === undefined ? [] : [flooder]
  const [costs, refusals, bare]: [number[], number[], number[]] = [[], [], []]
  for (let round = 1; round <= rounds; round += 1) {
    const without = await cpuPerRequest(open, measured, [400], requestsPerRound)
    const within = await cpuPerRequest(limited, measured, [400], requestsPerRound)
    bare.push(without)
    costs.push(within - without)
    // Up to the limit first; of what follows a few may be admitted as the window moves on.
    await cpuPerRequest(limited, flood, [400, 429], 100)
    const refused = await cpuPerRequest(limited, flood, [400, 429], requestsPerRound)
    refusals.push(refused - without)
    say(`round ${round} of ${rounds}: ${rounded(without)} ms without, ${rounded(within)} ms with limits`)
  }
  return [
    result('rate-limit: added to a request that is admitted', costs, bare),
    result('rate-limit: added to a request that is refused', refusals, bare),
  ]
}

export const rateLimitBenchmark: Benchmark = {
  summary: 'processor time of workerd for a request, with limits by address and by user against without any',
  async run(say, signal) {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bench-'))
    const workers: Worker[] = []
    try {
      say('building')
      const { entry: bundle } = await buildBundle(join(folder, 'built'))
      const secret = randomBytes(32).toString('hex')
      const start = async (name: string, enabled: boolean): Promise<Worker> => {
        const lines: string[] = []
        const given = { folder: join(folder, name), port: 0, variables: variables(secret, enabled), bundle }
        const onLine = (line: string): void => void lines.push(line)
        const worker = await startWorker({ ...given, projectFolder, onLine, onExit: say, signal })
        workers.push(worker)
        return worker
      }
      return await measure(await start('limited', true), await start('open', false), secret, say)
    } finally {
      for (const worker of workers) await worker.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}
