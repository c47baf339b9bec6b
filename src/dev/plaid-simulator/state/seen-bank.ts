// A login's bank as one item sees it: with the item's ids, and only the accounts that the user shares with it.
// Read-only: a change at the bank affects every item of the login.
import type { Holding, InvestmentTransaction, Security } from '../bank/model-investments.ts'
import type { Account, AccountNumbers, Bank, Owner, Transaction } from '../bank/model.ts'
import type { Rekey } from './rekey.ts'

export interface SeenBank extends Rekey {
  /** Whether the user shares the account; by its bank id. */
  readonly shares: (bankAccountId: string) => boolean
  /** Oldest first, closed ones too. */
  accounts(): Account[]
  isClosed(accountId: string): boolean
  /** Unchanged rows are the same objects as before. */
  transactions(): Transaction[]
  securities(): readonly Security[]
  holdings(): Holding[]
  investmentTransactions(): InvestmentTransaction[]
  liabilities(): Bank['liabilities']
  owners(accountId: string): Owner[]
  numbers(accountId: string): AccountNumbers | null
}

/** What the item does not see, by bank ids. */
export interface HiddenFromItem {
  /** Accounts that the bank opened after the link, until the user shares them. */
  readonly unshared: Set<string>
  /** Accounts whose consent the user revoked. */
  readonly withdrawn: Set<string>
  /** Transactions that the sandbox's `end_date` cut off. */
  readonly cutOff: ReadonlySet<string>
}

export function seenBank(bank: Bank, rekey: Rekey, hidden: HiddenFromItem): SeenBank {
  const { fromBank, toBank } = rekey
  const shares = (id: string): boolean => !hidden.unshared.has(id) && !hidden.withdrawn.has(id)
  const ofShared = <Row extends { account_id: string }>(rows: readonly Row[]): Row[] =>
    rows.filter(({ account_id }) => shares(account_id))
  const renamed = <Row extends { account_id: string }>(row: Row): Row => ({
    ...row,
    account_id: fromBank(row.account_id),
  })
  const nameOf = (id: string | null): string | null => (id === null ? null : fromBank(id))
  const transactionSeen = remembered((row: Transaction): Transaction => {
    const { transaction_id, pending_transaction_id } = row
    return {
      ...renamed(row),
      transaction_id: fromBank(transaction_id),
      pending_transaction_id: nameOf(pending_transaction_id),
    }
  })
  return {
    ...rekey,
    shares,
    accounts: () => ofShared(bank.accounts).map(renamed),
    isClosed: (accountId) => bank.closedAccountIds.has(toBank(accountId)),
    transactions: () =>
      ofShared(bank.transactions)
        .filter(({ transaction_id }) => !hidden.cutOff.has(transaction_id))
        .map(transactionSeen),
    securities: () => bank.securities,
    holdings: () => ofShared(bank.holdings).map(renamed),
    investmentTransactions: () =>
      ofShared(bank.investmentTransactions).map((row) => ({
        ...renamed(row),
        investment_transaction_id: fromBank(row.investment_transaction_id),
        cancel_transaction_id: nameOf(row.cancel_transaction_id),
      })),
    liabilities: () => ({
      credit: ofShared(bank.liabilities.credit).map(renamed),
      mortgage: ofShared(bank.liabilities.mortgage).map(renamed),
      student: ofShared(bank.liabilities.student).map(renamed),
    }),
    owners: (accountId) => bank.owners.get(toBank(accountId)) ?? [],
    numbers: (accountId) => {
      const numbers = bank.numbers.get(toBank(accountId))
      return numbers === undefined ? null : numbersSeen(numbers, accountId)
    },
  }
}

/** Caches the view of each row. Rows are immutable, so the same row has the same view. */
function remembered<Row extends object>(view: (row: Row) => Row): (row: Row) => Row {
  const made = new WeakMap<Row, Row>()
  return (row) => {
    const known = made.get(row) ?? view(row)
    made.set(row, known)
    return known
  }
}

function numbersSeen({ ach, eft, international, bacs }: AccountNumbers, account_id: string): AccountNumbers {
  return {
    ach: ach && { ...ach, account_id },
    eft: eft && { ...eft, account_id },
    international: international && { ...international, account_id },
    bacs: bacs && { ...bacs, account_id },
  }
}
