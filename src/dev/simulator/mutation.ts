// Changes to transactions at an item's bank, made by replacing rows: a row that is there is never edited in place.

import type { Transaction } from './bank/model.ts'
import { pick } from './bank/random.ts'
import { pull, trueTransactions } from './history.ts'
import type { Item } from './item.ts'
import type { World } from './world.ts'

/** Replaces the row with this id. Throws a RangeError when there is none. */
export function replaceTransaction({ bank }: Item, transactionId: string, next: Transaction): void {
  const index = bank.transactions.findIndex(({ transaction_id }) => transaction_id === transactionId)
  if (index < 0) throw new RangeError(`no transaction ${transactionId}`)
  bank.transactions[index] = next
}

/** A small change, made without any webhook, so that the page that a client asks for now is out of date. */
export function mutateMidPagination(world: World, itemId: string): void {
  const item = world.items.get(itemId)
  const transactions = item === undefined ? [] : trueTransactions(world, item)
  if (item === undefined || transactions.length === 0) return
  const chosen = pick(item.bankRandom, transactions)
  replaceTransaction(item, chosen.transaction_id, { ...chosen, name: `${chosen.name} *` })
  pull(world, item)
}
