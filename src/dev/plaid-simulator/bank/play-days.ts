// Plays days at the bank: pending transactions post, and new ones are booked. The same code makes the history and the
// days to come.
import { addDays, daysAfter } from './calendar.ts'
import { postedFrom } from './clearing.ts'
import { incomeOn } from './custom-inflow.ts'
import { dayEvents } from './day.ts'
import { postedSameDay, type DayEvent, isDayOfMonth } from './day-event.ts'
import { investOn } from './investing.ts'
import { accountOf, book, otherSideOf, unbook } from './booking.ts'
import { refreshLiabilities } from './liabilities.ts'
import type { InvestmentTransaction } from './model-investments.ts'
import type { Bank, Transaction } from './model.ts'
import { transactionOf } from './posting.ts'
import type { Random } from './random.ts'
import type { Day, Ids } from './values.ts'

export interface PlayDays {
  bank: Bank
  from: Day
  to: Day
  random: Random
  ids: Ids
}

/** What the days changed. Transactions that appeared and disappeared in between are left out. */
export interface DayChanges {
  /** New transactions that exist at the end, pending or posted, except those in `posted`. */
  added: Transaction[]
  /** Pairs of a transaction that was pending at the start and the posted one that replaced it. */
  posted: { pending: Transaction; posted: Transaction }[]
  investments: InvestmentTransaction[]
}

/** Plays the days of (from, to]. The bank is then as of the end of `to`. */
export function playDays({ bank, from, to, random, ids }: PlayDays): DayChanges {
  const before = new Map(bank.transactions.map((transaction) => [transaction.transaction_id, transaction]))
  const invested = bank.investmentTransactions.length
  const posted: DayChanges['posted'] = []
  for (const day of daysAfter(from, to)) {
    for (const pair of clear(bank, day, random, ids)) {
      if (before.has(pair.pending.transaction_id)) posted.push(pair)
    }
    for (const happening of happeningsOn(bank, day, random)) appear(bank, happening, day, ids)
    investOn({ bank, day, random, ids })
  }
  refreshLiabilities(bank, to)
  const paired = new Set(posted.map((pair) => pair.posted.transaction_id))
  const added = bank.transactions.filter(({ transaction_id: id }) => !before.has(id) && !paired.has(id))
  return { added, posted, investments: bank.investmentTransactions.slice(invested) }
}

function happeningsOn(bank: Bank, day: Day, random: Random): DayEvent[] {
  const { household, inflows } = bank.backOffice
  if (household !== null) return dayEvents({ bank, household, day, random })
  return inflows
    .filter(({ accountId, dayOfMonth }) => isDayOfMonth(day, dayOfMonth) && !bank.closedAccountIds.has(accountId))
    .map((inflow) => postedSameDay(incomeOn(inflow, accountOf(bank, inflow.accountId), day)))
}

/** Posts every pending transaction that is due. */
function clear(bank: Bank, day: Day, random: Random, ids: Ids): DayChanges['posted'] {
  const due = [...bank.backOffice.clearsOn].filter(([, clearsOn]) => clearsOn <= day).map(([id]) => id)
  return due.flatMap((id) => {
    const pending = unbook(bank, id)
    if (pending === undefined) {
      bank.backOffice.clearsOn.delete(id)
      return []
    }
    // Some banks do not name the pending transaction.
    const posted = postedFrom(pending, { random, ids, link: random() < 0.9, today: day })
    book(bank, posted, otherSideOf(bank, id))
    return { pending, posted }
  })
}

function appear(bank: Bank, { draft, settleDays }: DayEvent, day: Day, ids: Ids): void {
  const pending = settleDays > 0
  const transaction = transactionOf(draft, { id: ids('transaction'), pending, date: day })
  book(bank, transaction, draft.other)
  if (pending) bank.backOffice.clearsOn.set(transaction.transaction_id, addDays(day, settleDays))
}
