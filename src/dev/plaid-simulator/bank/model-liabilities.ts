// Plaid's JSON shapes of `/liabilities/get`. Type aliases, not interfaces, so that they are assignable to plain
// records.
import type { Day, RawNumber } from './values.ts'

export type Apr = {
  apr_percentage: RawNumber
  apr_type: 'balance_transfer_apr' | 'cash_apr' | 'purchase_apr' | 'special'
  balance_subject_to_apr: RawNumber | null
  interest_charge_amount: RawNumber | null
}

export type CreditCardLiability = {
  account_id: string
  aprs: Apr[]
  is_overdue: boolean | null
  last_payment_amount: RawNumber | null
  last_payment_date: Day | null
  last_statement_issue_date: Day | null
  last_statement_balance: RawNumber | null
  minimum_payment_amount: RawNumber | null
  next_payment_due_date: Day | null
}

export type PostalAddress = {
  city: string | null
  country: string | null
  postal_code: string | null
  region: string | null
  street: string | null
}

export type MortgageLiability = {
  account_id: string
  account_number: string | null
  current_late_fee: RawNumber | null
  escrow_balance: RawNumber | null
  has_pmi: boolean | null
  has_prepayment_penalty: boolean | null
  interest_rate: { percentage: RawNumber | null; type: 'fixed' | 'variable' | null }
  last_payment_amount: RawNumber | null
  last_payment_date: Day | null
  loan_type_description: string | null
  loan_term: string | null
  maturity_date: Day | null
  next_monthly_payment: RawNumber | null
  next_payment_due_date: Day | null
  origination_date: Day | null
  origination_principal_amount: RawNumber | null
  past_due_amount: RawNumber | null
  property_address: PostalAddress
  ytd_interest_paid: RawNumber | null
  ytd_principal_paid: RawNumber | null
}

export type StudentLoan = {
  account_id: string
  account_number: string | null
  disbursement_dates: Day[] | null
  expected_payoff_date: Day | null
  guarantor: string | null
  interest_rate_percentage: RawNumber
  is_overdue: boolean | null
  last_payment_amount: RawNumber | null
  last_payment_date: Day | null
  last_statement_balance: RawNumber | null
  last_statement_issue_date: Day | null
  loan_name: string | null
  loan_status: { end_date: Day | null; type: string | null }
  minimum_payment_amount: RawNumber | null
  next_payment_due_date: Day | null
  origination_date: Day | null
  origination_principal_amount: RawNumber | null
  outstanding_interest_amount: RawNumber | null
  payment_reference_number: string | null
  pslf_status: {
    estimated_eligibility_date: Day | null
    payments_made: RawNumber | null
    payments_remaining: RawNumber | null
  }
  repayment_plan: { description: string | null; type: string | null }
  sequence_number: string | null
  servicer_address: PostalAddress
  ytd_interest_paid: RawNumber | null
  ytd_principal_paid: RawNumber | null
}
