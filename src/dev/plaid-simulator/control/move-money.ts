// Moves money between two sides on request. Each side that is an account with transactions reports a posting, as banks
// do.
import { addDays } from '../bank/calendar.ts'
import { book } from '../bank/invent.ts'
import type { Account, OtherSide } from '../bank/model.ts'
import { negateExact } from '../bank/number.ts'
import { transactionOf } from '../bank/posting.ts'
import type { Day } from '../bank/values.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { isPlace, type Move, refuse } from './requests.ts'

type Kind = Account['type'] | 'cash' | 'own_elsewhere' | 'outside'
type Side = { kind: Kind; account: Account | null }

const pendingDays = 2

/** Makes the movements. Returns the ids of their postings. */
export function moveMoney(world: World, item: Item, moves: readonly Move[]): string[] {
  return moves.flatMap((move) => moveOnce(world, item, move))
}

function moveOnce(world: World, item: Item, move: Move): string[] {
  const [from, to] = [sideCalled(item, move.from), sideCalled(item, move.to)]
  const day = move.date ?? world.clock.today()
  const [paid, received] = categoriesBetween(from.kind, to.kind)
  const first = posted(item, from, { ...move, category: move.category ?? paid }, day, otherOf(to, false))
  const second = posted(
    item,
    to,
    { ...move, amount: negateExact(move.amount), category: move.category ?? received },
    day,
    otherOf(from, first !== null),
  )
  return [first, second].filter((id) => id !== null)
}

/** The side with this name. Refuses an id that is no account of the bank. */
export function sideCalled({ login, bank }: Item, name: string): Side {
  const account = login.bank.accounts.find(({ account_id }) => account_id === name)
  if (account !== undefined) return { kind: account.type, account }
  if (isPlace(name)) return { kind: name, account: null }
  throw refuse(404, `the item has no account ${bank.fromBank(name)}`)
}

function otherOf({ kind, account }: Side, isBookedThere: boolean): OtherSide {
  if (account !== null) return { kind: 'account', accountId: account.account_id, isBookedThere }
  return kind === 'cash' || kind === 'own_elsewhere' ? { kind } : { kind: 'outside' }
}

/** Books one side and returns its id, or null if no account reports it. */
function posted(item: Item, { account }: Side, move: Move, day: Day, other: OtherSide): string | null {
  // Transactions of investment accounts have a separate endpoint.
  if (account === null || account.type === 'investment') return null
  const { bank, ids } = item.login
  const { amount, category, name: statement = 'MOVED', pending = false } = move
  const draft = { account, amount, day, statement, ...(category !== undefined && { category }) }
  const transaction = transactionOf(draft, { id: ids('transaction'), pending, date: day })
  book(bank, transaction, other)
  if (pending) bank.backOffice.clearsOn.set(transaction.transaction_id, addDays(day, pendingDays))
  return transaction.transaction_id
}

/** The categories that Plaid usually gives the two postings. */
function categoriesBetween(from: Kind, to: Kind): readonly [paid: string, received: string] {
  const both = (category: string): readonly [string, string] => [category, category]
  if (to === 'outside') return both(from === 'loan' ? 'BANK_FEES_INTEREST_CHARGE' : 'GENERAL_MERCHANDISE_ELECTRONICS')
  if (to === 'loan')
    return both(from === 'loan' ? 'LOAN_DISBURSEMENTS_PERSONAL' : 'LOAN_PAYMENTS_PERSONAL_LOAN_PAYMENT')
  if (from === 'outside') return both(to === 'credit' ? 'GENERAL_MERCHANDISE_ELECTRONICS' : 'INCOME_SALARY')
  if (to === 'credit') {
    const paid = from === 'loan' ? 'LOAN_DISBURSEMENTS_PERSONAL' : 'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT'
    return [paid, 'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT']
  }
  if (from === 'loan') return both('LOAN_DISBURSEMENTS_PERSONAL')
  if (to === 'cash') return both('TRANSFER_OUT_WITHDRAWAL')
  if (from === 'cash') return both('TRANSFER_IN_DEPOSIT')
  if (from === 'credit') return ['TRANSFER_OUT_ACCOUNT_TRANSFER', 'LOAN_DISBURSEMENTS_CASH_ADVANCES']
  if (to === 'investment') return both('TRANSFER_OUT_INVESTMENT_AND_RETIREMENT_FUNDS')
  if (from === 'investment') return both('TRANSFER_IN_INVESTMENT_AND_RETIREMENT_FUNDS')
  return ['TRANSFER_OUT_ACCOUNT_TRANSFER', 'TRANSFER_IN_ACCOUNT_TRANSFER']
}
