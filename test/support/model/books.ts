// The bank's books in the API's shape: accounts, positions, investment transactions, liabilities and streams. Rows are
// named by Plaid's ids, and decimals are exact text.
import * as z from 'zod'
import type { WholeCopy } from '../whole-feed.ts'

const inAccount = z.looseObject({ account_id: z.string() })
const money = { iso_currency_code: z.string().nullable(), unofficial_currency_code: z.string().nullable() }
const exact = z.string().nullable()

const stream = inAccount.extend({
  stream_id: z.string(),
  personal_finance_category: z.object({ primary: z.string(), detailed: z.string() }).nullable(),
  average_amount: z.object({ amount: exact }),
  last_amount: z.object({ amount: exact, ...money }),
  is_active: z.boolean(),
  transaction_ids: z.array(z.string()),
})
export const books = z.object({
  item_id: z.string(),
  accounts: z.array(
    inAccount.extend({
      name: z.string(),
      type: z.string(),
      balances: z.object({ current: exact, available: exact, limit: exact, ...money }),
    }),
  ),
  securities: z.array(z.looseObject({ security_id: z.string() })),
  holdings: z.array(
    inAccount.extend({ security_id: z.string(), quantity: z.string(), institution_value: z.string(), ...money }),
  ),
  investment_transactions: z.array(
    inAccount.extend({ investment_transaction_id: z.string(), security_id: z.string().nullable(), ...money }),
  ),
  liabilities: z.object({ credit: z.array(inAccount), mortgage: z.array(inAccount), student: z.array(inAccount) }),
  recurring_streams: z.object({ inflow_streams: z.array(stream), outflow_streams: z.array(stream) }),
})
export type Books = z.infer<typeof books>

type Row = Readonly<Record<string, unknown>>
/** Rows by the kind that the feed calls them. */
export type Compared = Readonly<
  Record<'account' | 'holding' | 'investment_transaction' | 'liability' | 'recurring_stream', readonly Row[]>
>

const pick = (row: Row, ...names: string[]): Row => Object.fromEntries(names.map((name) => [name, row[name]]))
const currencyOf = (row: { iso_currency_code: string | null; unofficial_currency_code: string | null }) => ({
  currency: row.iso_currency_code ?? row.unofficial_currency_code,
})
const ofAccount = ['official_name', 'mask', 'type', 'subtype']
const ofSecurity = ['name', 'ticker_symbol', 'type', 'is_cash_equivalent']
const ofHolding = ['quantity', 'institution_price', 'institution_price_as_of', 'institution_value', 'cost_basis']
const ofTrade = ['date', 'name', 'quantity', 'amount', 'price', 'fees', 'type', 'subtype']
const ofStream = [
  'description',
  'merchant_name',
  'first_date',
  'last_date',
  'predicted_next_date',
  'frequency',
  'status',
]

/** What the bank has of an item. */
export function booksOf({ securities, ...bank }: Books): Compared {
  const named = new Map(securities.map((security) => [security.security_id, security]))
  const securityOf = (id: string) => ({ plaid_security_id: id, ...pick(named.get(id) ?? {}, ...ofSecurity) })
  const streams = (direction: 'inflow' | 'outflow') =>
    bank.recurring_streams[`${direction}_streams`].map((row) => ({
      ...pick(row, ...ofStream),
      account: row.account_id,
      plaid_stream_id: row.stream_id,
      direction,
      category: row.personal_finance_category ?? { primary: null, detailed: null },
      average_amount: row.average_amount.amount,
      last_amount: row.last_amount.amount,
      active: row.is_active,
      transactions: row.transaction_ids,
      ...currencyOf(row.last_amount),
    }))
  const owed = (kind: 'credit' | 'mortgage' | 'student') =>
    bank.liabilities[kind].map(({ account_id: account, ...details }) => ({ account, kind, details }))
  return {
    account: bank.accounts.map(({ balances: { current, available, limit, ...currency }, ...row }) => ({
      ...pick(row, ...ofAccount),
      account: row.account_id,
      bank_name: row.name,
      balances: { current, available, limit, ...currencyOf(currency) },
    })),
    holding: bank.holdings.map((row) => ({
      ...pick(row, ...ofHolding),
      account: row.account_id,
      security: securityOf(row.security_id),
      ...currencyOf(row),
    })),
    investment_transaction: bank.investment_transactions.map((row) => ({
      ...pick(row, ...ofTrade),
      account: row.account_id,
      id: row.investment_transaction_id,
      security: row.security_id === null ? null : securityOf(row.security_id),
      ...currencyOf(row),
    })),
    liability: [...owed('credit'), ...owed('mortgage'), ...owed('student')],
    recurring_stream: [...streams('inflow'), ...streams('outflow')],
  }
}

