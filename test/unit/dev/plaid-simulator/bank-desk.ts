// A simulator for one test, with the official SDK, raw requests and the controls. Ends with the test.
import { Configuration, PlaidApi, Products } from 'plaid'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { parseExact } from '../../../../src/dev/plaid-simulator/lib/exact-json.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../../src/dev/plaid-simulator/server.ts'
import { type Receiver, startReceiver } from './receiver.ts'

export const credentials = { clientId: 'client', secret: 'secret' }

export interface Wire {
  status: number
  text: string
  /** The parsed body, with numbers as raw text. */
  body: Record<string, unknown>
}

export interface Linked {
  access_token: string
  item_id: string
}

export interface BankDesk {
  simulator: Simulator
  plaid: PlaidApi
  /** Calls one of Plaid's endpoints with the credentials added. */
  post(path: string, body: object): Promise<Wire>
  /** Calls a control: POST with a body, GET without. The body may be JSON text. */
  control(path: string, body?: object | string): Promise<Wire>
  link(options?: LinkOptions): Promise<Linked>
}

export interface LinkOptions {
  institution?: string
  products?: Products[]
  webhook?: string
  username?: string
  password?: string
  daysRequested?: number
}

/** By default, history waits for the control and limits are off. */
export async function openDesk(options: Partial<SimulatorOptions> = {}): Promise<BankDesk> {
  const simulator = await startSimulator({
    port: 0,
    ...credentials,
    historyDelayMs: 'manual',
    rateLimits: false,
    webhookRetryBaseMs: 20,
    ...options,
  })
  onTestFinished(() => simulator.stop())
  const headers = { 'PLAID-CLIENT-ID': credentials.clientId, 'PLAID-SECRET': credentials.secret }
  const plaid = new PlaidApi(new Configuration({ basePath: simulator.url, baseOptions: { headers } }))
  const send = async (path: string, init: RequestInit): Promise<Wire> => {
    const response = await fetch(`${simulator.url}${path}`, init)
    const text = await response.text()
    return { status: response.status, text, body: z.record(z.string(), z.unknown()).parse(parseExact(text)) }
  }
  return {
    simulator,
    plaid,
    post: (path, body) =>
      send(path, {
        method: 'POST',
        body: JSON.stringify({ client_id: credentials.clientId, secret: credentials.secret, ...body }),
      }),
    control: (path, body) =>
      body === undefined
        ? send(`/simulator${path}`, {})
        : send(`/simulator${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
    async link({ institution = 'ins_109509', products = [Products.Transactions], ...more } = {}) {
      const created = await plaid.sandboxPublicTokenCreate({
        institution_id: institution,
        initial_products: products,
        options: {
          ...(more.webhook !== undefined && { webhook: more.webhook }),
          ...(more.username !== undefined && { override_username: more.username }),
          ...(more.password !== undefined && { override_password: more.password }),
          transactions: { days_requested: more.daysRequested ?? 90 },
        },
      })
      const exchanged = await plaid.itemPublicTokenExchange({ public_token: created.data.public_token })
      return { access_token: exchanged.data.access_token, item_id: exchanged.data.item_id }
    },
  }
}

/** A webhook receiver that ends with the test. */
export async function openReceiver(): Promise<Receiver> {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.stop())
  return receiver
}

/** Reads a whole update from a cursor, as Plaid's documentation requires. Restarts when the item changed meanwhile. */
export async function readUpdate(desk: BankDesk, access_token: string, cursor = '', count = 500) {
  for (;;) {
    const read = await tryUpdate(desk, access_token, cursor, count)
    if (read !== 'changed') return read
  }
}

const page = z.object({
  added: z.array(z.looseObject({ transaction_id: z.string() })),
  modified: z.array(z.looseObject({ transaction_id: z.string() })),
  removed: z.array(z.object({ transaction_id: z.string(), account_id: z.string() })),
  next_cursor: z.string(),
  has_more: z.boolean(),
  transactions_update_status: z.string(),
})
export type Page = z.infer<typeof page>

async function tryUpdate(desk: BankDesk, access_token: string, start: string, count: number) {
  const pages: Page[] = []
  let cursor = start
  for (;;) {
    const answer = await desk.post('/transactions/sync', { access_token, cursor, count })
    if (answer.body['error_code'] === 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION') return 'changed' as const
    if (answer.status !== 200) throw new Error(answer.text)
    const read = page.parse(answer.body)
    pages.push(read)
    cursor = read.next_cursor
    if (!read.has_more) return { pages, cursor }
  }
}

/**
 * A client's rows after an update: upserts, then removals. Rows are JSON text, so that numbers compare digit by digit.
 */
export function applied(held: ReadonlyMap<string, string>, pages: readonly Page[]): Map<string, string> {
  const next = new Map(held)
  for (const { added, modified } of pages) {
    for (const row of [...added, ...modified]) next.set(row.transaction_id, JSON.stringify(row))
  }
  for (const { removed } of pages) for (const { transaction_id } of removed) next.delete(transaction_id)
  return next
}

/** The simulator's truth about an item's transactions, by id, as JSON text. */
export async function truth(desk: BankDesk, itemId: string): Promise<Map<string, string>> {
  const { body } = await desk.control(`/truth?item_id=${itemId}`)
  const rows = z.array(z.looseObject({ transaction_id: z.string() })).parse(body['transactions'])
  return new Map(rows.map((row) => [row.transaction_id, JSON.stringify(row)]))
}

/** Sorted by id, for comparing. */
export function sorted(rows: ReadonlyMap<string, string>): [string, string][] {
  return [...rows].toSorted(([left], [right]) => (left < right ? -1 : 1))
}
