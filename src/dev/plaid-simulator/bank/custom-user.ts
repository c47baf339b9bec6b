// Parses the password of `user_custom`: Plaid's custom user. As lenient as Plaid, but strict where a value could be
// misread.
import * as z from 'zod'
import { isDay } from './calendar.ts'
import { isExact } from './number.ts'
import type { RawNumber } from './values.ts'

const amount = z.custom<RawNumber>(isExact, { error: 'must be a number' })
const day = z.string().refine(isDay, { error: 'must be a day, YYYY-MM-DD' })
const text = z.string()

/** Plaid's schema has one object where Plaid's examples have a list; accepts both. */
const listOf = <Entry extends z.ZodType>(entry: Entry) => z.union([z.array(entry), entry.transform((one) => [one])])

const transaction = z.looseObject({
  date_transacted: day,
  date_posted: day,
  amount,
  description: text,
  currency: text.nullish(),
})

const security = z.looseObject({
  isin: text.nullish(),
  cusip: text.nullish(),
  sedol: text.nullish(),
  name: text.nullish(),
  ticker_symbol: text.nullish(),
  currency: text.nullish(),
})

const holding = z.looseObject({
  institution_price: amount,
  institution_price_as_of: day.nullish(),
  cost_basis: amount.nullish(),
  quantity: amount,
  currency: text.nullish(),
  security: security.nullish(),
})

const investmentTransaction = z.looseObject({
  date: day,
  name: text,
  quantity: amount,
  price: amount,
  fees: amount.nullish(),
  type: z.enum(['buy', 'sell', 'cancel', 'cash', 'fee', 'transfer']),
  currency: text.nullish(),
  security: security.nullish(),
})

const address = z.looseObject({
  city: text.nullish(),
  region: text.nullish(),
  street: text.nullish(),
  postal_code: text.nullish(),
  country: text.nullish(),
})

const contact = z.looseObject({ data: text, primary: z.boolean().default(false), type: text.default('other') })

const identity = z.looseObject({
  names: z.array(text).default([]),
  phone_numbers: z.array(contact).default([]),
  emails: z.array(contact).default([]),
  addresses: z.array(z.looseObject({ data: address, primary: z.boolean().default(false) })).default([]),
})

const liability = z.looseObject({
  type: text.nullish(),
  purchase_apr: amount.nullish(),
  cash_apr: amount.nullish(),
  balance_transfer_apr: amount.nullish(),
  special_apr: amount.nullish(),
  last_payment_amount: amount.nullish(),
  minimum_payment_amount: amount.nullish(),
  is_overdue: z.boolean().nullish(),
  origination_date: day.nullish(),
  principal: amount.nullish(),
  nominal_apr: amount.nullish(),
  repayment_model: z
    .looseObject({ non_repayment_months: amount.nullish(), repayment_months: amount.nullish() })
    .nullish(),
  expected_payoff_date: day.nullish(),
  guarantor: text.nullish(),
  loan_name: text.nullish(),
  loan_status: z.looseObject({ end_date: day.nullish(), type: text.nullish() }).nullish(),
  payment_reference_number: text.nullish(),
  pslf_status: z
    .looseObject({
      estimated_eligibility_date: day.nullish(),
      payments_made: amount.nullish(),
      payments_remaining: amount.nullish(),
    })
    .nullish(),
  repayment_plan_description: text.nullish(),
  repayment_plan_type: text.nullish(),
  sequence_number: text.nullish(),
  servicer_address: z.looseObject({ data: address.nullish() }).nullish(),
})

const inflow = z.looseObject({
  type: text,
  income_amount: amount.nullish(),
  payment_day_of_month: z.union([amount, z.literal('last')]).nullish(),
  transaction_name: text.nullish(),
})

const account = z.looseObject({
  type: z.enum(['depository', 'credit', 'loan', 'investment', 'payroll', 'other']),
  subtype: text.nullish(),
  starting_balance: amount.nullish(),
  force_available_balance: amount.nullish(),
  has_null_available_balance: z.boolean().nullish(),
  currency: text.nullish(),
  meta: z
    .looseObject({ name: text.nullish(), official_name: text.nullish(), limit: amount.nullish(), mask: text.nullish() })
    .nullish(),
  numbers: z.record(text, text.nullable()).nullish(),
  transactions: z.array(transaction).nullish(),
  holdings: listOf(holding).nullish(),
  investment_transactions: listOf(investmentTransaction).nullish(),
  identity: identity.nullish(),
  liability: liability.nullish(),
  inflow_model: inflow.nullish(),
})

const customUser = z.looseObject({ seed: text.nullish(), override_accounts: z.array(account).nullish() })

export type CustomUser = z.output<typeof customUser>
export type CustomAccount = z.output<typeof account>
export type CustomSecurity = z.output<typeof security>
export type CustomLiability = z.output<typeof liability>
export type CustomAddress = z.output<typeof address>

/**
 * Parses a custom user whose numbers are raw JSON tokens.
 * @throws RangeError that names the first bad field
 */
export function parseCustomUser(value: unknown): CustomUser {
  const parsed = customUser.safeParse(value)
  if (parsed.success) return parsed.data
  throw new RangeError(describe(parsed.error))
}

/** The first error of a custom user, as `path: reason`; null if it is valid. */
export function customUserProblem(value: unknown): string | null {
  const parsed = customUser.safeParse(value)
  return parsed.success ? null : describe(parsed.error)
}

function describe({ issues }: z.ZodError): string {
  const [first] = issues
  return first === undefined ? 'custom user: unreadable' : `${first.path.join('.') || 'custom user'}: ${first.message}`
}
