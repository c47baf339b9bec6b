// Transactions of realistic length, the same in every run, an item that owns them, and the lease under which a sync
// stores them.
import type { Client } from 'pg'
import * as z from 'zod'
import type { PlaidAccountRow } from '../../db/records/accounts-merge.ts'
import type { TransactionChange, PlaidTransactionRow } from '../../db/records/transactions-merge.ts'

export interface HeldItem {
  readonly userId: string
  readonly itemId: string
  readonly itemProductId: string
  /** The accounts' ids in this database, in the order of `accountsOf`. */
  readonly accountIds: readonly string[]
}

const accountCount = 4
const merchants = [
  'Blue Bottle Coffee',
  'Whole Foods Market',
  'Lyft',
  'Netflix',
  'Shell',
  'Trader Joe’s',
  'United Airlines',
]
const categories = [
  ['FOOD_AND_DRINK', 'FOOD_AND_DRINK_COFFEE'],
  ['TRANSPORTATION', 'TRANSPORTATION_TAXIS_AND_RIDE_SHARES'],
  ['GENERAL_MERCHANDISE', 'GENERAL_MERCHANDISE_SUPERSTORES'],
] as const
const millisecondsOfDay = 86_400_000
const historyDays = 730
const lastDay = Date.UTC(2026, 10, 1)

/**
 * 37 letters and digits in random order, like Plaid's ids, so that they are spread over an index. Each seed gives
 * another id.
 */
function plaidId(seed: number): string {
  let state = Math.imul(seed + 1, 2_654_435_761)
  let id = ''
  while (id.length < 37) {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) ^ (state >>> 13) ^ id.length
    id += (state >>> 0).toString(36)
  }
  const own = seed.toString(36)
  return id.slice(0, 37 - own.length) + own
}

const plaidAccountId = (index: number): string => plaidId(100_000_000 + index)

const day = (index: number, count: number): string =>
  new Date(lastDay - Math.floor((index * historyDays) / count) * millisecondsOfDay).toISOString().slice(0, 10)

function rowOf(index: number, count: number): PlaidTransactionRow {
  const merchant = merchants[index % merchants.length] ?? ''
  const [primary, detailed] = categories[index % categories.length] ?? ['', '']
  return {
    plaid_transaction_id: plaidId(index),
    plaid_account_id: plaidAccountId(index % accountCount),
    pending_transaction_id: index % 3 === 0 ? plaidId(index + 10_000_000) : null,
    date: day(index, count),
    authorized_date: day(index, count),
    amount: `${(index * 37) % 500}.${String(index % 100).padStart(2, '0')}`,
    iso_currency_code: 'USD',
    unofficial_currency_code: null,
    name: `${merchant.toUpperCase()} #${index % 1000} SAN FRANCISCO CA`,
    merchant_name: merchant,
    merchant_logo_url: `https://plaid-merchant-logos.plaid.com/merchant_${index % merchants.length}.png`,
    merchant_website: `merchant${index % merchants.length}.example.com`,
    category_primary: primary,
    category_detailed: detailed,
    category_confidence: 'VERY_HIGH',
    category_version: 'v2',
    pending: false,
    payment_channel: 'in store',
  }
}

/** `count` new transactions, newest first, over two years and four accounts. */
export const bankRows = (count: number): PlaidTransactionRow[] =>
  Array.from({ length: count }, (_, index) => rowOf(index, count))

export const changesOf = (rows: readonly PlaidTransactionRow[]): TransactionChange[] =>
  rows.map((row, seq) => ({ seq, removed: false, ...row }))

export const accountsOf = (): PlaidAccountRow[] =>
  Array.from({ length: accountCount }, (_, index) => ({
    plaid_account_id: plaidAccountId(index),
    persistent_account_id: null,
    name: `Account ${index}`,
    has_name: true,
    has_type: true,
    official_name: null,
    mask: String(index).padStart(4, '0'),
    type: 'depository',
    subtype: 'checking',
    current_balance: '100.5',
    available_balance: '90',
    credit_limit: null,
    iso_currency_code: 'USD',
    unofficial_currency_code: null,
  }))

const idRow = z.tuple([z.object({ id: z.uuid() })]).rest(z.object({ id: z.uuid() }))

async function insert(owner: Client, text: string, params: readonly unknown[]): Promise<string> {
  const { rows } = await owner.query(text, [...params])
  return idRow.parse(rows)[0].id
}

/** A user with an item that waits for its first transactions and already has its accounts. */
export async function makeItem(owner: Client, subject: string): Promise<HeldItem> {
  const userId = await insert(
    owner,
    `insert into users (issuer, subject) values ('bench', $1) on conflict (issuer, subject) do update set subject = excluded.subject returning id`,
    [subject],
  )
  const itemId = await insert(
    owner,
    `insert into items (user_id, plaid_item_id, access_token_sealed) values ($1, gen_random_uuid(), 'none') returning id`,
    [userId],
  )
  const itemProductId = await insert(
    owner,
    `insert into item_products (item_id, user_id, product) values ($1, $2, 'transactions') returning id`,
    [itemId, userId],
  )
  const accountIds: string[] = []
  for (const { plaid_account_id: plaidId_, name, type } of accountsOf())
    accountIds.push(
      await insert(
        owner,
        `insert into accounts (user_id, item_id, plaid_account_id, name, type) values ($1, $2, $3, $4, $5) returning id`,
        [userId, itemId, plaidId_, name, type],
      ),
    )
  return { userId, itemId, itemProductId, accountIds }
}
