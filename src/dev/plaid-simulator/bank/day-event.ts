// Types and helpers for what happens to a household on a day. Nothing here changes the books.
import { dayOfMonth, monthEnd } from './calendar.ts'
import type { Household, Role } from './household.ts'
import { accountOf } from './booking.ts'
import type { Account, Bank, OtherSide } from './model.ts'
import { negateExact } from './number.ts'
import type { Draft } from './posting.ts'
import type { Random } from './random.ts'
import type { Day, RawNumber } from './values.ts'

/** A draft of a posting. With `settleDays` 0 it posts on its day; otherwise it is pending for that many days. */
export interface DayEvent {
  draft: Draft
  settleDays: number
}

/** A household at the beginning of a day. */
export interface HouseholdDay {
  bank: Bank
  household: Household
  day: Day
  random: Random
}

/** One side of a transfer between two accounts of the same customer. */
export interface Leg {
  account: Account
  statement: string
  category: string
}

/** The household's open account for a role, if it has one. */
export function accountFor({ bank, household }: HouseholdDay, role: Role): Account | undefined {
  const id = household.accounts[role]
  return id === undefined || bank.closedAccountIds.has(id) ? undefined : accountOf(bank, id)
}

/** Whether `day` is this day of its month. In a shorter month, the last day counts. */
export function isDayOfMonth(day: Day, wanted: number): boolean {
  const date = dayOfMonth(day)
  return date === wanted || (wanted > date && date >= 28 && day === monthEnd(day))
}

/** A posting without a pending phase. */
export function postedSameDay(draft: Draft): DayEvent {
  return { draft, settleDays: 0 }
}

/** Both legs of a transfer: the same amount out of `from` and into `to`, on one day, with the same reference number. */
export function bothLegs(day: Day, amount: RawNumber, from: Leg, to: Leg): DayEvent[] {
  const payment = { reference_number: `${day.replaceAll('-', '')}${from.account.mask ?? ''}${to.account.mask ?? ''}` }
  const { balances } = to.account
  const counterparty = { name: to.account.name, type: 'financial_institution' as const }
  const sideOf = ({ account }: Leg, isBookedThere: boolean): OtherSide => ({
    kind: 'account',
    accountId: account.account_id,
    isBookedThere,
  })
  return [
    postedSameDay({ ...from, amount, day, payment, counterparty, other: sideOf(to, false) }),
    postedSameDay({
      ...to,
      amount: negateExact(amount),
      day,
      payment,
      currency: balances,
      counterparty,
      other: sideOf(from, true),
    }),
  ]
}
