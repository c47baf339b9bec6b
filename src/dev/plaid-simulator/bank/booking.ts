// The only place where postings enter and leave the bank's books, so that the balances always agree with them.
import type { Account, Bank, OtherSide, Transaction } from './model.ts'
import { addExact, exact, negateExact, subtractExact } from './number.ts'
import type { Currency, RawNumber } from './values.ts'

export const outside: OtherSide = { kind: 'outside' }

/** Enters a transaction, by date and after others of that date, and updates its account's balances. */
export function book(bank: Bank, transaction: Transaction, other: OtherSide = outside): void {
  if (other.kind !== 'outside') bank.backOffice.otherSides.set(transaction.transaction_id, other)
  const later = bank.transactions.findLastIndex(({ date }) => date <= transaction.date) + 1
  bank.transactions.splice(later, 0, transaction)
  moveBalances(bank, transaction, transaction.amount)
}

/**
 * Removes a transaction from the books and its amount from the balances. Returns undefined if the bank has no such id.
 */
export function unbook(bank: Bank, transactionId: string): Transaction | undefined {
  const index = bank.transactions.findLastIndex(({ transaction_id }) => transaction_id === transactionId)
  if (index === -1) return undefined
  const [transaction] = bank.transactions.splice(index, 1)
  if (transaction === undefined) return undefined
  moveBalances(bank, transaction, negateExact(transaction.amount))
  bank.backOffice.clearsOn.delete(transactionId)
  return transaction
}

/** The other side of a posting. Stays known after the posting leaves the books. */
export function otherSideOf(bank: Bank, transactionId: string): OtherSide {
  return bank.backOffice.otherSides.get(transactionId) ?? outside
}

/**
 * The account with this id.
 * @throws RangeError if the bank has no such account
 */
export function accountOf(bank: Bank, accountId: string): Account {
  const account = bank.accounts.find(({ account_id }) => account_id === accountId)
  if (account === undefined) throw new RangeError(`no such account: ${accountId}`)
  return account
}

/** Whether both have the same currency, official or not. */
export function sameCurrency(left: Currency, right: Currency): boolean {
  return (
    left.iso_currency_code === right.iso_currency_code &&
    left.unofficial_currency_code === right.unofficial_currency_code
  )
}

/** The sum of the amounts; 0 for none. All must have the same currency. */
export function total(amounts: Iterable<RawNumber>): RawNumber {
  let sum = exact('0')
  for (const amount of amounts) sum = addExact(sum, amount)
  return sum
}

/**
 * `current` includes posted transactions, `available` also pending ones (Plaid, `AccountBalance`). Spending raises the
 * balance of a credit or loan account and lowers all others. A transaction in a foreign currency does not change the
 * balances, because the bank's exchange rate is unknown.
 */
function moveBalances(bank: Bank, transaction: Transaction, amount: RawNumber): void {
  const account = bank.accounts.find(({ account_id }) => account_id === transaction.account_id)
  if (account === undefined || !sameCurrency(account.balances, transaction)) return
  const { balances, type } = account
  const owed = type === 'credit' || type === 'loan'
  if (!transaction.pending && balances.current !== null) {
    balances.current = owed ? addExact(balances.current, amount) : subtractExact(balances.current, amount)
  }
  if (balances.available !== null && !bank.backOffice.fixedAvailable.has(account.account_id)) {
    balances.available = subtractExact(balances.available, amount)
  }
}
