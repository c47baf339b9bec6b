// Operations on a bank while time passes: invent a transaction, play the days to come, post a pending transaction.
import { accountOf } from './booking.ts'
import type { Account, Bank, Transaction } from './model.ts'
import { transactionOf } from './posting.ts'
import { everydayMerchants, purchase } from './purchases.ts'
import { pick, type Random } from './random.ts'
import type { Day, Ids } from './values.ts'

export { postedFrom } from './clearing.ts'
export { book, otherSideOf, unbook } from './booking.ts'
export { playDays } from './play-days.ts'

export interface Invention {
  bank: Bank
  random: Random
  today: Day
  ids: Ids
  /** False if absent. */
  pending?: boolean
  /** Any open account that the customer spends from, if absent. */
  accountId?: string
}

/**
 * A plausible new purchase of today, in the account's currency. Does not enter it into the books; `book` does.
 * @throws RangeError for an unknown account, and if the bank has no open account to spend from
 */
export function inventTransaction({ bank, random, today, ids, pending = false, accountId }: Invention): Transaction {
  const account = accountId === undefined ? pick(random, spendingAccounts(bank)) : accountOf(bank, accountId)
  const local = everydayMerchants(bank.backOffice.household?.rare ?? false).filter(
    ({ currency }) => currency === undefined,
  )
  const draft = purchase(account, pick(random, local), today, random)
  return transactionOf(draft, { id: ids('transaction'), pending, date: today })
}

function spendingAccounts({ accounts, closedAccountIds }: Bank): Account[] {
  const open = accounts.filter(({ account_id }) => !closedAccountIds.has(account_id))
  const everyday = open.filter(({ type, subtype }) => type === 'credit' || subtype === 'checking')
  return everyday.length > 0 ? everyday : open.filter(({ type }) => type !== 'investment')
}
