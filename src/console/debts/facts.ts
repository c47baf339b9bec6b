// What the bank says about a card or a loan. Its details are Plaid's object of that kind: any member may be absent.
import type { Liability } from '@wealthnavigator/client'
import { formatDay } from '../format/dates.ts'
import { type Decimal, formatDecimal, formatMoney } from '../format/money.ts'
import { listIn, objectIn, textIn } from '../format/members.ts'
import { categoryWords } from '../format/words.ts'

export interface NextPayment {
  readonly day: string | null
  readonly amount: Decimal | null
  readonly isOverdue: boolean
}

export function nextPaymentOf({ kind, details }: Liability): NextPayment {
  return {
    day: textIn(details, 'next_payment_due_date'),
    amount: textIn(details, kind === 'mortgage' ? 'next_monthly_payment' : 'minimum_payment_amount'),
    isOverdue: details['is_overdue'] === true,
  }
}

export interface Fact {
  readonly name: string
  readonly text: string
}

const aprNames: Readonly<Record<string, string>> = {
  purchase_apr: 'Interest on purchases',
  cash_apr: 'Interest on cash',
  balance_transfer_apr: 'Interest on transferred balances',
  special: 'Special interest',
}

const percent = (value: Decimal): string => `${formatDecimal(value)} %`

/** The members that each kind may have, in the order of the page. */
export function factsOf({ kind, details }: Liability, currency: string | null): Fact[] {
  const fact = (name: string, text: string | null, format: (text: string) => string = (same) => same): Fact[] =>
    text === null ? [] : [{ name, text: format(text) }]
  const money = (name: string, member: string): Fact[] =>
    fact(name, textIn(details, member), (amount) => formatMoney(amount, currency))
  const day = (name: string, member: string): Fact[] => fact(name, textIn(details, member), formatDay)
  const common = [...money('Last payment', 'last_payment_amount'), ...day('Paid on', 'last_payment_date')]
  const paid = [
    ...money('Interest paid this year', 'ytd_interest_paid'),
    ...money('Principal paid this year', 'ytd_principal_paid'),
  ]
  if (kind === 'credit')
    return [
      ...money('Last statement', 'last_statement_balance'),
      ...day('Statement of', 'last_statement_issue_date'),
      ...common,
      ...listIn(details, 'aprs').flatMap((apr) =>
        fact(aprNames[textIn(apr, 'apr_type') ?? ''] ?? 'Interest', textIn(apr, 'apr_percentage'), percent),
      ),
    ]
  if (kind === 'mortgage') {
    const rate = objectIn(details, 'interest_rate')
    const type = textIn(rate, 'type')
    return [
      ...fact('Interest', textIn(rate, 'percentage'), (text) => `${percent(text)}${type === null ? '' : `, ${type}`}`),
      ...money('Past due', 'past_due_amount'),
      ...money('Borrowed', 'origination_principal_amount'),
      ...day('Since', 'origination_date'),
      ...fact('Term', textIn(details, 'loan_term')),
      ...day('Ends', 'maturity_date'),
      ...money('In escrow', 'escrow_balance'),
      ...common,
      ...paid,
    ]
  }
  return [
    ...fact('Loan', textIn(details, 'loan_name')),
    ...fact('State', textIn(objectIn(details, 'loan_status'), 'type'), (text) => categoryWords(text.toUpperCase())),
    ...fact('Plan', textIn(objectIn(details, 'repayment_plan'), 'description')),
    ...fact('Interest', textIn(details, 'interest_rate_percentage'), percent),
    ...money('Interest not paid yet', 'outstanding_interest_amount'),
    ...money('Borrowed', 'origination_principal_amount'),
    ...day('Paid off by', 'expected_payoff_date'),
    ...common,
    ...paid,
  ]
}
