// How long a user waits for a bank: from the request that exchanges the public token to the last of its transactions in the
// database, through the built Worker, its queue and Plaid's webhooks. Two builds can be compared, turn about.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { freePort } from '../../dev/ports.ts'
import { startSimulator } from '../../dev/simulator/server.ts'
import { buildBundle } from '../bundle.ts'
import { signToken } from '../token.ts'
import { clientId, send, startHere, variables } from './linked-worker.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'

const projectFolder = join(import.meta.dirname, '..', '..', '..')
const transactions = 2000
const rounds = 7
const targetMs = 500
const limitMs = 30_000
const pollMs = 5
const dayMs = 86_400_000

interface Stack {
  readonly database: ScratchDatabase
  readonly plaidUrl: string
  readonly plaidSecret: string
}

interface Waits {
  readonly exchangedMs: number
  readonly storedMs: number
}

const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10)

/** Plaid's custom user: one account with so many transactions of the last two years. */
function bankOf(name: string): string {
  const made = Array.from({ length: transactions }, (_, index) => {
    const date = day(3 + (index % 700))
    return {
      date_transacted: date,
      date_posted: date,
      amount: 1 + (index % 90),
      description: `Purchase ${index}`,
      currency: 'USD',
    }
  })
  const meta = { name: 'Everyday', mask: '1111' }
  const account = { type: 'depository', subtype: 'checking', starting_balance: 1000, meta, transactions: made }
  return JSON.stringify({ seed: name, override_accounts: [account] })
}

async function publicToken({ plaidUrl, plaidSecret }: Stack, name: string): Promise<string> {
  const made = await send(
    `${plaidUrl}/sandbox/public_token/create`,
    'POST',
    {},
    {
      client_id: clientId,
      secret: plaidSecret,
      institution_id: 'ins_109508',
      initial_products: ['transactions'],
      options: {
        override_username: 'user_custom',
        override_password: bankOf(name),
        transactions: { days_requested: 730 },
      },
    },
  )
  return z.object({ public_token: z.string() }).parse(made).public_token
}

async function storedOf({ database }: Stack, itemId: string): Promise<number> {
  const { rows } = await database.owner.query('select count(*) as n from transactions where item_id = $1', [itemId])
  return z.tuple([z.object({ n: z.coerce.number() })]).parse(rows)[0].n
}

/** Links a bank of its own for a user of its own, and waits for all of it. */
async function link(stack: Stack, api: string, secretKey: string, name: string): Promise<Waits> {
  const [public_token, token] = [
    await publicToken(stack, name),
    await signToken({ secret: secretKey, subject: name, ttlSeconds: 3600 }),
  ]
  const started = performance.now()
  const exchanged = await send(
    `${api}/api/v1/plaid/item/public_token/exchange`,
    'POST',
    { authorization: `Bearer ${token}` },
    { public_token },
  )
  const exchangedMs = performance.now() - started
  const { id } = z.object({ id: z.string() }).parse(exchanged)
  while ((await storedOf(stack, id)) < transactions) {
    if (performance.now() - started > limitMs) throw new Error(`Not all was stored within ${limitMs} ms.`)
    await delay(pollMs)
  }
  return { exchangedMs, storedMs: performance.now() - started }
}

interface Runner {
  link(name: string): Promise<Waits>
  stop(): Promise<void>
}

async function startRunner(stack: Stack, entrypoint: string, folder: string): Promise<Runner> {
  const [secretKey, port] = [randomBytes(32).toString('hex'), await freePort()]
  const api = `http://127.0.0.1:${port}`
  const given = {
    ...variables(stack.database, stack.plaidUrl, stack.plaidSecret, secretKey),
    PLAID_WEBHOOK_URL: `${api}/api/v1/plaid/webhook`,
    PLAID_PRODUCTS: 'transactions,investments,liabilities',
  }
  const worker = await startHere({
    config: join(projectFolder, 'wrangler.toml'),
    entrypoint,
    build: { bundle: false },
    envFiles: ['/dev/null'],
    bindings: Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, { type: 'secret_text' as const, value }]),
    ),
    dev: { server: { hostname: '127.0.0.1', port }, inspector: false, persist: folder, watch: false, logLevel: 'none' },
  })
  await worker.ready
  return { link: (name) => link(stack, api, secretKey, name), stop: () => worker.dispose() }
}

function resultOf(name: string, values: readonly number[], against: readonly number[], target: number | null): Result {
  const [value, other] = [median(values), median(against)]
  return {
    name: `first-sync: ${name}`,
    value: rounded(value),
    unit: 'ms',
    against: rounded(other),
    ratio: rounded(value / other),
    target: target === null ? 'none' : `< ${target} ms`,
    ok: target === null || value < target,
  }
}

/** A round of warming up, then turn about; `earlier` is the same build where no other is given. */
async function measure(now: Runner, earlier: Runner, say: (line: string) => void): Promise<Result[]> {
  const [of, before]: [Waits[], Waits[]] = [[], []]
  for (let round = 0; round <= rounds; round += 1) {
    const waits = await now.link(`now ${round}`)
    const others = earlier === now ? waits : await earlier.link(`earlier ${round}`)
    say(`round ${round} of ${rounds}: ${rounded(waits.storedMs)} ms, against ${rounded(others.storedMs)} ms`)
    if (round === 0) continue
    of.push(waits)
    before.push(others)
  }
  const [exchanges, earlierExchanges] = [of, before].map((all) => all.map(({ exchangedMs }) => exchangedMs))
  const [stores, earlierStores] = [of, before].map((all) => all.map(({ storedMs }) => storedMs))
  return [
    resultOf('an exchange', exchanges ?? [], earlierExchanges ?? [], null),
    resultOf(`from exchange to ${transactions} stored transactions`, stores ?? [], earlierStores ?? [], targetMs),
  ]
}

export const firstSyncBenchmark: Benchmark = {
  async run(say, signal) {
    const undo: (() => Promise<unknown>)[] = []
    try {
      const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bench-'))
      undo.push(() => rm(folder, { recursive: true, force: true }))
      say('building')
      const { entry } = await buildBundle(join(folder, 'built'))
      const database = await startScratchDatabase()
      undo.push(() => database.stop())
      const plaidSecret = randomBytes(16).toString('hex')
      const historyDelayMs = { initial: 0, historical: 0 }
      const simulator = await startSimulator({
        port: 0,
        clientId,
        secret: plaidSecret,
        historyDelayMs,
        rateLimits: false,
      })
      undo.push(() => simulator.stop())
      const stack = { database, plaidUrl: simulator.url, plaidSecret }
      const start = async (module: string, name: string): Promise<Runner> => {
        signal.throwIfAborted()
        const runner = await startRunner(stack, module, join(folder, name))
        undo.push(() => runner.stop())
        return runner
      }
      const now = await start(entry, 'now')
      const other = process.env['BENCH_AGAINST'] ?? ''
      return await measure(now, other === '' ? now : await start(other, 'earlier'), say)
    } finally {
      for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
    }
  },
}
