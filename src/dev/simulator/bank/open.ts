// Opens the bank of one login: about two years of history up to today, the same for the same inputs.

import { addDays, daysAfter, dayOfMonth } from './calendar.ts'
import type { Account, Bank, Day, RawNumber, Transaction } from './model.ts'
import { addExact, cents, exact, negateExact } from './number.ts'
import { between, randomFrom } from './random.ts'

export interface OpenBank {
  seed: string
  institutionId: string
  username: string
  customUser: unknown
  today: Day
  /** Makes an id of this kind (`account`, `transaction`, ...), a new one at each call. */
  ids: (kind: string) => string
}

/** The bank as it stands at the end of `today`. */
export function openBank({ seed, institutionId, username, today, ids }: OpenBank): Bank {
  const random = randomFrom(`${seed}/${institutionId}/${username}`)
  const checking = account(ids, 'depository', 'checking', 'Checking', '0000')
  const savings = account(ids, 'depository', 'savings', 'Saving', '1111')
  const card = account(ids, 'credit', 'credit card', 'Credit Card', '3333')
  const transactions: Transaction[] = []
  const post = (to: Account, amount: RawNumber, date: Day, name: string): void => {
    const pending = date > addDays(today, -2) && to === card
    transactions.push(posting(ids, to, amount, date, name, pending))
    if (!pending) settle(to, amount)
  }
  for (const day of daysAfter(addDays(today, -730), today)) {
    if ([1, 15].includes(dayOfMonth(day))) post(checking, cents(-315_000), day, 'PAYROLL DIRECT DEP')
    if (dayOfMonth(day) === 3) post(checking, cents(165_000), day, 'RENT')
    if (dayOfMonth(day) === 5) {
      post(checking, cents(40_000), day, 'TRANSFER TO SAVING')
      post(savings, cents(-40_000), day, 'TRANSFER FROM CHECKING')
    }
    if (random() < 0.7) post(card, cents(between(random, 450, 9000)), day, 'CORNER GROCER')
  }
  return {
    accounts: [checking, savings, card],
    closedAccountIds: new Set(),
    transactions,
    securities: [],
    holdings: [],
    investmentTransactions: [],
    liabilities: { credit: [], mortgage: [], student: [] },
    owners: new Map(),
    numbers: new Map(),
  }
}

function account(
  ids: (kind: string) => string,
  type: Account['type'],
  subtype: string,
  name: string,
  mask: string,
): Account {
  const start = type === 'credit' ? exact('0') : exact('1842.17')
  return {
    account_id: ids('account'),
    balances: {
      available: start,
      current: start,
      limit: type === 'credit' ? exact('10000') : null,
      iso_currency_code: 'USD',
      unofficial_currency_code: null,
    },
    mask,
    name: `Plaid ${name}`,
    official_name: null,
    type,
    subtype,
    holder_category: 'personal',
  }
}

function settle({ type, balances }: Account, amount: RawNumber): void {
  const change = type === 'credit' ? amount : negateExact(amount)
  balances.current = addExact(balances.current ?? exact('0'), change)
  if (type !== 'credit') balances.available = balances.current
}

function posting(
  ids: (kind: string) => string,
  { account_id }: Account,
  amount: RawNumber,
  date: Day,
  name: string,
  pending: boolean,
): Transaction {
  return {
    transaction_id: ids('transaction'),
    account_id,
    account_owner: null,
    pending_transaction_id: null,
    pending,
    amount,
    iso_currency_code: 'USD',
    unofficial_currency_code: null,
    date,
    authorized_date: date,
    datetime: null,
    authorized_datetime: null,
    name,
    original_description: name,
    merchant_name: null,
    merchant_entity_id: null,
    logo_url: null,
    website: null,
    check_number: null,
    payment_channel: 'other',
    payment_meta: {
      reference_number: null,
      ppd_id: null,
      payee: null,
      by_order_of: null,
      payer: null,
      payment_method: null,
      payment_processor: null,
      reason: null,
    },
    location: {
      address: null,
      city: null,
      region: null,
      postal_code: null,
      country: null,
      lat: null,
      lon: null,
      store_number: null,
    },
    counterparties: [],
    transaction_code: null,
    transaction_type: 'unresolved',
    personal_finance_category: null,
    personal_finance_category_icon_url: 'https://categories.example.com/other.png',
  }
}
