// The bank behind one login: what Plaid would see if it looked today, in Plaid's own wire shapes.
// Numbers that are money, quantities or rates are raw JSON tokens, so that no digit is ever rounded.

/** An exact number, made by `JSON.rawJSON("12.50")` and written into JSON as that very token. */
export interface RawNumber {
  readonly rawJSON: string
}

/** A calendar day, `YYYY-MM-DD`, never a JavaScript Date. */
export type Day = string

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

export interface Transaction {
  transaction_id: string
  account_id: string
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
  payment_channel: 'online' | 'in store' | 'other'
  personal_finance_category: {
    primary: string
    detailed: string
    confidence_level: 'VERY_HIGH' | 'HIGH' | 'MEDIUM' | 'LOW' | 'UNKNOWN'
    version: 'v2'
  } | null
  personal_finance_category_icon_url: string
  [wireOnly: string]: unknown
}

/** Everything that one user has at one institution. Lists are oldest first. */
export interface Bank {
  accounts: Account[]
  /** Accounts that the bank closed: absent from `/accounts/get`, their history stays. */
  closedAccountIds: Set<string>
  transactions: Transaction[]
  securities: Record<string, unknown>[]
  holdings: Record<string, unknown>[]
  investmentTransactions: Record<string, unknown>[]
  liabilities: {
    credit: Record<string, unknown>[]
    mortgage: Record<string, unknown>[]
    student: Record<string, unknown>[]
  }
  /** Owners by account, for `/identity/get`. */
  owners: Map<string, Record<string, unknown>[]>
  /** Account and routing numbers by account, for `/auth/get`. */
  numbers: Map<string, Record<string, unknown>>
}
