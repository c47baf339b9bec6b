// The product from outside: the built Worker over HTTP, with a separate database and simulator. Keeps every response.
// Knows the Worker by its contract alone: routes, variables, tables.
import { inject, vi } from 'vitest'
import * as z from 'zod'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { freePort } from '../../src/dev/lib/ports.ts'
import { type Bank, connectBank } from './bank.ts'
import { workerVariables } from './bindings.ts'
import { type RunningWorker, startBundle } from './bundle.ts'
import { query } from './sql.ts'
import { connectStack, type SimulatorChoices, type Stack, type TestDatabase, type TestSimulator } from './stack.ts'
import { startRecordingProxy, type RecordingProxy } from './recording-proxy.ts'
import { goodClaims, mintToken } from './tokens.ts'

export const webhookPath = '/api/v1/plaid/webhook'
const waitMs = 30_000

export interface Answer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON. Throws if it is not JSON. */
  json(): unknown
}

export interface RequestParts {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request. `path` begins with a slash. A body that is not text is sent as JSON. */
export type Call = (method: string, path: string, parts?: RequestParts) => Promise<Answer>

export interface LinkOptions {
  readonly institution_id?: string
  readonly username?: string
  readonly password?: string
  readonly products?: readonly string[]
}

export interface Linked {
  readonly id: string
  readonly plaidItemId: string
  readonly publicToken: string
}

export interface Edge {
  readonly stack: Stack
  readonly database: TestDatabase
  readonly simulator: TestSimulator
  readonly bank: Bank
  /** The proxy between the Worker and Plaid, with every request in plain text. */
  readonly plaid: RecordingProxy
  readonly variables: Readonly<Record<string, string>>
  readonly port: number
  readonly url: string
  /** Every response to a `call` so far. */
  readonly answers: readonly Answer[]
  /** Without a token. */
  readonly call: Call
  token(subject: string): string
  as(subject: string): Call
  /** Sends requests to another Worker. Their responses are kept too. */
  callTo(url: string, token?: string): Call
  /** Starts another Worker on the same database and bank. `stop` ends it too. */
  startAnother(variables: Readonly<Record<string, string>>): Promise<RunningWorker>
  /** Links a bank: link token, Link, exchange. Does not wait for its sync. */
  link(subject: string, options?: LinkOptions): Promise<Linked>
  /** Links a bank, completes its history and syncs it. */
  linkAndSync(subject: string, options?: LinkOptions): Promise<Linked>
  /** Waits until every webhook was delivered. */
  delivered(): Promise<void>
  /** Waits until every webhook was delivered and nothing is left to sync. */
  settled(): Promise<void>
  sweep(): Promise<void>
  /** Ends every fault of the simulator. */
  healBank(): Promise<void>
  /** A statement as the owner of the tables, who sees every row. */
  readonly sql: (text: string, params?: readonly unknown[]) => Promise<Record<string, string | null>[]>
  /** The access token of an item, from the requests to Plaid. */
  accessToken(plaidItemId: string): string
  /** Log lines of every Worker that this edge started. */
  lines(): string[]
  stop(): Promise<void>
}

interface StartOptions {
  readonly bindings: Record<string, string>
  readonly port: number
  readonly simulator: TestSimulator
}

export interface EdgeOptions {
  readonly variables?: Readonly<Record<string, string>>
  readonly simulator?: SimulatorChoices
  /** Another server's database; the caller drops it. By default a new one of the shared server. */
  readonly database?: TestDatabase
  /** The URL for Plaid's webhooks; the Worker's by default. */
  readonly webhookUrl?: string
  /** Starts the Worker; by default in this process. */
  readonly start?: (options: StartOptions) => Promise<RunningWorker>
}

const linkTokenResponse = z.object({ link_token: z.string() })
const linkResult = z.object({ public_token: z.string() })
const itemAnswer = z.object({ id: z.string(), plaid_item_id: z.string() })
const deliveriesAnswer = z.object({ deliveries: z.array(z.object({ state: z.string() })) })
const exchangeResult = z.object({ access_token: z.string(), item_id: z.string() })

/** Sends requests to `url`, with a token where one is given. */
function caller(url: string, token: string | null, keep: (answer: Answer) => void): Call {
  return async (method, path, { body, headers = {} } = {}) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    })
    const received = await response.text()
    const json = (): unknown => JSON.parse(received)
    const answer: Answer = { method, path, status: response.status, headers: response.headers, text: received, json }
    keep(answer)
    return answer
  }
}

/** Returns the response, or throws an error that shows it when its status is another. */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer
  throw new Error(`${answer.method} ${answer.path}: ${answer.status} instead of ${status}: ${answer.text}`)
}

