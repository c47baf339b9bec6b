// The liabilities of a custom user: the given values, and null or a plain default for the rest.
import { addDays, addMonths } from './calendar.ts'
import type { CustomAddress, CustomLiability } from './custom-user.ts'
import type { Apr, CreditCardLiability, PostalAddress, StudentLoan } from './model-liabilities.ts'
import type { Account } from './model.ts'
import { exact } from './number.ts'
import type { Day, RawNumber } from './values.ts'

type Overrides = Partial<CustomLiability>

/** A card's liability. Without a given rate it has a usual purchase rate, because Plaid always reports one. */
export function creditLiability({ account_id, balances }: Account, given: Overrides, today: Day): CreditCardLiability {
  const rates: [Apr['apr_type'], RawNumber | null | undefined][] = [
    ['purchase_apr', given.purchase_apr],
    ['cash_apr', given.cash_apr],
    ['balance_transfer_apr', given.balance_transfer_apr],
    ['special', given.special_apr],
  ]
  const aprs = rates.flatMap(([type, rate]) => (rate == null ? [] : [apr(type, rate)]))
  return {
    account_id,
    aprs: aprs.length > 0 ? aprs : [apr('purchase_apr', exact('21.49'))],
    is_overdue: given.is_overdue ?? null,
    last_payment_amount: given.last_payment_amount ?? null,
    last_payment_date: null,
    last_statement_issue_date: addDays(today, -14),
    last_statement_balance: balances.current,
    minimum_payment_amount: given.minimum_payment_amount ?? null,
    next_payment_due_date: addDays(today, 7),
  }
}

/** A student loan's liability. */
export function studentLiability({ account_id, mask, balances }: Account, given: Overrides, today: Day): StudentLoan {
  const { loan_status, pslf_status, origination_date } = given
  return {
    account_id,
    account_number: `00000000${mask ?? ''}`,
    disbursement_dates: origination_date == null ? null : [origination_date],
    expected_payoff_date: payoffOf(given),
    guarantor: given.guarantor ?? null,
    interest_rate_percentage: given.nominal_apr ?? exact('4.56'),
    is_overdue: given.is_overdue ?? null,
    last_payment_amount: given.last_payment_amount ?? null,
    last_payment_date: null,
    last_statement_balance: balances.current,
    last_statement_issue_date: addDays(today, -14),
    loan_name: given.loan_name ?? null,
    loan_status: { end_date: loan_status?.end_date ?? payoffOf(given), type: loan_status?.type ?? 'repayment' },
    minimum_payment_amount: given.minimum_payment_amount ?? null,
    next_payment_due_date: addDays(today, 14),
    origination_date: origination_date ?? null,
    origination_principal_amount: given.principal ?? null,
    outstanding_interest_amount: null,
    payment_reference_number: given.payment_reference_number ?? null,
    pslf_status: {
      estimated_eligibility_date: pslf_status?.estimated_eligibility_date ?? null,
      payments_made: pslf_status?.payments_made ?? null,
      payments_remaining: pslf_status?.payments_remaining ?? null,
    },
    repayment_plan: {
      description: given.repayment_plan_description ?? null,
      type: given.repayment_plan_type ?? 'standard',
    },
    sequence_number: given.sequence_number ?? null,
    servicer_address: addressOf(given.servicer_address?.data ?? {}),
    ytd_interest_paid: null,
    ytd_principal_paid: null,
  }
}

function apr(type: Apr['apr_type'], percentage: RawNumber): Apr {
  return { apr_percentage: percentage, apr_type: type, balance_subject_to_apr: null, interest_charge_amount: null }
}

/** The end of the repayment model, unless the custom user gives a date. */
function payoffOf({ expected_payoff_date, origination_date, repayment_model }: Overrides): Day | null {
  if (expected_payoff_date != null) return expected_payoff_date
  if (origination_date == null || repayment_model?.repayment_months == null) return null
  const months = Number(repayment_model.repayment_months.rawJSON)
  return addMonths(origination_date, months + Number(repayment_model.non_repayment_months?.rawJSON ?? '0'))
}

function addressOf({ city, country, postal_code, region, street }: Partial<CustomAddress>): PostalAddress {
  return {
    city: city ?? null,
    country: country ?? null,
    postal_code: postal_code ?? null,
    region: region ?? null,
    street: street ?? null,
  }
}
