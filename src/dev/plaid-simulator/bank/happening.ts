// What can happen to a household on a day, as the parts of a day say it to each other. Nothing here touches the books.
import { dayOfMonth, monthEnd } from './calendar.ts'
import type { Household, Role } from './household.ts'
import { accountOf } from './ledger.ts'
import type { Account, Bank, OtherSide } from './model.ts'
import { negateExact } from './number.ts'
import type { Draft } from './posting.ts'
import type { Random } from './random.ts'
import type { Day, RawNumber } from './values.ts'

/** A draft and how it appears: `settleDays` 0 posts at once, more are spent pending. */
export interface Happening {
  draft: Draft
  settleDays: number
}

/** A household at the beginning of a day. */
export interface DayAhead {
  bank: Bank
  household: Household
  day: Day
  random: Random
}

/** One side of a move between two accounts of the same customer. */
export interface Leg {
  account: Account
  statement: string
  category: string
}

/** The household's account for a role, if it has one that is open. */
export function accountFor({ bank, household }: DayAhead, role: Role): Account | undefined {
  const id = household.accounts[role]
  return id === undefined || bank.closedAccountIds.has(id) ? undefined : accountOf(bank, id)
}

/** Whether the day is this one of its month; a month that is too short has it on its last day. */
export function isDayOfMonth(day: Day, wanted: number): boolean {
  const date = dayOfMonth(day)
  return date === wanted || (wanted > date && date >= 28 && day === monthEnd(day))
}

/** Something that posts on its own day. */
export function atOnce(draft: Draft): Happening {
  return { draft, settleDays: 0 }
}

/** Both legs of a move: the same amount out of `from` and into `to`, on one day and under one reference number. */
export function bothLegs(day: Day, amount: RawNumber, from: Leg, to: Leg): Happening[] {
  const payment = { reference_number: `${day.replaceAll('-', '')}${from.account.mask ?? ''}${to.account.mask ?? ''}` }
  const { balances } = to.account
  const counterparty = { name: to.account.name, type: 'financial_institution' as const }
  const sideOf = ({ account }: Leg, isBookedThere: boolean): OtherSide => ({
    kind: 'account',
    accountId: account.account_id,
    isBookedThere,
  })
  return [
    atOnce({ ...from, amount, day, payment, counterparty, other: sideOf(to, false) }),
    atOnce({
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
