// Transfers between the customer's accounts, always with both legs, and the interest that the bank pays and charges.
import { monthEnd } from './calendar.ts'
import { accountFor, postedSameDay, bothLegs, type HouseholdDay, type DayEvent, isDayOfMonth } from './day-event.ts'
import type { Role } from './household.ts'
import type { Account } from './model.ts'
import { cents, compareExact, exact, multiplyExact, negateExact, roundExact, wholeOf } from './number.ts'
import type { RawNumber } from './values.ts'

const payments: Partial<Record<Role, { day: number; category: string; statement: string }>> = {
  mortgage: { day: 1, category: 'LOAN_PAYMENTS_MORTGAGE_PAYMENT', statement: 'MORTGAGE PAYMENT' },
  student: { day: 12, category: 'LOAN_PAYMENTS_STUDENT_LOAN_PAYMENT', statement: 'STUDENT LOAN PAYMENT' },
  card: { day: 25, category: 'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT', statement: 'CREDIT CARD PAYMENT' },
}

/** The student loan's instalment, in cents. */
export const studentPaymentCents = 21_850

const disbursementCents = 20_000

/** A twelfth of the yearly rate, as a fraction. */
const monthlyRates: Partial<Record<Role, RawNumber>> = {
  savings: exact('0.0029'),
  card: exact('0.0171'),
  mortgage: exact('0.0043'),
  student: exact('0.0038'),
}

/** Transfers and payments between the customer's accounts. */
export function transfersAndPayments(ahead: HouseholdDay): DayEvent[] {
  return [...saving(ahead), ...retirement(ahead), ...debts(ahead), ...borrowing(ahead)]
}

/** The monthly disbursement of the student loan. */
function borrowing(ahead: HouseholdDay): DayEvent[] {
  const [checking, student] = [accountFor(ahead, 'checking'), accountFor(ahead, 'student')]
  if (checking === undefined || student === undefined || !isDayOfMonth(ahead.day, 22)) return []
  const leg = { statement: 'STUDENT LOAN DISBURSEMENT', category: 'LOAN_DISBURSEMENTS_STUDENT' }
  return bothLegs(ahead.day, cents(disbursementCents), { account: student, ...leg }, { account: checking, ...leg })
}

/** What the bank pays or charges at the end of the month. */
export function interest(ahead: HouseholdDay): DayEvent[] {
  if (ahead.day !== monthEnd(ahead.day)) return []
  return (['savings', 'card', 'mortgage', 'student'] as const).flatMap((role) => {
    const [account, rate] = [accountFor(ahead, role), monthlyRates[role]]
    if (account?.balances.current == null || rate === undefined) return []
    const amount = roundExact(multiplyExact(account.balances.current, rate), 2)
    if (compareExact(amount, exact('0')) <= 0) return []
    const earned = role === 'savings'
    return postedSameDay({
      account,
      amount: earned ? negateExact(amount) : amount,
      day: ahead.day,
      statement: earned ? 'INTEREST PAID' : 'INTEREST CHARGE',
      category: earned ? 'INCOME_INTEREST_EARNED' : 'BANK_FEES_INTEREST_CHARGE',
    })
  })
}

function saving(ahead: HouseholdDay): DayEvent[] {
  const [checking, savings] = [accountFor(ahead, 'checking'), accountFor(ahead, 'savings')]
  if (checking === undefined || savings === undefined) return []
  const had = wholeOf(checking.balances.current ?? exact('0'))
  const saved = wholeOf(savings.balances.current ?? exact('0'))
  if (had < 1500n && saved >= 1500n) return transfer(ahead, savings, checking, cents(150_000))
  // Surplus goes to savings once a month, in whole hundreds.
  if (isDayOfMonth(ahead.day, 27) && had >= 5000n) {
    return transfer(ahead, checking, savings, cents(Number((had - 3500n) / 100n) * 10_000))
  }
  return isDayOfMonth(ahead.day, 5) ? transfer(ahead, checking, savings, cents(20_000)) : []
}

function transfer({ day }: HouseholdDay, from: Account, to: Account, amount: RawNumber): DayEvent[] {
  return bothLegs(
    day,
    amount,
    { account: from, statement: `TRANSFER TO ${to.name} ${to.mask ?? ''}`, category: 'TRANSFER_OUT_ACCOUNT_TRANSFER' },
    { account: to, statement: `TRANSFER FROM ${from.name}`, category: 'TRANSFER_IN_ACCOUNT_TRANSFER' },
  )
}

/**
 * The day of the month and the cents that go to the retirement account. In that account it is an investment
 * transaction.
 */
export const contribution = { day: 6, cents: 25_000 }

function retirement(ahead: HouseholdDay): DayEvent[] {
  const [checking, ira] = [accountFor(ahead, 'checking'), accountFor(ahead, 'ira')]
  if (checking === undefined || ira === undefined || !isDayOfMonth(ahead.day, contribution.day)) return []
  const category = 'TRANSFER_OUT_INVESTMENT_AND_RETIREMENT_FUNDS'
  const counterparty = { name: ira.name, type: 'financial_institution' as const }
  const amount = cents(contribution.cents)
  const other = { kind: 'account' as const, accountId: ira.account_id, isBookedThere: false }
  const draft = {
    account: checking,
    amount,
    day: ahead.day,
    statement: 'IRA CONTRIBUTION',
    category,
    counterparty,
    other,
  }
  return [postedSameDay(draft)]
}

function debts(ahead: HouseholdDay): DayEvent[] {
  const checking = accountFor(ahead, 'checking')
  if (checking === undefined) return []
  return (['mortgage', 'student', 'card'] as const).flatMap((role) => {
    const [account, terms] = [accountFor(ahead, role), payments[role]]
    if (account?.balances.current == null || terms === undefined || !isDayOfMonth(ahead.day, terms.day)) return []
    const due = dueOn(role, ahead, account.balances.current)
    if (compareExact(due, exact('0')) <= 0) return []
    const { statement, category } = terms
    return bothLegs(ahead.day, due, { account: checking, statement, category }, { account, statement, category })
  })
}

/** The instalment, or the remaining debt if that is less. A card is paid in full. */
function dueOn(role: 'mortgage' | 'student' | 'card', { household }: HouseholdDay, owed: RawNumber): RawNumber {
  if (role === 'card') return owed
  const instalment = cents(role === 'mortgage' ? household.mortgageCents : studentPaymentCents)
  return compareExact(owed, instalment) < 0 ? owed : instalment
}