/** Starts a database, a simulator, and the Worker between them. */
export async function startEdge(options: EdgeOptions = {}): Promise<Edge> {
  const stack = connectStack(inject('control'))
  const [database, simulator, port] = await Promise.all([
    options.database ?? stack.createDatabase(),
    stack.startSimulator({ historyDelayMs: 'manual', rateLimits: false, ...options.simulator }),
    freePort(),
  ])
  const plaid = await startRecordingProxy(simulator.url)
  const bank = connectBank(simulator)
  const url = `http://127.0.0.1:${port}`
  const variables: Record<string, string> = {
    ...workerVariables(database),
    PLAID_BASE_URL: plaid.url,
    PLAID_WEBHOOK_URL: options.webhookUrl ?? `${url}${webhookPath}`,
    PLAID_CLIENT_ID: simulator.clientId,
    PLAID_SECRET: simulator.secret,
    PLAID_PRODUCTS: 'transactions,investments,liabilities',
    // Tests send hundreds of requests. Tests of the limits set RATE_LIMITS.
    RATE_LIMIT_ENABLED: options.variables?.['RATE_LIMITS'] === undefined ? 'false' : '',
    CORS_ORIGINS: '["http://localhost:3000","https://app.test"]',
    ...options.variables,
  }
  const start = options.start ?? (({ bindings }: StartOptions) => startBundle({ bindings, port }))
  const workers = [await start({ bindings: variables, port, simulator })]
  const answers: Answer[] = []
  const keep = (answer: Answer) => void answers.push(answer)
  const sql = (text: string, params: readonly unknown[] = []) =>
    query(database.endpoint, database.ownerUrl, text, params)
  // Tests lose a large share of their items on purpose, which would stop the breaker.
  await sql("update safety_switches set state = 'off' where name = 'item_loss'")
  const token = (subject: string) => mintToken({ secret: String(variables['SECRET_KEY']), claims: goodClaims(subject) })
  const as = (subject: string) => caller(url, token(subject), keep)

  const link = async (subject: string, wanted: LinkOptions = {}): Promise<Linked> => {
    const call = as(subject)
    const created = expectStatus(await call('POST', '/api/v1/plaid/link/token/create', { body: {} }), 200)
    const { link_token } = linkTokenResponse.parse(created.json())
    const { public_token } = linkResult.parse(await bank.plaid('/simulator/link', { link_token, ...wanted }))
    const body = { public_token, link_token }
    const exchanged = expectStatus(await call('POST', '/api/v1/plaid/item/public_token/exchange', { body }), 201)
    const { id, plaid_item_id: plaidItemId } = itemAnswer.parse(exchanged.json())
    return { id, plaidItemId, publicToken: public_token }
  }
  const delivered = () =>
    vi.waitFor(
      async () => {
        const { deliveries } = deliveriesAnswer.parse(await (await fetch(`${simulator.url}/simulator/webhooks`)).json())
        const underway = deliveries.filter(({ state }) => state === 'waiting' || state === 'retrying')
        if (underway.length > 0) throw new Error(`webhooks on their way: ${underway.length}`)
      },
      { timeout: waitMs, interval: 20 },
    )
  const synced = () =>
    vi.waitFor(
      async () => {
        const left = await sql(`select p.product, p.status, p.last_error, p.lease_expires_at, p.next_attempt_at, now()
          from item_products p join items i on i.id = p.item_id where i.removed_at is null and p.status <> 'absent'
            and (p.dirty_seq > p.synced_seq or p.lease_owner is not null)`)
        if (left.length > 0) throw new Error(`still to sync: ${JSON.stringify(left)}`)
      },
      { timeout: waitMs, interval: 50 },
    )
  const settled = async () => {
    await delivered()
    await synced()
  }
  return {
    stack,
    database,
    simulator,
    bank,
    plaid,
    variables,
    port,
    url,
    answers,
    call: caller(url, null, keep),
    token,
    as,
    callTo: (other, bearer) => caller(other, bearer ?? null, keep),
    async startAnother(given) {
      const worker = await startBundle({ bindings: { ...variables, ...given } })
      workers.push(worker)
      return worker
    },
    link,
    async linkAndSync(subject, wanted) {
      const linked = await link(subject, wanted)
      await bank.change(linked.plaidItemId, { history: 'historical' })
      await settled()
      return linked
    },
    delivered,
    settled,
    async sweep() {
      await fireCron(url, cronSchedules.sweep)
    },
    async healBank() {
      await fetch(`${simulator.url}/simulator/faults`, { method: 'DELETE' })
    },
    sql,
    accessToken(plaidItemId) {
      const exchanged = plaid.exchanges
        .filter(({ path, status }) => path === '/item/public_token/exchange' && status === 200)
        .map(({ answer }) => exchangeResult.parse(JSON.parse(answer)))
        .find(({ item_id }) => item_id === plaidItemId)
      if (exchanged === undefined) throw new Error(`${plaidItemId} was not exchanged through the tap`)
      return exchanged.access_token
    },
    lines: () => workers.flatMap((worker) => worker.logs()),
    async stop() {
      await Promise.all(workers.map((worker) => worker.dispose()))
      await plaid.stop()
      await stack.stopSimulator(simulator.id)
      if (options.database === undefined) await stack.dropDatabase(database.name)
    },
  }
}
