// Changes transactions at a bank. A change replaces the row; rows are immutable.
import { book, inventTransaction, otherSideOf, postedFrom, unbook } from '../bank/invent.ts'
import type { Bank, Transaction } from '../bank/model.ts'
import { between, pick } from '../bank/random.ts'
import type { Login } from '../state/login.ts'
import type { World } from '../state/world.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { pullChanges, pull, completeHistory } from './history.ts'
import { livingItems } from './logins.ts'

/**
 * Replaces the row with this id.
 * @throws RangeError if there is none
 */
function replaceTransaction(bank: Bank, transactionId: string, change: (before: Transaction) => Transaction): void {
  const index = bank.transactions.findIndex(({ transaction_id }) => transaction_id === transactionId)
  const before = bank.transactions[index]
  if (before === undefined) throw new RangeError(`no transaction ${transactionId}`)
  bank.transactions[index] = change(before)
}

/**
 * Makes a small change without a webhook to this item's client, so that its next page is out of date. Other items of
 * the login get their webhooks.
 */
export function mutateMidPagination(world: World, itemId: string): void {
  const item = world.items.get(itemId)
  const transactions = item === undefined ? [] : completeHistory(world, item)
  if (item === undefined || transactions.length === 0) return
  const { login, bank } = item
  const chosen = bank.toBank(pick(login.random, transactions).transaction_id)
  replaceTransaction(login.bank, chosen, (before) => ({ ...before, name: `${before.name} *` }))
  pull(world, item)
  for (const other of livingItems(world, login)) {
    if (other !== item) sendWebhooks(world, other, pullChanges(world, other))
  }
}

/** What a refresh does for `user_transactions_dynamic`: pending transactions post, new ones appear. */
export function refreshDynamically(world: World, { bank, ids, random }: Login): void {
  const today = world.clock.today()
  const pending = bank.transactions.filter((transaction) => transaction.pending)
  for (const before of pending.slice(0, Math.ceil(pending.length / 2))) {
    unbook(bank, before.transaction_id)
    book(bank, postedFrom(before, { random, ids, link: true, today }), otherSideOf(bank, before.transaction_id))
  }
  for (let count = between(random, 1, 3); count > 0; count -= 1) {
    book(bank, inventTransaction({ bank, random, today, ids, pending: random() < 0.7 }))
  }
}
