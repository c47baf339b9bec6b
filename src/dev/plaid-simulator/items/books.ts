// Double-entry books of an item's bank: every posting has two sides. Reports what the user spent and received from the
// sides alone, never from a category.
import { otherSideOf } from '../bank/booking.ts'
import type { Account, OtherSide, Transaction } from '../bank/model.ts'
import { addExact, compareExact, exact, negateExact } from '../bank/number.ts'
import type { Day, RawNumber } from '../bank/values.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { completeHistory } from './history.ts'

type Side =
  | { kind: 'account'; account_id: string; type: Account['type'] }
  | { kind: 'cash' | 'own_elsewhere' | 'outside' }

/**
 * What a movement means to the user. `spent` and `earned` move between the user and others; a loan payment is spent
 * when it is paid. `borrowed` comes from a loan. `kept` stays with the user. `owed` only changes a debt.
 */
type Meaning = 'spent' | 'earned' | 'borrowed' | 'kept' | 'owed'

interface Movement {
  transaction_id: string
  date: Day
  from: Side
  to: Side
  amount: RawNumber
  currency: string | null
  category: string | null
  meaning: Meaning
}

interface Total {
  currency: string | null
  meaning: Meaning
  category: string | null
  amount: RawNumber
  count: number
}

/**
 * The movements of the days from `from` to `to` that the item's client can see, each once and oldest first, and their
 * sums.
 */
export function booksOf(world: World, item: Item, from: Day | null, to: Day | null) {
  const movements = completeHistory(world, item)
    .filter(({ date }) => (from === null || date >= from) && (to === null || date <= to))
    .flatMap((transaction) => movementOf(item, transaction))
  return { item_id: item.itemId, movements, totals: totalsOf(movements) }
}

function movementOf(item: Item, transaction: Transaction): Movement[] {
  const { transaction_id, account_id, amount, date } = transaction
  const other = otherSideOf(item.login.bank, item.bank.toBank(transaction_id))
  // A transfer between two accounts counts at the one that pays.
  const isOtherLeg = other.kind === 'account' && other.isBookedThere
  const order = compareExact(amount, exact('0'))
  if (isOtherLeg || order === 0) return []
  const here = accountSide(item, item.bank.toBank(account_id))
  const there = otherSide(item, other)
  const [from, to] = order > 0 ? [here, there] : [there, here]
  return [
    {
      transaction_id,
      date,
      from,
      to,
      amount: order > 0 ? amount : negateExact(amount),
      currency: transaction.iso_currency_code ?? transaction.unofficial_currency_code,
      category: transaction.personal_finance_category?.primary ?? null,
      meaning: meaningOf(from, to, here),
    },
  ]
}

/**
 * `here` is the account that reports. A payment to a loan from an account that is not visible only changes the debt.
 */
function meaningOf(from: Side, to: Side, here: Side): Meaning {
  const isLoan = (side: Side): boolean => side.kind === 'account' && side.type === 'loan'
  const inHands = (side: Side): boolean => side.kind !== 'outside' && !isLoan(side)
  if (inHands(from) && inHands(to)) return 'kept'
  if (isLoan(here)) return inHands(to) ? 'borrowed' : 'owed'
  if (inHands(from)) return 'spent'
  return isLoan(from) ? 'borrowed' : 'earned'
}

function accountSide({ login, bank }: Item, bankAccountId: string): Side {
  const account = login.bank.accounts.find(({ account_id }) => account_id === bankAccountId)
  if (account === undefined) throw new RangeError(`no account ${bankAccountId}`)
  return { kind: 'account', account_id: bank.fromBank(bankAccountId), type: account.type }
}

function otherSide(item: Item, other: OtherSide): Side {
  return other.kind === 'account' ? accountSide(item, other.accountId) : { kind: other.kind }
}

function totalsOf(movements: readonly Movement[]): Total[] {
  const totals = new Map<string, Total>()
  for (const { currency, meaning, category, amount } of movements) {
    const key = JSON.stringify([currency, meaning, category])
    const before = totals.get(key) ?? { currency, meaning, category, amount: exact('0'), count: 0 }
    totals.set(key, { ...before, amount: addExact(before.amount, amount), count: before.count + 1 })
  }
  return [...totals.values()]
}
