// Checks a whole change before any part of it happens, so that a refused change leaves the bank as it was. Takes the
// bank's ids.
import type { Bank } from '../bank/model.ts'
import { addExact, compareExact, exact } from '../bank/number.ts'
import type { RawNumber } from '../bank/values.ts'
import type { Item } from '../state/item.ts'
import { openAccountsOf } from './change-accounts.ts'
import { holdingOf, investingAccount, owedIn, positionOf } from './change-portfolio.ts'
import { accountsFor } from './change-transactions.ts'
import { sideCalled } from './move-money.ts'
import type { Trade } from './portfolio-requests.ts'
import { type BankChange, refuse } from './requests.ts'

/** Refuses ids that the bank does not have, ids that it would have twice, and sales of more than a position holds. */
export function checkChange(item: Item, wanted: BankChange): void {
  checkTransactions(item, wanted)
  checkAdditions(item, wanted)
  for (const { from, to } of wanted.move ?? []) for (const side of [from, to]) sideCalled(item, side)
  checkTrades(item, wanted.trade ?? [])
  checkCancelled(item, wanted.cancel_trade ?? [])
  for (const { account_id } of wanted.liability_payment ?? []) {
    if (!item.bank.shares(account_id) || owedIn(item.login.bank, account_id).length === 0)
      throw refuse(404, `the item owes nothing in an account ${item.bank.fromBank(account_id)}`)
  }
  checkAccounts(item, wanted)
}

function checkTransactions({ bank }: Item, { modify, remove, post_pending }: BankChange): void {
  const named = [
    ...(Array.isArray(modify) ? modify.map(({ transaction_id }) => transaction_id) : []),
    ...(Array.isArray(remove) ? remove : []),
    ...(typeof post_pending === 'object' ? (post_pending.transaction_ids ?? []) : []),
  ].map(bank.fromBank)
  if (named.length === 0) return
  const known = new Set(bank.transactions().map(({ transaction_id }) => transaction_id))
  const unknown = named.filter((transactionId) => !known.has(transactionId))
  if (unknown.length > 0) throw refuse(404, `the bank has no transaction ${unknown.join(', ')}`)
}

/** An id that the same change removes is free again. */
function checkAdditions(item: Item, { add = 0, remove }: BankChange): void {
  if (typeof add === 'number') {
    if (add > 0) accountsFor(item, undefined)
    return
  }
  const taken = new Set(item.login.bank.transactions.map(({ transaction_id }) => transaction_id))
  if (Array.isArray(remove)) for (const id of remove) taken.delete(id)
  for (const { transaction_id: id, account_id } of add) {
    accountsFor(item, account_id)
    if (id === undefined) continue
    if (taken.has(id)) throw refuse(409, `the bank has a transaction ${item.bank.fromBank(id)} already`)
    taken.add(id)
  }
}

/** Adds up the units of each position in the order of the trades. */
function checkTrades(item: Item, trades: readonly Trade[]): void {
  const { bank } = item.login
  const left = new Map<string, RawNumber>()
  for (const trade of trades) {
    investingAccount(item, trade.account_id)
    checkSecurity(bank, trade.security_id)
    const position = positionOf(trade)
    const before = left.get(position) ?? holdingOf(bank, trade)?.quantity ?? exact('0')
    const after = addExact(before, trade.quantity)
    if (compareExact(after, exact('0')) < 0) throw refuse(409, 'the account holds less than it would sell')
    left.set(position, after)
  }
}

function checkSecurity({ securities }: Bank, securityId: string): void {
  if (!securities.some(({ security_id }) => security_id === securityId))
    throw refuse(404, `the bank has no security ${securityId}`)
}

function checkCancelled({ bank }: Item, cancelled: readonly string[]): void {
  if (cancelled.length === 0) return
  const known = new Set(bank.investmentTransactions().map((row) => row.investment_transaction_id))
  const unknown = cancelled.map(bank.fromBank).filter((id) => !known.has(id))
  if (unknown.length > 0) throw refuse(404, `the bank has no investment transaction ${unknown.join(', ')}`)
}

/** A new account's id before it has one. A request cannot name it: ids are not empty. */
const newAccountId = ''

/** The account that closes and those whose consent is revoked, in the order in which that happens. */
function checkAccounts(item: Item, { new_account, close_account, revoke, revoke_account }: BankChange): void {
  const open = openAccountsOf(item).map(({ account_id }) => account_id)
  if (typeof new_account === 'object' && new_account.shared === true) open.push(newAccountId)
  const ended = [
    typeof close_account === 'object' ? close_account.account_id : close_account,
    typeof revoke === 'object' ? revoke.account_id : undefined,
    revoke_account,
  ]
  for (const named of ended) {
    if (named === undefined) continue
    const at = named === true ? open.length - 1 : open.indexOf(named)
    if (at < 0) throw refuse(404, 'the item has no such open account')
    open.splice(at, 1)
  }
}
