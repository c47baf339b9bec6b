// Which accounts each institution opens for a generated customer, and their balances two years ago.
import type { Role } from './household.ts'
import type { Account } from './model.ts'
import { exact } from './number.ts'
import type { Currency, Ids } from './values.ts'

interface AccountPlan {
  readonly name: string
  readonly mask: string
  readonly type: Account['type']
  readonly subtype: string
  readonly role?: Role
  /** The balance, or the debt, on the day before the history begins. */
  readonly opening: string
  readonly limit?: string
  readonly currency?: Currency
}

export interface InstitutionPlan {
  readonly brand: string
  readonly accounts: readonly AccountPlan[]
}

const bitcoin: Currency = { iso_currency_code: null, unofficial_currency_code: 'BTC' }
const euro: Currency = { iso_currency_code: 'EUR', unofficial_currency_code: null }

const checking = plan('Checking', '0000', 'depository', 'checking', '4140.55', { role: 'checking' })
const savings = plan('Saving', '1111', 'depository', 'savings', '8200.00', { role: 'savings' })
const card = plan('Credit Card', '3333', 'credit', 'credit card', '312.44', { role: 'card', limit: '10000' })
const ira = plan('IRA', '5555', 'investment', 'ira', '0', { role: 'ira' })
const retirement = plan('401k', '6666', 'investment', '401k', '0')
const student = plan('Student Loan', '7777', 'loan', 'student', '27413.09', { role: 'student' })
const mortgage = plan('Mortgage', '8888', 'loan', 'mortgage', '158221.40', { role: 'mortgage' })
const brokerage = plan('Brokerage', '4040', 'investment', 'brokerage', '0')
const crypto = plan('Crypto Exchange', '4092', 'investment', 'crypto exchange', '0')
const deposit = plan('CD', '2222', 'depository', 'cd', '1000.00')
const moneyMarket = plan('Money Market', '4444', 'depository', 'money market', '43200.00')
const wallet = plan('Rewards Wallet', '9100', 'other', 'other', '0.00041000', { role: 'wallet', currency: bitcoin })
const euros = plan('Euro Account', '9200', 'depository', 'checking', '350.00', { role: 'abroad', currency: euro })

/** Plaid's first sandbox bank offers everything. Institutions without a separate plan use this one. */
const everything: InstitutionPlan = {
  brand: 'Plaid',
  accounts: [checking, savings, deposit, card, moneyMarket, ira, retirement, student, mortgage, crypto, wallet],
}

const plans: Readonly<Record<string, InstitutionPlan>> = {
  ins_109508: everything,
  ins_109509: { brand: 'Gingham', accounts: [checking, savings] },
  ins_109510: {
    brand: 'Tattersall',
    accounts: [checking, savings, card, mortgage],
  },
  ins_109511: {
    brand: 'Tartan',
    accounts: [checking, savings, card, student, brokerage],
  },
  ins_109512: {
    brand: 'Houndstooth',
    accounts: [checking, card, euros, mortgage, ira],
  },
  ins_56: { brand: 'Chase', accounts: [checking, savings, card, mortgage, ira] },
  ins_13: { brand: 'PNC', accounts: [checking, savings, card] },
  ins_127990: { brand: 'US Bank', accounts: [checking, savings, card] },
  ins_15: { brand: 'Navy Federal', accounts: [checking, savings, card] },
  ins_11: { brand: 'Schwab', accounts: [checking, brokerage, ira] },
  ins_127287: { brand: 'Platypus', accounts: [checking, savings, card] },
  ins_115616: { brand: 'Quagga', accounts: [brokerage, ira, crypto] },
}

/** The accounts that the institution offers. */
export function planOf(institutionId: string): InstitutionPlan {
  return plans[institutionId] ?? everything
}

/** Opens the account that the plan describes. */
export function openAccount(institution: InstitutionPlan, account: AccountPlan, ids: Ids): Account {
  const { name, mask, type, subtype, opening, limit } = account
  const current = exact(opening)
  const room = limit === undefined ? null : exact(limit)
  return {
    account_id: ids('account'),
    balances: {
      available: type === 'loan' ? null : current,
      current,
      limit: room,
      ...(account.currency ?? { iso_currency_code: 'USD', unofficial_currency_code: null }),
    },
    mask,
    name: `${institution.brand} ${name}`,
    official_name: type === 'investment' ? null : `${institution.brand} Everyday ${name}`,
    type,
    subtype,
    holder_category: 'personal',
  }
}

function plan(
  name: string,
  mask: string,
  type: Account['type'],
  subtype: string,
  opening: string,
  more: Pick<AccountPlan, 'role' | 'limit' | 'currency'> = {},
): AccountPlan {
  return { name, mask, type, subtype, opening, ...more }
}