const listedItem = z.looseObject({ id: z.string(), plaid_item_id: z.string(), status: z.string() })
const listedAccount = z.looseObject({
  id: z.string(),
  item_id: z.string(),
  plaid_account_id: z.string(),
  name: z.string(),
  closed: z.boolean(),
  balances: z.looseObject({}),
})
const listedTransaction = z.looseObject({ id: z.string(), plaid_transaction_id: z.string() })
const listedRow = z.looseObject({ account_id: z.string() })
const listedStream = listedRow.extend({ transaction_ids: z.array(z.string()) })
const listedSecurity = z.looseObject({ plaid_security_id: z.string() }).nullable()

function securityIn(given: unknown): Row | null {
  const security = listedSecurity.parse(given)
  return security === null ? null : pick(security, 'plaid_security_id', ...ofSecurity)
}

export interface Listed {
  /** Plaid's ids of the items that can be compared. */
  readonly items: ReadonlySet<string>
  readonly rows: Compared
}

/**
 * What the API lists of a user's healthy items: only these can be read. `keepsHistory` names closed accounts whose
 * investment transactions are of an earlier link.
 */
export function listedOf(copy: WholeCopy, keepsHistory: (itemAndName: string) => boolean): Listed {
  const all = <Schema extends z.ZodType>(kind: string, schema: Schema): z.infer<Schema>[] =>
    [...copy].flatMap(([key, row]) => (key.startsWith(`${kind} `) ? [schema.parse(row)] : []))
  const healthy = all('item', listedItem).filter(({ status }) => status === 'healthy')
  const items = new Map(healthy.map((item) => [item.id, item.plaid_item_id]))
  const accounts = all('account', listedAccount).filter(({ item_id: id }) => items.has(id))
  const known = new Map(accounts.map((account) => [account.id, account]))
  const plaidIds = new Map(all('transaction', listedTransaction).map((row) => [row.id, row.plaid_transaction_id]))
  const inAccounts = <Schema extends typeof listedRow>(kind: string, schema: Schema) =>
    all(kind, schema).flatMap((row) => {
      const account = known.get(row.account_id)
      return account === undefined ? [] : [{ row, of: account, account: account.plaid_account_id }]
    })
  return {
    items: new Set(items.values()),
    rows: {
      account: accounts.filter(({ closed }) => !closed).map(accountIn),
      holding: inAccounts('holding', listedRow).map(({ row, account }) => ({
        ...pick(row, ...ofHolding, 'currency'),
        account,
        security: securityIn(row['security']),
      })),
      investment_transaction: inAccounts('investment_transaction', listedRow)
        .filter(({ of }) => !of.closed || !keepsHistory(`${items.get(of.item_id)} ${of.name}`))
        .map(({ row, account }) => ({
          ...pick(row, ...ofTrade, 'currency'),
          account,
          id: row['plaid_investment_transaction_id'],
          security: securityIn(row['security']),
        })),
      liability: inAccounts('liability', listedRow).map(({ row, account }) => ({
        ...pick(row, 'kind', 'details'),
        account,
      })),
      recurring_stream: inAccounts('recurring_stream', listedStream).map(({ row, account }) => ({
        ...pick(row, ...ofStream, 'plaid_stream_id', 'direction', 'category', 'average_amount', 'last_amount'),
        ...pick(row, 'currency', 'active'),
        account,
        transactions: row.transaction_ids.map((id) => plaidIds.get(id) ?? `${id} is not listed`),
      })),
    },
  }
}

const accountIn = (row: z.infer<typeof listedAccount>): Row => ({
  ...pick(row, ...ofAccount, 'bank_name'),
  account: row.plaid_account_id,
  balances: pick(row.balances, 'current', 'available', 'limit', 'currency'),
})
