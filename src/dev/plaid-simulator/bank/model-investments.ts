// Plaid's JSON shapes of `/investments/*`. Type aliases, not interfaces, so that they are assignable to plain records.
import type { Day, RawNumber } from './values.ts'

export type Security = {
  security_id: string
  isin: string | null
  cusip: string | null
  sedol: string | null
  institution_security_id: string | null
  institution_id: string | null
  proxy_security_id: string | null
  name: string | null
  ticker_symbol: string | null
  is_cash_equivalent: boolean | null
  type: string | null
  subtype: string | null
  close_price: RawNumber | null
  close_price_as_of: Day | null
  update_datetime: string | null
  iso_currency_code: string | null
  unofficial_currency_code: string | null
  market_identifier_code: string | null
  sector: string | null
  industry: string | null
  cfi_code: string | null
  option_contract: {
    contract_type: 'put' | 'call'
    expiration_date: Day
    strike_price: RawNumber
    underlying_security_ticker: string
  } | null
  fixed_income: {
    yield_rate: { percentage: RawNumber; type: 'coupon' | 'coupon_equivalent' | 'discount' | 'yield' } | null
    maturity_date: Day | null
    issue_date: Day | null
    face_value: RawNumber | null
  } | null
}

export type Holding = {
  account_id: string
  security_id: string
  institution_price: RawNumber
  institution_price_as_of: Day | null
  institution_price_datetime: string | null
  /** Always `quantity` × `institution_price`, exactly. */
  institution_value: RawNumber
  /** The cost of the whole position, not of one unit. */
  cost_basis: RawNumber | null
  quantity: RawNumber
  iso_currency_code: string | null
  unofficial_currency_code: string | null
  vested_quantity: RawNumber | null
  vested_value: RawNumber | null
}

export type InvestmentTransaction = {
  investment_transaction_id: string
  cancel_transaction_id: string | null
  account_id: string
  security_id: string | null
  date: Day
  name: string
  /** Positive if units are added. */
  quantity: RawNumber
  /** Positive if cash leaves the account. */
  amount: RawNumber
  price: RawNumber
  fees: RawNumber | null
  type: 'buy' | 'sell' | 'cancel' | 'cash' | 'fee' | 'transfer'
  subtype: string
  iso_currency_code: string | null
  unofficial_currency_code: string | null
}
