// Controls the simulator: creates items, changes the bank, reads its truth. Uses HTTP only and imports nothing of the
// simulator.
import * as z from 'zod'
import { parseExactJson } from '../../src/exact-json.ts'
import type { TestSimulator } from './stack.ts'

const truthTransaction = z.object({
  transaction_id: z.string(),
  account_id: z.string(),
  amount: z.string(),
  date: z.string(),
  name: z.string(),
  pending: z.boolean(),
  pending_transaction_id: z.string().nullable(),
  iso_currency_code: z.string().nullable(),
  unofficial_currency_code: z.string().nullable(),
  personal_finance_category: z.object({ primary: z.string(), detailed: z.string() }).nullable(),
})
const truthSchema = z.object({
  item_id: z.string(),
  institution_id: z.string(),
  accounts: z.array(z.looseObject({ account_id: z.string() })),
  transactions: z.array(truthTransaction),
  holdings: z.array(z.looseObject({ account_id: z.string(), security_id: z.string(), quantity: z.string() })),
  investment_transactions: z.array(z.looseObject({ investment_transaction_id: z.string(), amount: z.string() })),
  liabilities: z.looseObject({}).nullable(),
})
const changedSchema = z.looseObject({
  added: z.array(z.string()),
  modified: z.array(z.string()),
  removed: z.array(z.string()),
  posted: z.array(z.object({ pending_transaction_id: z.string(), transaction_id: z.string() })),
})

const totalSchema = z.object({
  currency: z.string().nullable(),
  meaning: z.enum(['spent', 'earned', 'borrowed', 'kept', 'owed']),
  category: z.string().nullable(),
  amount: z.string(),
  count: z.string(),
})
const pastBalancesSchema = z.object({
  accounts: z.array(
    z.object({
      account_id: z.string(),
      type: z.string(),
      days: z.array(z.object({ date: z.string(), current: z.string() })),
    }),
  ),
})
export type PastBalances = z.infer<typeof pastBalancesSchema>['accounts']
const booksSchema = z.object({ totals: z.array(totalSchema) })

/** The total of one meaning, category and currency, from the simulator's double-entry books. */
export type BooksTotal = z.infer<typeof totalSchema>
export type Truth = z.infer<typeof truthSchema>
export type Changed = z.infer<typeof changedSchema>

export interface Bank {
  /** Calls an endpoint of Plaid with the credentials. Numbers in the response are exact decimal text. */
  plaid(path: string, body: object): Promise<Record<string, unknown>>
  publicToken(options?: {
    institution?: string
    username?: string
    password?: object | string
    products?: string[]
    webhook?: string
  }): Promise<string>
  truth(itemId: string): Promise<Truth>
  /** The balances at the end of each day, in the bank's own books. */
  pastBalances(itemId: string): Promise<PastBalances>
  /** What moved from the first to the last day, in the bank's own books. */
  books(itemId: string, from: string, to: string): Promise<BooksTotal[]>
  /** A string is JSON as it is sent, for numbers that JavaScript cannot hold. */
  change(itemId: string, wanted: object | string): Promise<Changed>
  fault(fault: object): Promise<void>
  clearFaults(): Promise<void>
  /**
   * Changes responses by rule; see `alterationRequest` of the simulator. A string is JSON, for numbers beyond
   * JavaScript's.
   */
  alter(rule: object | string): Promise<void>
  clearAlterations(): Promise<void>
  /** Sets the kind of Plaid client: `legacy_users`, `category_version`, `foreign_tokens`, `secrets`. */
  client(kind: object): Promise<void>
  webhooks(mischief: object): Promise<void>
  /** Calls to Plaid's API, oldest first. `item_id` is null for calls that concern no item. */
  calls(): Promise<{ endpoint: string; item_id: string | null }[]>
}

const callsSchema = z.object({
  calls: z.array(z.looseObject({ endpoint: z.string(), item_id: z.string().nullable() })),
})

const withSecrets = z.object({ secrets: z.array(z.string()) })

export function connectBank(simulator: TestSimulator): Bank {
  let { secret } = simulator
  const call = async (method: string, path: string, body?: object | string): Promise<unknown> => {
    const response = await fetch(`${simulator.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        'plaid-client-id': simulator.clientId,
        'plaid-secret': secret,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} of the simulator: ${response.status} ${text}`)
    return text === '' ? {} : parseExactJson(text)
  }
  const plaid = async (path: string, body: object) =>
    z.record(z.string(), z.unknown()).parse(await call('POST', path, body))
  return {
    plaid,
    async publicToken({
      institution = 'ins_109508',
      username = 'user_good',
      password = 'pass_good',
      products = ['transactions'],
      webhook,
    } = {}) {
      const { public_token: token } = await plaid('/sandbox/public_token/create', {
        institution_id: institution,
        initial_products: products,
        options: {
          override_username: username,
          override_password: typeof password === 'string' ? password : JSON.stringify(password),
          // Ninety days are enough for most tests, and much quicker than two years.
          transactions: { days_requested: 90 },
          ...(webhook === undefined ? {} : { webhook }),
        },
      })
      return z.string().parse(token)
    },
    truth: async (itemId) => truthSchema.parse(await call('GET', `/simulator/truth?item_id=${itemId}`)),
    pastBalances: async (itemId) =>
      pastBalancesSchema.parse(await call('GET', `/simulator/balances?item_id=${itemId}`)).accounts,
    books: async (itemId, from, to) =>
      booksSchema.parse(await call('GET', `/simulator/books?item_id=${itemId}&from=${from}&to=${to}`)).totals,
    change: async (itemId, wanted) =>
      changedSchema.parse(await call('POST', `/simulator/items/${itemId}/bank`, wanted)),
    async fault(fault) {
      await call('POST', '/simulator/faults', fault)
    },
    async clearFaults() {
      await call('DELETE', '/simulator/faults')
    },
    async alter(rule) {
      await call('POST', '/simulator/answers', rule)
    },
    async clearAlterations() {
      await call('DELETE', '/simulator/answers')
    },
    async client(kind) {
      await call('POST', '/simulator/client', kind)
      // The newest one is the last that stays active.
      secret = withSecrets.safeParse(kind).data?.secrets.at(-1) ?? secret
    },
    async webhooks(mischief) {
      await call('POST', '/simulator/webhooks', mischief)
    },
    calls: async () => callsSchema.parse(await call('GET', '/simulator/calls')).calls,
  }
}
