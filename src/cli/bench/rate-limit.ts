// The cost of the rate limiter: the same requests to two plain workerd processes with the same build, one with limits
// and one without, in turns; the result is the difference in processor time. The request does not reach the database or
// Plaid, because validation refuses it after address and user are counted.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBundle } from '../../dev/lib/bundle.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { signToken } from '../../dev/lib/sign-token.ts'
import { startWorkerd, type Workerd } from '../../dev/lib/workerd-process.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { processCpuMs } from './worker-cpu.ts'
import { type Connections, inLanes, openConnections, type Visit } from './workerd-load.ts'

const nobody = 'http://127.0.0.1:9'
const path = '/api/v1/accounts/no-uuid'
const clients = 20
/** Concurrent clients, each with one request at a time. */
const lanes = 10
/** Turns are short, so that other load on the machine affects both processes equally. */
const requestsEach = 20
const rounds = 15
const warmUps = 2
const targetMs = 1
/**
 * High enough that the same clients are never refused, and their objects stay in memory. A log grows to about 300
 * admissions.
 */
const quotas = { global: 1000, global_hour: 1000 }

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
    DATABASE_IDENTITY_URL: 'postgres://wn_identity:bench@127.0.0.1:9/bench',
    DATABASE_ENDPOINT: `${nobody}/sql`,
    SECRET_KEY: secretKey,
    ENCRYPTION_KEY: secret(),
    RATE_LIMIT_ENABLED: String(enabled),
    RATE_LIMITS: JSON.stringify(quotas),
  }
}

async function visitOf(secret: string, address: string): Promise<Visit> {
  const token = await signToken({ secret, subject: `user at ${address}`, ttlSeconds: 3600 })
  return { path, headers: { authorization: `Bearer ${token}`, 'cf-connecting-ip': address } }
}

const visitsOf = (secret: string, network: string): Promise<Visit[]> =>
  Promise.all(Array.from({ length: clients }, (_, index) => visitOf(secret, `${network}.${index + 1}`)))

interface Bench {
  readonly limited: Workerd
  readonly open: Workerd
  readonly connections: Connections
}

/** Processor time for each request when every client sends this many, in milliseconds. */
async function cost(
  { connections }: Bench,
  { pid, port }: Workerd,
  visits: readonly Visit[],
  times: number,
  expected: readonly number[] = [400],
): Promise<number> {
  const before = await processCpuMs(pid)
  await inLanes(lanes, visits, async (visit) => {
    for (let sent = 0; sent < times; sent += 1) {
      const status = await connections.send(port, visit)
      if (!expected.includes(status)) throw new Error(`${path} answered ${status}.`)
    }
  })
  return ((await processCpuMs(pid)) - before) / (visits.length * times)
}

interface Costs {
  readonly bare: number
  readonly admitted: number
  readonly refused: number
}

/** @param flood a client that is far over its limit */
async function measureRound(bench: Bench, visits: readonly Visit[], flood: readonly Visit[]): Promise<Costs> {
  const { limited, open } = bench
  const bare = await cost(bench, open, visits, requestsEach)
  // The platform evicts an object after ten seconds, and on a busy machine the other turns can take as long.
  await cost(bench, limited, visits, 1)
  const admitted = await cost(bench, limited, visits, requestsEach)
  const refused = await cost(bench, limited, flood, requestsEach, [400, 429])
  return { bare, admitted: admitted - bare, refused: refused - bare }
}

function result(name: string, values: readonly number[], bare: readonly number[], isTarget: boolean): Result {
  const [value, against] = [median(values), median(bare)]
  return {
    name: `rate-limit: added to ${name}`,
    value: rounded(value),
    unit: 'ms',
    against: rounded(against),
    ratio: rounded(value / against),
    target: isTarget ? `< ${targetMs} ms` : 'none',
    ok: !isTarget || value < targetMs,
  }
}

/** Warms both up, and returns the cost of requests of new clients. */
async function warmUp(bench: Bench, secret: string): Promise<number[]> {
  const firsts: number[] = []
  for (let network = 1; network <= warmUps; network += 1) {
    const visits = await visitsOf(secret, `198.51.${network}`)
    const bare = await cost(bench, bench.open, visits, 1)
    firsts.push((await cost(bench, bench.limited, visits, 1)) - bare)
    for (const worker of [bench.open, bench.limited]) await cost(bench, worker, visits, 3 * requestsEach)
  }
  return firsts
}

async function measure(bench: Bench, secret: string, say: (line: string) => void): Promise<Result[]> {
  say('warming up')
  const firsts = await warmUp(bench, secret)
  const visits = await visitsOf(secret, '203.0.113')
  const flooder = await visitOf(secret, '192.0.2.1')
  const flood = Array.from({ length: clients }, () => flooder)
  // Reaches the limit. As the window moves, a few more are admitted; they are counted as refused.
  await cost(bench, bench.limited, flood, Math.ceil(quotas.global / clients) + 1, [400, 429])
  for (const worker of [bench.open, bench.limited]) await cost(bench, worker, visits, 2)
  const all: Costs[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const costs = await measureRound(bench, visits, flood)
    all.push(costs)
    say(`round ${round} of ${rounds}: ${rounded(costs.bare)} ms, and ${rounded(costs.admitted)} ms for limits`)
  }
  const of = (kind: keyof Costs): number[] => all.map((costs) => costs[kind])
  return [
    result('a request that is admitted', of('admitted'), of('bare'), true),
    result('a request that is refused', of('refused'), of('bare'), true),
    result('the first request of a client, whose objects are made', firsts, of('bare'), false),
  ]
}

export const rateLimitBenchmark: Benchmark = {
  async run(say, signal) {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bench-'))
    const workers: Workerd[] = []
    const connections = openConnections(lanes)
    try {
      say('building')
      const { entry: bundle } = await buildBundle(join(folder, 'built'))
      const secret = randomBytes(32).toString('hex')
      const start = async (name: string, enabled: boolean): Promise<Workerd> => {
        const given = { projectFolder, folder: join(folder, name), bundle, signal }
        const worker = await startWorkerd({ ...given, variables: variables(secret, enabled) })
        workers.push(worker)
        signal.addEventListener('abort', () => void worker.stop(), { once: true })
        return worker
      }
      return await measure(
        { limited: await start('limited', true), open: await start('open', false), connections },
        secret,
        say,
      )
    } finally {
      connections.close()
      for (const worker of workers) await worker.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}
