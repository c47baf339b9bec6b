// Banks in which each transaction has a unique name and amount, and the simulator's controls that the model needs.
import * as z from 'zod'
import { parseExactJson } from '../../../src/exact-json.ts'
import type { TestSimulator } from '../stack.ts'

const trueItem = z.object({
  item_id: z.string(),
  status: z.string(),
  accounts: z.array(
    z.looseObject({
      account_id: z.string(),
      name: z.string(),
      balances: z.looseObject({ current: z.string().nullable(), available: z.string().nullable() }),
    }),
  ),
  holdings: z.array(
    z.looseObject({
      account_id: z.string(),
      security_id: z.string(),
      quantity: z.string(),
      institution_value: z.string(),
    }),
  ),
  transactions: z.array(
    z.object({
      transaction_id: z.string(),
      account_id: z.string(),
      name: z.string(),
      amount: z.string(),
      date: z.string(),
      pending: z.boolean(),
    }),
  ),
})
export type TrueItem = z.infer<typeof trueItem>

export interface Control {
  /** What the bank and Plaid hold of every item, oldest first. */
  items(): Promise<TrueItem[]>
  /** Goes through Link. */
  finishLink(choice: object): Promise<{ publicToken: string; itemId: string }>
  reset(seed: string): Promise<void>
}

export function connectControl(simulator: TestSimulator): Control {
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${simulator.url}/simulator${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} of the simulator: ${response.status} ${text}`)
    return parseExactJson(text)
  }
  return {
    items: async () => z.object({ items: z.array(trueItem) }).parse(await call('GET', '/truth')).items,
    async finishLink(choice) {
      const answer = z
        .object({ public_token: z.string(), item_id: z.string() })
        .parse(await call('POST', '/link', choice))
      return { publicToken: answer.public_token, itemId: answer.item_id }
    },
    async reset(seed) {
      await call('POST', '/reset', { seed })
    },
  }
}

/**
 * The key of a note: the user and the name of the transaction. A bank that corrects a transaction in the middle of a
 * read adds a mark to its name, which is left out.
 */
export const noteKey = (subject: string, name: string): string => `${subject} ${name.replace(/(?: \*)+$/, '')}`

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

/** The password of a custom user: two accounts, some weeks, no two transactions alike; the second bank also invests. */
export function bankPassword(username: string): string {
  const account = (index: number, subtype: string) => ({
    type: 'depository',
    subtype,
    starting_balance: 1000 + index,
    meta: { name: `${username} ${subtype}` },
    transactions: Array.from({ length: 6 }, (_, nth) => ({
      date_transacted: daysAgo(3 + nth * 9),
      date_posted: daysAgo(3 + nth * 9),
      amount: 10 + index * 7 + nth + username.length / 100,
      description: `${username} ${subtype} ${nth}`,
      currency: 'USD',
    })),
  })
  const invested = {
    type: 'investment',
    subtype: 'brokerage',
    starting_balance: 500,
    meta: { name: `${username} brokerage` },
    holdings: ['ACME', 'GLOBEX'].map((ticker, index) => ({
      institution_price: 20 + index,
      quantity: 3 + index,
      currency: 'USD',
      security: { ticker_symbol: ticker, name: `${ticker} Corp` },
    })),
  }
  const accounts = [account(0, 'checking'), account(1, 'savings'), ...(username.endsWith('_two') ? [invested] : [])]
  return JSON.stringify({ override_accounts: accounts })
}
