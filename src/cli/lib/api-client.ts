// A client of the product's API, as one user.
import * as z from 'zod'
import { type Send, textOf } from './http.ts'

const base = '/api/v1'
const pageSize = 500
const optional = z.string().nullable()

const item = z.object({
  id: z.string(),
  plaid_item_id: z.string(),
  institution: z.object({ name: optional }),
  status: z.string(),
  products: z.array(
    z.object({ product: z.string(), status: z.string(), last_synced_at: optional, last_error: optional }),
  ),
})
const account = z.object({
  id: z.string(),
  item_id: z.string(),
  plaid_account_id: z.string(),
  name: z.string(),
  official_name: optional,
  mask: optional,
  type: z.string(),
  subtype: optional,
  balances: z.object({ current: optional, available: optional, limit: optional, currency: optional }),
  closed: z.boolean(),
})
const transaction = z.object({
  id: z.string(),
  plaid_transaction_id: z.string(),
  account_id: z.string(),
  date: z.string(),
  authorized_date: optional,
  amount: z.string(),
  currency: optional,
  name: z.string(),
  merchant: z.object({ name: optional }),
  category: z.object({ primary: optional, detailed: optional }),
  pending: z.boolean(),
  note: optional,
})
const security = z.object({ plaid_security_id: z.string(), name: optional, ticker_symbol: optional, type: optional })
const holding = z.object({
  account_id: z.string(),
  security,
  quantity: z.string(),
  institution_price: z.string(),
  institution_value: z.string(),
  cost_basis: optional,
  currency: optional,
})
const investmentTransaction = z.object({
  plaid_investment_transaction_id: z.string(),
  account_id: z.string(),
  security: security.nullable(),
  date: z.string(),
  name: z.string(),
  quantity: z.string(),
  amount: z.string(),
  price: z.string(),
  fees: optional,
  type: z.string(),
  subtype: z.string(),
  currency: optional,
})
const liability = z.object({ account_id: z.string(), kind: z.string(), details: z.record(z.string(), z.unknown()) })
const run = z.object({ product: z.string(), outcome: z.string(), pages: z.int(), upserted: z.int(), removed: z.int() })

export type ApiItem = z.infer<typeof item>
export type ApiTransaction = z.infer<typeof transaction>

/** All rows that the list endpoints return for the user. */
export interface ApiLists {
  readonly accounts: z.infer<typeof account>[]
  readonly transactions: ApiTransaction[]
  readonly holdings: z.infer<typeof holding>[]
  readonly investmentTransactions: z.infer<typeof investmentTransaction>[]
  readonly liabilities: z.infer<typeof liability>[]
}

export interface Api {
  /** Sends one request and resolves with any status. The path is below `/api/v1`. */
  send: Send
  createLinkToken(): Promise<string>
  exchange(publicToken: string, linkToken: string): Promise<ApiItem>
  item(id: string): Promise<ApiItem>
  /** Requests a new read of all products of the item. */
  syncItem(id: string): Promise<void>
  transactions(): Promise<ApiTransaction[]>
  lists(): Promise<ApiLists>
  writeNote(transactionId: string, note: string): Promise<void>
  /** The item's runs, newest first. */
  runs(itemId: string): Promise<z.infer<typeof run>[]>
}

/** `root` sends to the Worker's origin with a user's token. */
export function apiOf(root: Send): Api {
  const send: Send = (method, path, body) => root(method, `${base}${path}`, body)
  const read = async <Shape extends z.ZodType>(shape: Shape, path: string): Promise<z.infer<Shape>> =>
    shape.parse(JSON.parse(await textOf(send, 200, 'GET', path)))
  const every = async <Row extends z.ZodType>(row: Row, path: string): Promise<z.infer<Row>[]> => {
    const page = z.object({ data: z.array(row), next_cursor: optional })
    const rows: z.infer<Row>[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const found: z.infer<typeof page> = await read(page, `${path}?limit=${pageSize}${from}`)
      rows.push(...found.data)
      cursor = found.next_cursor
    }
    return rows
  }
  return {
    send,
    async createLinkToken() {
      const text = await textOf(send, 200, 'POST', '/plaid/link/token/create', '{}')
      return z.object({ link_token: z.string() }).parse(JSON.parse(text)).link_token
    },
    async exchange(publicToken, linkToken) {
      const body = JSON.stringify({ public_token: publicToken, link_token: linkToken })
      return item.parse(JSON.parse(await textOf(send, 201, 'POST', '/plaid/item/public_token/exchange', body)))
    },
    item: (id) => read(item, `/plaid/items/${id}`),
    async syncItem(id) {
      await textOf(send, 202, 'POST', `/plaid/sync/item/${id}`)
    },
    transactions: () => every(transaction, '/transactions'),
    lists: async () => ({
      accounts: await every(account, '/accounts'),
      transactions: await every(transaction, '/transactions'),
      holdings: await every(holding, '/holdings'),
      investmentTransactions: await every(investmentTransaction, '/investments/transactions'),
      liabilities: await every(liability, '/liabilities'),
    }),
    async writeNote(transactionId, note) {
      await textOf(send, 200, 'PATCH', `/transactions/${transactionId}`, JSON.stringify({ note }))
    },
    runs: async (itemId) =>
      (await read(z.object({ data: z.array(run) }), `/plaid/sync/runs?limit=100&item_id=${itemId}`)).data,
  }
}
