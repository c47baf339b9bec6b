// The demo's client of the simulated bank: plays the user in Link, changes the bank's data, reads what it holds. Uses
// only HTTP, and none of the simulator's code.
import * as z from 'zod'
import { parseExactJson } from './exact-json.ts'
import { type Send, textOf } from './http.ts'

const optional = z.string().nullable()
const currency = { iso_currency_code: optional, unofficial_currency_code: optional }

// Numbers are canonical decimal text here (exact-json.ts).
const truth = z.object({
  status: z.string(),
  accounts: z.array(
    z.object({
      account_id: z.string(),
      name: z.string(),
      official_name: optional,
      mask: optional,
      type: z.string(),
      subtype: optional,
      balances: z.object({ current: optional, available: optional, limit: optional, ...currency }),
    }),
  ),
  transactions: z.array(
    z.object({
      transaction_id: z.string(),
      account_id: z.string(),
      date: z.string(),
      authorized_date: optional,
      amount: z.string(),
      ...currency,
      name: z.string(),
      merchant_name: optional,
      personal_finance_category: z.object({ detailed: z.string() }).nullable(),
      pending: z.boolean(),
    }),
  ),
  securities: z.array(z.object({ security_id: z.string(), name: optional, ticker_symbol: optional })),
  holdings: z.array(
    z.object({
      account_id: z.string(),
      security_id: z.string(),
      quantity: z.string(),
      institution_price: z.string(),
      institution_value: z.string(),
      cost_basis: optional,
      ...currency,
    }),
  ),
  investment_transactions: z.array(
    z.object({
      investment_transaction_id: z.string(),
      account_id: z.string(),
      security_id: optional,
      date: z.string(),
      name: z.string(),
      quantity: z.string(),
      amount: z.string(),
      price: z.string(),
      fees: optional,
      type: z.string(),
      subtype: z.string(),
      ...currency,
    }),
  ),
  liabilities: z.record(z.string(), z.array(z.looseObject({ account_id: z.string() }))),
})
const changed = z.object({
  added: z.array(z.string()),
  modified: z.array(z.string()),
  removed: z.array(z.string()),
  posted: z.array(z.object({ pending_transaction_id: z.string(), transaction_id: z.string() })),
  webhooks: z.array(z.unknown()),
})
const deliveries = z.object({ deliveries: z.array(z.object({ state: z.string() })) })
const calls = z.object({
  calls: z.array(z.object({ endpoint: z.string(), item_id: optional, status: z.string().nullable() })),
})

export type Truth = z.infer<typeof truth>
export type Changed = z.infer<typeof changed>

/** Who logs in at the bank; the simulator's sample user by default. */
export interface Login {
  readonly username?: string
  readonly password?: string
}

export interface Bank {
  /** Resets the simulator to the bank of this seed. */
  reset(seed: string): Promise<void>
  /** Plays the user in Link. Returns the public token and Plaid's item id. */
  finishLink(linkToken: string, login: Login): Promise<{ publicToken: string; plaidItemId: string }>
  truth(plaidItemId: string): Promise<Truth>
  /** `wanted` is JSON text, because it can contain numbers that JavaScript cannot represent. */
  change(plaidItemId: string, wanted: string): Promise<Changed>
  /** Drops every webhook from now on, or none. */
  loseWebhooks(lose: boolean): Promise<void>
  /** The number of dropped webhooks so far. */
  lostWebhooks(): Promise<number>
  advanceDays(days: number): Promise<void>
  /** The number of API calls so far. */
  calls(): Promise<number>
  /** How many calls of this endpoint for this item Plaid responded to with 200. */
  callsOf(plaidItemId: string, endpoint: string): Promise<number>
}

const dayMs = 86_400_000

export function bankOf(send: Send): Bank {
  const call = async (method: string, path: string, body?: string): Promise<unknown> =>
    parseExactJson(await textOf(send, 200, method, `/simulator${path}`, body))
  return {
    async reset(seed) {
      await call('POST', '/reset', JSON.stringify({ seed }))
    },
    async finishLink(linkToken, login) {
      const answer = await call('POST', '/link', JSON.stringify({ link_token: linkToken, ...login }))
      const { public_token, item_id } = z.object({ public_token: z.string(), item_id: z.string() }).parse(answer)
      return { publicToken: public_token, plaidItemId: item_id }
    },
    truth: async (plaidItemId) => truth.parse(await call('GET', `/truth?item_id=${plaidItemId}`)),
    change: async (plaidItemId, wanted) => changed.parse(await call('POST', `/items/${plaidItemId}/bank`, wanted)),
    async loseWebhooks(lose) {
      await call('POST', '/webhooks', JSON.stringify({ drop: lose }))
    },
    lostWebhooks: async () =>
      deliveries.parse(await call('GET', '/webhooks')).deliveries.filter(({ state }) => state === 'dropped').length,
    async advanceDays(days) {
      await call('POST', '/clock', JSON.stringify({ advance_ms: days * dayMs }))
    },
    calls: async () => calls.parse(await call('GET', '/calls')).calls.length,
    callsOf: async (plaidItemId, endpoint) =>
      calls
        .parse(await call('GET', '/calls'))
        .calls.filter((each) => each.endpoint === endpoint && each.item_id === plaidItemId && each.status === '200')
        .length,
  }
}
