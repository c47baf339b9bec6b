// Regular postings: salary, rent, bills, cash, cheques, and the accounts in other currencies.
import { addDays, dayOfMonth, monthEnd, weekday } from './calendar.ts'
import { accountFor, postedSameDay, type HouseholdDay, type DayEvent, isDayOfMonth } from './day-event.ts'
import { cents, minorUnits, negateExact } from './number.ts'
import { settleDays } from './purchases.ts'
import { between, pick } from './random.ts'
import type { Day } from './values.ts'

/** Salary on the 15th and on the last day of the month, or on the Friday before a weekend. */
export function salary(ahead: HouseholdDay): DayEvent[] {
  const { day, household } = ahead
  const account = accountFor(ahead, 'checking')
  const paydays = [`${day.slice(0, 8)}15`, monthEnd(day)].map(lastWorkday)
  if (account === undefined || !paydays.includes(day)) return []
  const name = household.employer
  return [
    postedSameDay({
      account,
      amount: cents(-household.salaryCents),
      day,
      statement: `${name.toUpperCase()} PAYROLL PPD ID 1234567890`,
      category: 'INCOME_SALARY',
      counterparty: { name, type: 'income_source' },
      payment: { payer: name, ppd_id: '1234567890', payment_method: 'ACH' },
    }),
  ]
}

/** Rent on the 3rd and the bills on their days, from checking. */
export function bills(ahead: HouseholdDay): DayEvent[] {
  const { day, household, random } = ahead
  const [checking, card] = [accountFor(ahead, 'checking'), accountFor(ahead, 'card')]
  if (checking === undefined) return []
  const due = household.bills.filter((bill) => isDayOfMonth(day, bill.day))
  const paid = due.map(({ merchant, low, high }): DayEvent => {
    const onCard = merchant.kind === 'subscription' && card !== undefined
    const amount = cents(between(random, low, high))
    const draft = { account: onCard ? card : checking, amount, day, statement: merchant.statement, merchant }
    return onCard ? { draft, settleDays: settleDays(ahead, day) } : postedSameDay(draft)
  })
  if (!isDayOfMonth(day, 3)) return paid
  const rent = { account: checking, amount: cents(household.rentCents), day, statement: 'WILLOW COURT RENT' }
  const payment = { payee: 'Willow Court Apartments', payment_method: 'ACH', reason: 'rent' }
  return [...paid, postedSameDay({ ...rent, category: 'RENT_AND_UTILITIES_RENT', payment })]
}

/** Cash from a machine, sometimes with another bank's fee. */
export function cash(ahead: HouseholdDay): DayEvent[] {
  const { day, random } = ahead
  const account = accountFor(ahead, 'checking')
  if (account === undefined || random() >= 0.045) return []
  const amount = cents(pick(random, [2000, 4000, 6000, 10_000]))
  const statement = 'ATM WITHDRAWAL 0042 WILLOW FALLS OH'
  const other = { kind: 'cash' as const }
  const category = 'TRANSFER_OUT_WITHDRAWAL'
  const taken = postedSameDay({ account, amount, day, statement, category, channel: 'in store', other })
  if (random() >= 0.25) return [taken]
  const fee = { account, amount: cents(300), day, statement: 'NON-NETWORK ATM FEE', category: 'BANK_FEES_ATM_FEES' }
  return [taken, postedSameDay(fee)]
}

/** A cheque every other month. The bank knows only its number; the category is a guess, or unknown. */
export function check(ahead: HouseholdDay): DayEvent[] {
  const { day, random, household } = ahead
  const account = accountFor(ahead, 'checking')
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7))
  if (account === undefined || months % 2 !== 0 || !isDayOfMonth(day, 18)) return []
  const checkNumber = String(1000 + (months % 9000))
  const statement = `CHECK ${checkNumber}`
  const guess = household.rare ? {} : { category: 'GENERAL_SERVICES_OTHER_GENERAL_SERVICES' }
  return [
    postedSameDay({ account, amount: cents(between(random, 2500, 18_000)), day, statement, checkNumber, ...guess }),
  ]
}

/** Accounts in another currency: rewards in an unofficial currency, and a euro account with its fee. */
export function foreignAccounts(ahead: HouseholdDay): DayEvent[] {
  const { day, random } = ahead
  const [wallet, euros] = [accountFor(ahead, 'wallet'), accountFor(ahead, 'abroad')]
  const happened: DayEvent[] = []
  if (wallet !== undefined && dayOfMonth(day) === 2) {
    const amount = negateExact(minorUnits(between(random, 4001, 98_999), 8))
    happened.push(postedSameDay({ account: wallet, amount, day, statement: 'REWARD ₿', category: 'INCOME_OTHER' }))
  }
  if (euros !== undefined && isDayOfMonth(day, 30)) {
    const fee = { account: euros, amount: cents(490), day, statement: 'KONTOFÜHRUNG' }
    happened.push(postedSameDay({ ...fee, category: 'BANK_FEES_OTHER_BANK_FEES' }))
  }
  if (euros !== undefined && isDayOfMonth(day, 10)) {
    const amount = cents(-between(random, 2000, 9000))
    const other = { kind: 'own_elsewhere' as const }
    happened.push(
      postedSameDay({ account: euros, amount, day, statement: 'SEPA GUTSCHRIFT', category: 'TRANSFER_IN_WIRE', other }),
    )
  }
  return happened
}

function lastWorkday(day: Day): Day {
  return addDays(day, -({ 0: 2, 6: 1 }[weekday(day)] ?? 0))
}
