// One bank linked through the built Worker, with a separate database and simulator. The cost of a sync is measured from
// outside: at the database's endpoint, at the bank and at the isolate's inspector.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { unstable_startWorker } from 'wrangler'
import * as z from 'zod'
import { buildBundle, noAssets } from '../../dev/lib/bundle.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { signToken } from '../../dev/lib/sign-token.ts'
import type { InterceptedRequest } from '../../dev/neon-local/server.ts'
import { startSimulator } from '../../dev/plaid-simulator/server.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'

export const clientId = 'bench'
const quiet = (): void => undefined
/** The most transactions that the simulator invents in one call. */
const addedPerCall = 10_000
const pollMs = 20

export interface LinkedWorker {
  /** The isolate's inspector, a WebSocket. */
  readonly inspectorUrl: string
  /** Adds transactions at the bank without a webhook. */
  addAtBank(count: number): Promise<void>
  /** Makes the bank's whole history available; until then it is not ready. */
  openHistory(): Promise<void>
  /** Requests a sync and resolves when the stored transactions are those of the bank. Rejects after `limitMs`. */
  sync(limitMs: number, signal: AbortSignal): Promise<void>
  /** Calls of `/transactions/sync` at the bank so far. */
  pagesRead(): Promise<number>
  /** Rows of transactions that no bank has, for reads of many rows. */
  storeTransactions(count: number): Promise<void>
  /** Reads a response to its end and keeps none of it but its last bytes. Returns these, and how many there were. */
  readAway(path: string, signal: AbortSignal): Promise<{ bytes: number; end: string }>
  /** Stored and not removed. */
  storedTransactions(): Promise<number>
  stop(): Promise<void>
}

interface Parts {
  readonly database: ScratchDatabase
  readonly plaidUrl: string
  readonly plaidSecret: string
  readonly api: string
  readonly token: string
}

