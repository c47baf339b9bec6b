// Changes to transactions at an item's bank, made by replacing rows: a row that is there is never edited in place.

import { book, inventTransaction, postedFrom, unbook } from './bank/invent.ts'
import type { Transaction } from './bank/model.ts'
import { between, pick } from './bank/random.ts'
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

/** What `user_transactions_dynamic` does at a refresh: pending ones post, new ones appear. */
export function liveDynamically(world: World, item: Item): void {
  const { bank, bankIds: ids, bankRandom: random } = item
  const today = world.clock.today()
  const pending = bank.transactions.filter((transaction) => transaction.pending)
  for (const before of pending.slice(0, Math.ceil(pending.length / 2))) {
    unbook(bank, before.transaction_id)
    book(bank, postedFrom(before, { random, ids, link: true, today }))
  }
  for (let count = between(random, 1, 3); count > 0; count -= 1) {
    book(bank, inventTransaction({ bank, random, today, ids, pending: random() < 0.7 }))
  }
}
