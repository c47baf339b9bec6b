// Step 8: the user unlinks the bank. It must be removed at Plaid, which would bill it otherwise, and from the API.
import type { Bank } from '../../lib/bank-client.ts'
import { apiBook } from '../api-book.ts'
import { type Book, tableNames } from '../book.ts'
import { check, compareBooks } from '../compare.ts'
import type { Demo, Finding, Linked } from '../context.ts'

const nothing: Book = {
  accounts: [],
  transactions: [],
  holdings: [],
  investment_transactions: [],
  liabilities: [],
}

/** Deletes twice: the second time must succeed without another call to Plaid. */
export async function removeItem({ bank }: Demo, linked: Linked): Promise<Finding> {
  const { api, itemId, plaidItemId } = linked
  const path = `/plaid/items/${itemId}`
  const first = await api.send('DELETE', path)
  const atOnce = await atPlaid(bank, plaidItemId)
  const afterwards = await api.send('GET', path)
  const second = await api.send('DELETE', path)
  return {
    customer: linked.name,
    summary: 'removed at Plaid, gone from every list',
    counts: {},
    differences: [
      ...check(
        'items',
        `DELETE, GET, DELETE ${path}`,
        [204, 404, 204],
        [first, afterwards, second].map((one) => one.status),
      ),
      ...check('items', `${plaidItemId} at Plaid after the first`, over, atOnce),
      ...check('items', `${plaidItemId} at Plaid after the second`, over, await atPlaid(bank, plaidItemId)),
      ...compareBooks(nothing, apiBook(await api.lists()), tableNames),
    ],
  }
}

const over = { status: 'removed', removals: 1 }

async function atPlaid(bank: Bank, plaidItemId: string): Promise<typeof over> {
  const { status } = await bank.truth(plaidItemId)
  return { status, removals: await bank.callsOf(plaidItemId, '/item/remove') }
}
