// Banks in which each transaction has a unique name and amount, and the simulator's controls that the model needs.
import * as z from 'zod'
import { parseExactJson } from '../../../src/exact-json.ts'
import type { TestSimulator } from '../stack.ts'
import { books } from './books.ts'

const trueItem = z.object({
  ...books.shape,
  status: z.string(),
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

/**
 * The password of a custom user: two accounts, some weeks, no two transactions alike but for a weekly payment from the
 * second account, which owes: a card, or a student loan at the second bank. The second bank also invests.
 */
export function bankPassword(username: string): string {
  const isSecond = username.endsWith('_two')
  const account = (index: number, kind: object, payment: string) => ({
    ...kind,
    starting_balance: 1000 + index,
    meta: { name: `${username} account ${index}` },
    transactions: Array.from({ length: 6 }, (_, nth) => ({
      date_transacted: daysAgo(2 + nth * 7),
      date_posted: daysAgo(2 + nth * 7),
      amount: 10 + index * 7 + nth + username.length / 100,
      // The simulator finds a stream in the newest four of the second account.
      description: index === 1 && nth < 4 ? `${username} ${payment}` : `${username} ${payment} ${nth}`,
      currency: 'USD',
    })),
  })
  const checking = account(0, { type: 'depository', subtype: 'checking' }, 'shop')
  const owing = isSecond
    ? { type: 'loan', subtype: 'student', liability: { type: 'student', principal: 9000.5, nominal_apr: 4.875 } }
    : { type: 'credit', subtype: 'credit card', liability: { type: 'credit', purchase_apr: 19.99, is_overdue: false } }
  const accounts = [checking, account(1, owing, 'weekly'), ...(isSecond ? [brokerage(username)] : [])]
  return JSON.stringify({ override_accounts: accounts })
}

const brokerage = (username: string) => ({
  type: 'investment',
  subtype: 'brokerage',
  starting_balance: 500,
  meta: { name: `${username} brokerage` },
  holdings: ['ACME', 'GLOBEX'].map((ticker, index) => ({
    institution_price: 20.125 + index,
    quantity: 3.5 + index,
    cost_basis: 50 + index,
    currency: 'USD',
    security: { ticker_symbol: ticker, name: `${ticker} Corp` },
  })),
  investment_transactions: [
    { type: 'buy', security: { ticker_symbol: 'ACME' }, quantity: 3.5, price: 19.5 },
    { type: 'sell', security: { ticker_symbol: 'GLOBEX' }, quantity: -1.25, price: 21.125, fees: 0.75 },
    { type: 'fee', quantity: 0, price: 0, fees: 2.5 },
  ].map((row, nth) => ({ ...row, date: daysAgo(5 + nth), name: `${username} ${row.type}`, currency: 'USD' })),
})
