// Compares the API's transactions with the bank's: id by id, amounts as exact decimals, no row missing and no removed
// row left. Uses HTTP alone.
import { expect } from 'vitest'
import * as z from 'zod'
import { type Edge, expectStatus } from './edge.ts'

const pageSchema = z.object({
  data: z.array(
    z.object({
      plaid_transaction_id: z.string(),
      amount: z.string(),
      currency: z.string().nullable(),
      date: z.string(),
      name: z.string(),
      pending: z.boolean(),
    }),
  ),
  next_cursor: z.string().nullable(),
})
type Row = z.infer<typeof pageSchema>['data'][number]

const byId = (left: Row, right: Row) => (left.plaid_transaction_id < right.plaid_transaction_id ? -1 : 1)

/** All of a user's transactions, page by page. */
export async function readTransactions(edge: Pick<Edge, 'as'>, subject: string): Promise<Row[]> {
  const all: Row[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`
    const answer = await edge.as(subject)('GET', `/api/v1/transactions?limit=500${query}`)
    const page = pageSchema.parse(expectStatus(answer, 200).json())
    all.push(...page.data)
    cursor = page.next_cursor
  } while (cursor !== null)
  return all.toSorted(byId)
}

/** The bank's transactions in the API's field names. */
export async function bankTransactions(edge: Edge, plaidItemId: string): Promise<Row[]> {
  const { transactions } = await edge.bank.truth(plaidItemId)
  return transactions
    .map((row) => ({
      plaid_transaction_id: row.transaction_id,
      amount: row.amount,
      currency: row.iso_currency_code ?? row.unofficial_currency_code,
      date: row.date,
      name: row.name,
      pending: row.pending,
    }))
    .toSorted(byId)
}

/** Fails unless the user's transactions are those of this one item at the bank, and there is at least one. */
export async function expectTransactionsEqual(edge: Edge, subject: string, plaidItemId: string): Promise<void> {
  const held = await bankTransactions(edge, plaidItemId)
  expect(held.length).toBeGreaterThan(0)
  expect(await readTransactions(edge, subject)).toEqual(held)
}
