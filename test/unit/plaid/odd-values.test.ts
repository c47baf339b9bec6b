// One odd value in a response of Plaid costs at most its own row. The responses here are the simulator's, which have
// every field of Plaid's; `test:contract` does the same with Plaid's own examples.
import { Products } from 'plaid'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { expectRowsAlone, reads } from '../../support/odd-values.ts'
import { openDesk } from '../dev/plaid-simulator/bank-desk.ts'

/** The rows kept of each list: enough for a row to have a neighbour. */
const rowsKept = 2

/** The response with shortened lists. */
function shortened(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return value.slice(0, rowsKept).map((inner: unknown) => shortened(inner, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner, depth + 1)]))
}

const bodies = {
  '/accounts/get': {},
  '/transactions/sync': { count: 500 },
  '/transactions/recurring/get': {},
  '/investments/holdings/get': {},
  '/investments/transactions/get': { start_date: '2020-01-01', end_date: '2030-01-01' },
  '/liabilities/get': {},
  '/item/get': {},
} as const

test.each(Object.entries(bodies))('one odd value in %s costs at most its own row', async (path, body) => {
  const desk = await openDesk()
  const products = [Products.Transactions, Products.Investments, Products.Liabilities]
  const { access_token, item_id } = await desk.link({ institution: 'ins_109508', products, daysRequested: 730 })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const { status, text } = await desk.post(path, { access_token, ...body })
  expect(status).toBe(200)
  const answer = shortened(z.record(z.string(), z.unknown()).parse(JSON.parse(text)))
  const read = reads.find((each) => each.path === path)
  if (read === undefined) throw new Error(`${path} is not read`)
  expect(read.lists.every((list) => !text.includes(`"${list}":[]`) || list === 'modified' || list === 'removed')).toBe(
    true,
  )
  const full = path === '/transactions/sync' ? withChanges(answer) : answer
  expect(expectRowsAlone(read, full)).toBeGreaterThan(500)
})

/** Adds changes and removals, which a first page does not have. */
function withChanges(answer: unknown): unknown {
  const { added, ...rest } = z.looseObject({ added: z.array(z.unknown()) }).parse(answer)
  const removed = [
    { transaction_id: 'gone 1', account_id: 'a' },
    { transaction_id: 'gone 2', account_id: 'a' },
  ]
  return { ...rest, added, modified: added, removed }
}