export async function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: object,
): Promise<unknown> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, ...json })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname} answered ${response.status}: ${text}`)
  return JSON.parse(text === '' ? 'null' : text)
}

/** The variables of a Worker for that database and bank. */
export function variables(
  database: ScratchDatabase,
  plaidUrl: string,
  plaidSecret: string,
  secretKey: string,
): Record<string, string> {
  return {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: clientId,
    PLAID_SECRET: plaidSecret,
    PLAID_BASE_URL: plaidUrl,
    // No server listens there: syncs start on request.
    PLAID_WEBHOOK_URL: 'http://127.0.0.1:9/api/v1/plaid/webhook',
    PLAID_PRODUCTS: 'transactions',
    // A hundred pages of one item take two minutes of Plaid's limit, and that wait is not measured here.
    PLAID_LIMITS: JSON.stringify({ sync: { item: 10_000, client: 10_000 } }),
    DATABASE_URL: database.apiUrl,
    DATABASE_JOBS_URL: database.jobsUrl,
    DATABASE_IDENTITY_URL: database.identityUrl,
    DATABASE_ENDPOINT: database.endpoint,
    SECRET_KEY: secretKey,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    RATE_LIMIT_ENABLED: 'false',
    MAX_ITEMS_PER_USER: '1000',
    MAX_LINKS_PER_DAY: '1000',
    ALLOW_DUPLICATE_ITEMS: 'true',
  }
}

async function linkItem({ plaidUrl, plaidSecret, api, token }: Parts): Promise<{ id: string; plaid_item_id: string }> {
  const made = await send(
    `${plaidUrl}/sandbox/public_token/create`,
    'POST',
    {},
    {
      client_id: clientId,
      secret: plaidSecret,
      institution_id: 'ins_109508',
      initial_products: ['transactions'],
      options: { transactions: { days_requested: 30 } },
    },
  )
  const { public_token } = z.object({ public_token: z.string() }).parse(made)
  const exchanged = await send(
    `${api}/api/v1/plaid/item/public_token/exchange`,
    'POST',
    { authorization: `Bearer ${token}` },
    { public_token },
  )
  return z.object({ id: z.string(), plaid_item_id: z.string() }).parse(exchanged)
}

async function count(database: ScratchDatabase, text: string, params: readonly string[]): Promise<number> {
  const { rows } = await database.owner.query(text, [...params])
  return z.tuple([z.object({ n: z.coerce.number() })]).parse(rows)[0].n
}

const unsynced = `select count(*) as n from item_products
  where item_id = $1 and product = 'transactions' and (dirty_seq > synced_seq or lease_owner is not null)`

async function controlsOf(parts: Parts): Promise<Omit<LinkedWorker, 'stop' | 'inspectorUrl'>> {
  const { database, plaidUrl, api, token } = parts
  const item = await linkItem(parts)
  const bank = (change: object): Promise<unknown> =>
    send(`${plaidUrl}/simulator/items/${item.plaid_item_id}/bank`, 'POST', {}, change)
  return {
    async addAtBank(wanted) {
      for (let left = wanted; left > 0; left -= addedPerCall)
        await bank({ add: Math.min(left, addedPerCall), silent: true })
    },
    async openHistory() {
      await bank({ history: 'historical', silent: true })
    },
    async sync(limitMs, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
      await database.owner.query('update item_products set next_attempt_at = now() where item_id = $1', [item.id])
      await send(`${api}/api/v1/plaid/sync/item/${item.id}`, 'POST', { authorization: `Bearer ${token}` })
      while ((await count(database, unsynced, [item.id])) > 0) await delay(pollMs, undefined, { signal: limit })
    },
    async pagesRead() {
      const calls = await send(`${plaidUrl}/simulator/calls`, 'GET', {})
      const named = z.object({ calls: z.array(z.object({ endpoint: z.string() })) }).parse(calls).calls
      return named.filter(({ endpoint }) => endpoint === '/transactions/sync').length
    },
    async storeTransactions(wanted) {
      await database.owner.query(
        `insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
          select a.user_id, a.item_id, a.id, 'stored-' || n, date '2024-01-01' + n % 700, -n / 100.0, 'Payment ' || n, false, n
          from (select * from accounts where item_id = $1 limit 1) a, generate_series(1, $2::int) n`,
        [item.id, wanted],
      )
    },
    async readAway(path, signal) {
      const response = await fetch(`${api}${path}`, { headers: { authorization: `Bearer ${token}` }, signal })
      if (!response.ok || response.body === null) throw new Error(`GET ${path} answered ${response.status}`)
      const found = { bytes: 0, end: '' }
      const decoder = new TextDecoder('latin1')
      for await (const chunk of response.body) {
        found.bytes += chunk.length
        found.end = (found.end + decoder.decode(chunk)).slice(-2000)
      }
      return found
    },
    storedTransactions: () =>
      count(database, 'select count(*) as n from transactions where item_id = $1 and removed_at is null', [item.id]),
  }
}

/** wrangler reads these when it is imported: standard output is for the table, and nothing may use the network. */
export async function startHere(options: Parameters<typeof unstable_startWorker>[0]) {
  Object.assign(process.env, {
    WRANGLER_LOG: 'none',
    WRANGLER_SEND_METRICS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  })
  const { unstable_startWorker: start } = await import('wrangler')
  return await start(options)
}

/** Starts all parts and links the bank. `onRequest` is called for every request to the database. */
export async function startLinkedWorker(
  say: (line: string) => void,
  onRequest: (request: InterceptedRequest) => void = quiet,
): Promise<LinkedWorker> {
  const undo: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bench-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    say('building')
    const { entry } = await buildBundle(join(folder, 'built'))
    const database = await startScratchDatabase({ onRequest })
    undo.push(() => database.stop())
    const [plaidSecret, secretKey] = [randomBytes(16).toString('hex'), randomBytes(32).toString('hex')]
    const simulator = await startSimulator({
      port: 0,
      clientId,
      secret: plaidSecret,
      historyDelayMs: 'manual',
      rateLimits: false,
    })
    undo.push(() => simulator.stop())
    const worker = await startHere({
      config: join(projectFolder, 'wrangler.toml'),
      entrypoint: entry,
      build: { bundle: false },
      assets: await noAssets(folder),
      envFiles: ['/dev/null'],
      bindings: Object.fromEntries(
        Object.entries(variables(database, simulator.url, plaidSecret, secretKey)).map(([name, value]) => [
          name,
          { type: 'secret_text' as const, value },
        ]),
      ),
      dev: {
        server: { hostname: '127.0.0.1', port: 0 },
        inspector: { hostname: '127.0.0.1', port: 0 },
        persist: join(folder, 'state'),
        watch: false,
        logLevel: 'none',
      },
    })
    undo.push(() => worker.dispose())
    await worker.ready
    const inspectorUrl = await worker.inspectorUrl
    if (inspectorUrl === undefined) throw new Error('The Worker has no inspector.')
    const token = await signToken({ secret: secretKey, subject: 'bench', ttlSeconds: 3600 })
    const api = new URL(await worker.url).origin
    const controls = await controlsOf({ database, plaidUrl: simulator.url, plaidSecret, api, token })
    return { ...controls, inspectorUrl: inspectorUrl.href, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
