// The liabilities of a customer. Computed from the books at each call, so they always agree with the postings.
import { addDays, addMonths } from './calendar.ts'
import type { Role } from './household.ts'
import { accountOf, sameCurrency, total } from './booking.ts'
import type { CreditCardLiability, MortgageLiability, StudentLoan } from './model-liabilities.ts'
import type { Account, Bank, Transaction } from './model.ts'
import { cents, compareExact, exact, negateExact, subtractExact } from './number.ts'
import { studentPaymentCents } from './own-accounts.ts'
import { lakeHouse, servicer } from './postal.ts'
import type { Day, RawNumber } from './values.ts'

const zero = exact('0')

/** The day of the month of card statements. Payment is due three weeks later. */
const statementDay = '22'

/** Recomputes the liabilities of a household at the end of the day. Those of a custom user stay as they were given. */
export function refreshLiabilities(bank: Bank, today: Day): void {
  const { household } = bank.backOffice
  if (household === null) return
  const ofRole = <Liability>(role: Role, liabilityOf: (account: Account) => Liability): Liability[] => {
    const id = household.accounts[role]
    return id === undefined || bank.closedAccountIds.has(id) ? [] : [liabilityOf(accountOf(bank, id))]
  }
  bank.liabilities = {
    credit: ofRole('card', (account) => creditCard(bank, account, today)),
    mortgage: ofRole('mortgage', (account) => mortgage(bank, account, today, cents(household.mortgageCents))),
    student: ofRole('student', (account) => studentLoan(bank, account, today)),
  }
}

function creditCard(bank: Bank, account: Account, today: Day): CreditCardLiability {
  const issued = lastDayOfMonth(today, statementDay)
  const later = postings(bank, account).filter(({ date }) => date > issued && date <= today)
  const balance = subtractExact(account.balances.current ?? zero, total(later.map(({ amount }) => amount)))
  const isOwed = compareExact(balance, zero) > 0
  return {
    account_id: account.account_id,
    aprs: [
      apr('purchase_apr', '21.49', balance),
      apr('cash_apr', '28.24', zero),
      apr('balance_transfer_apr', '15.24', zero),
    ],
    is_overdue: false,
    ...lastPayment(bank, account),
    last_statement_issue_date: issued,
    last_statement_balance: balance,
    minimum_payment_amount: isOwed ? minimum(balance, exact('35')) : zero,
    next_payment_due_date: addDays(issued, 21),
  }
}

function apr(type: CreditCardLiability['aprs'][number]['apr_type'], percentage: string, balance: RawNumber) {
  return {
    apr_percentage: exact(percentage),
    apr_type: type,
    balance_subject_to_apr: balance,
    // Paid in full every month, so no interest accrues.
    interest_charge_amount: zero,
  }
}

function mortgage(bank: Bank, account: Account, today: Day, instalment: RawNumber): MortgageLiability {
  return {
    account_id: account.account_id,
    account_number: `31415926${account.mask ?? ''}`,
    current_late_fee: exact('25'),
    escrow_balance: exact('3141.54'),
    has_pmi: true,
    has_prepayment_penalty: false,
    interest_rate: { percentage: exact('5.16'), type: 'fixed' },
    ...lastPayment(bank, account),
    loan_type_description: 'conventional',
    loan_term: '30 year',
    maturity_date: '2049-06-01',
    next_monthly_payment: instalment,
    next_payment_due_date: nextDayOfMonth(today, '01'),
    origination_date: '2019-06-01',
    origination_principal_amount: exact('171500'),
    past_due_amount: zero,
    property_address: { ...lakeHouse },
    ...paidThisYear(bank, account, today),
  }
}

function studentLoan(bank: Bank, account: Account, today: Day): StudentLoan {
  const interest = postings(bank, account).filter(({ amount }) => compareExact(amount, zero) > 0)
  return {
    account_id: account.account_id,
    account_number: `27182818${account.mask ?? ''}`,
    disbursement_dates: ['2016-08-28', '2017-08-28'],
    expected_payoff_date: '2034-07-28',
    guarantor: 'DEPT OF ED',
    interest_rate_percentage: exact('4.56'),
    is_overdue: false,
    ...lastPayment(bank, account),
    last_statement_balance: account.balances.current,
    last_statement_issue_date: lastDayOfMonth(today, '20'),
    loan_name: 'Consolidation',
    loan_status: { end_date: '2034-07-28', type: 'repayment' },
    minimum_payment_amount: cents(studentPaymentCents),
    next_payment_due_date: nextDayOfMonth(today, '12'),
    origination_date: '2016-08-28',
    origination_principal_amount: exact('38000'),
    outstanding_interest_amount: interest.at(-1)?.amount ?? zero,
    payment_reference_number: '1618033988',
    pslf_status: {
      estimated_eligibility_date: '2031-01-01',
      payments_made: exact('62'),
      payments_remaining: exact('58'),
    },
    repayment_plan: { description: 'Standard Repayment', type: 'standard' },
    sequence_number: '1',
    servicer_address: { ...servicer },
    ...paidThisYear(bank, account, today),
  }
}

function postings(bank: Bank, account: Account): Transaction[] {
  return bank.transactions.filter((transaction) => {
    const isOwnPosting = transaction.account_id === account.account_id && !transaction.pending
    return isOwnPosting && sameCurrency(transaction, account.balances)
  })
}

function lastPayment(
  bank: Bank,
  account: Account,
): { last_payment_amount: RawNumber | null; last_payment_date: Day | null } {
  const payment = postings(bank, account).findLast(isPayment)
  return {
    last_payment_amount: payment === undefined ? null : negateExact(payment.amount),
    last_payment_date: payment?.date ?? null,
  }
}

function paidThisYear(
  bank: Bank,
  account: Account,
  today: Day,
): { ytd_interest_paid: RawNumber; ytd_principal_paid: RawNumber } {
  const thisYear = postings(bank, account).filter(({ date }) => date.slice(0, 4) === today.slice(0, 4))
  const paid = negateExact(total(thisYear.filter(isPayment).map(({ amount }) => amount)))
  const charged = total(thisYear.filter((posting) => !isPayment(posting)).map(({ amount }) => amount))
  const interest = minimum(charged, paid)
  return { ytd_interest_paid: interest, ytd_principal_paid: subtractExact(paid, interest) }
}

function isPayment({ personal_finance_category }: Transaction): boolean {
  return personal_finance_category?.primary === 'LOAN_PAYMENTS'
}

function minimum(left: RawNumber, right: RawNumber): RawNumber {
  return compareExact(left, right) < 0 ? left : right
}

function lastDayOfMonth(today: Day, day: string): Day {
  const inThisMonth = `${today.slice(0, 8)}${day}`
  return inThisMonth <= today ? inThisMonth : addMonths(inThisMonth, -1)
}

function nextDayOfMonth(today: Day, day: string): Day {
  const inThisMonth = `${today.slice(0, 8)}${day}`
  return inThisMonth > today ? inThisMonth : addMonths(inThisMonth, 1)
}
