// The bank behind one login, in Plaid's JSON shapes: what Plaid would read now. Amounts, quantities and rates are raw
// JSON tokens, so that no digit is rounded.
import type { Household } from './household.ts'
import type { Holding, InvestmentTransaction, Security } from './model-investments.ts'
import type { CreditCardLiability, MortgageLiability, StudentLoan } from './model-liabilities.ts'
import type { Confidence, Day, RawNumber } from './values.ts'

export interface Balances {
  available: RawNumber | null
  current: RawNumber | null
  limit: RawNumber | null
  iso_currency_code: string | null
  unofficial_currency_code: string | null
}

export interface Account {
  account_id: string
  balances: Balances
  mask: string | null
  name: string
  official_name: string | null
  type: 'depository' | 'credit' | 'loan' | 'investment' | 'other'
  subtype: string | null
  holder_category: 'personal' | 'business' | 'unrecognized'
  persistent_account_id?: string
}

export type Location = {
  address: string | null
  city: string | null
  region: string | null
  postal_code: string | null
  country: string | null
  lat: RawNumber | null
  lon: RawNumber | null
  store_number: string | null
}

export type PaymentMeta = {
  reference_number: string | null
  ppd_id: string | null
  payee: string | null
  by_order_of: string | null
  payer: string | null
  payment_method: string | null
  payment_processor: string | null
  reason: string | null
}

export type Counterparty = {
  name: string
  type: 'merchant' | 'financial_institution' | 'payment_app' | 'marketplace' | 'payment_terminal' | 'income_source'
  entity_id: string | null
  website: string | null
  logo_url: string | null
  confidence_level: Confidence
}

export interface Transaction {
  transaction_id: string
  account_id: string
  account_owner: string | null
  pending_transaction_id: string | null
  pending: boolean
  amount: RawNumber
  iso_currency_code: string | null
  unofficial_currency_code: string | null
  date: Day
  authorized_date: Day | null
  datetime: string | null
  authorized_datetime: string | null
  name: string
  original_description: string | null
  merchant_name: string | null
  merchant_entity_id: string | null
  logo_url: string | null
  website: string | null
  check_number: string | null
  payment_channel: 'online' | 'in store' | 'other'
  payment_meta: PaymentMeta
  location: Location
  counterparties: Counterparty[]
  transaction_code: null
  transaction_type: 'digital' | 'place' | 'special' | 'unresolved'
  personal_finance_category: {
    primary: string
    detailed: string
    confidence_level: Confidence
    version: 'v1' | 'v2'
  } | null
  personal_finance_category_icon_url: string
  [wireOnly: string]: unknown
}

export type Owner = {
  names: string[]
  phone_numbers: { data: string; primary: boolean; type: string }[]
  emails: { data: string; primary: boolean; type: string }[]
  addresses: {
    data: {
      city: string | null
      region: string | null
      street: string
      postal_code: string | null
      country: string | null
    }
    primary: boolean
  }[]
}

/** One account's entry in each list of `/auth/get`'s `numbers`; null if it has none. */
export type AccountNumbers = {
  ach: {
    account_id: string
    account: string
    routing: string
    wire_routing: string | null
    is_tokenized_account_number: boolean
  } | null
  eft: { account_id: string; account: string; institution: string; branch: string } | null
  international: { account_id: string; iban: string; bic: string } | null
  bacs: { account_id: string; account: string; sort_code: string } | null
}

/**
 * The other side of a posting: an account of this bank, the customer's cash, the customer's account at another bank, or
 * a third party.
 */
export type OtherSide =
  | { readonly kind: 'account'; readonly accountId: string; readonly isBookedThere: boolean }
  | { readonly kind: 'cash' | 'own_elsewhere' | 'outside' }

/** What the bank knows and never puts into a response. */
export interface BackOffice {
  /** The customer's habits; null for a custom user, for whom nothing is invented. */
  household: Household | null
  /** The day on which a pending transaction posts, by its id. */
  clearsOn: Map<string, Day>
  /** Accounts whose available balance never moves (`force_available_balance`, `has_null_available_balance`). */
  fixedAvailable: Set<string>
  /** Today's price of a security that trades, in whole cents, by its id. */
  pricesInCents: Map<string, number>
  /** The other side of each posting, by the posting's id; absent if it is outside the household. */
  otherSides: Map<string, OtherSide>
  /** The balance of each account before its first transaction, by its id; absent for accounts that opened later. */
  openings: Map<string, RawNumber>
  /** The monthly incomes of a custom user. */
  inflows: Inflow[]
}

/** One payment a month. `amount` is negative, because money comes in. Day 31 means the month's last day. */
export interface Inflow {
  accountId: string
  amount: RawNumber
  name: string
  dayOfMonth: number
}

/** Everything that one user has at one institution. Lists are ordered oldest first. */
export interface Bank {
  accounts: Account[]
  /** Accounts that the bank closed. `/accounts/get` omits them; their history stays. */
  closedAccountIds: Set<string>
  transactions: Transaction[]
  securities: Security[]
  holdings: Holding[]
  investmentTransactions: InvestmentTransaction[]
  liabilities: {
    credit: CreditCardLiability[]
    mortgage: MortgageLiability[]
    student: StudentLoan[]
  }
  /** Owners by account, for `/identity/get`. */
  owners: Map<string, Owner[]>
  /** Account and routing numbers by account, for `/auth/get`. */
  numbers: Map<string, AccountNumbers>
  backOffice: BackOffice
}
