// Schemas of Plaid's responses about items and products, with the fields in use. Lenient by field and by row: see
// field-schemas.ts and rows.ts. Unknown fields are dropped; numbers are exact decimal text.
import type * as wire from 'plaid'
import * as z from 'zod'
import {
  objectOrEmpty,
  optionalBoolean,
  optionalCount,
  optionalDay,
  optionalDecimal,
  optionalId,
  optionalText,
  optionalTexts,
  requiredBoolean,
  requiredDay,
  requiredDecimal,
  requiredId,
  storableCopy,
} from './field-schemas.ts'
import { type RowList, rowsOf, type SetAsideRow } from './rows.ts'

/** An object of Plaid's type `Wire`: the compiler refuses a field that the type does not have. */
export const objectOf =
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- given by the caller, to check the shape against
  <Wire>() =>
    <Shape extends { [Name in keyof Shape]: Name extends keyof Wire ? z.ZodType : never }>(shape: Shape) =>
      z.object(shape)

const currency = { iso_currency_code: optionalText, unofficial_currency_code: optionalText }

export const account = objectOf<wire.AccountBase>()({
  account_id: requiredId,
  persistent_account_id: optionalText,
  balances: objectOrEmpty(
    objectOf<wire.AccountBalance>()({
      current: optionalDecimal,
      available: optionalDecimal,
      limit: optionalDecimal,
      ...currency,
    }),
  ),
  mask: optionalText,
  name: optionalText,
  official_name: optionalText,
  type: optionalText,
  subtype: optionalText,
}).transform(({ name, type, ...parsed }) => {
  const kind = parsed.subtype ?? type ?? 'Account'
  const fallback = parsed.mask === null ? kind : `${kind} ${parsed.mask}`
  return {
    ...parsed,
    name: name ?? parsed.official_name ?? fallback,
    type: type ?? 'other',
    // A known account keeps the fields that a response does not contain.
    has_name: name !== null,
    has_type: type !== null,
  }
})
export type PlaidAccount = z.output<typeof account>

/** The accounts of a response about other data, which can be read without them. */
const accountsBeside = rowsOf(account, { kind: 'account', list: 'accounts', id: 'account_id', without: 'empty' })

const category = objectOrEmpty(
  objectOf<wire.PersonalFinanceCategory>()({
    primary: optionalText,
    detailed: optionalText,
    confidence_level: optionalText,
    version: optionalText,
  }),
).transform((parsed) => (parsed.primary === null && parsed.detailed === null ? null : parsed))

export const transaction = objectOf<wire.Transaction>()({
  transaction_id: requiredId,
  account_id: requiredId,
  pending_transaction_id: optionalId,
  date: requiredDay,
  authorized_date: optionalDay,
  amount: requiredDecimal,
  ...currency,
  name: optionalText,
  merchant_name: optionalText,
  logo_url: optionalText,
  website: optionalText,
  personal_finance_category: category,
  pending: optionalBoolean.transform((parsed) => parsed ?? false),
  payment_channel: optionalText,
})
export type PlaidTransaction = z.output<typeof transaction>

const transactionsIn = (list: 'added' | 'modified') =>
  rowsOf(transaction, { kind: 'transaction', list, id: 'transaction_id', without: 'null_empty' })

export const transactionsSync = objectOf<wire.TransactionsSyncResponse>()({
  added: transactionsIn('added'),
  modified: transactionsIn('modified'),
  removed: rowsOf(z.object({ transaction_id: requiredId }), {
    kind: 'removed_transaction',
    list: 'removed',
    id: 'transaction_id',
    without: 'null_empty',
  }),
  accounts: accountsBeside,
  next_cursor: z.string(),
  has_more: requiredBoolean,
  transactions_update_status: optionalText,
}).transform(({ accounts, added, modified, removed, ...parsed }) => ({
  ...parsed,
  accounts: accounts.rows,
  added: added.rows,
  modified: modified.rows,
  removed: removed.rows,
  set_aside: [accounts, added, modified, removed].flatMap(({ setAside }) => setAside),
}))

const streamAmount = objectOrEmpty(objectOf<wire.TransactionStreamAmount>()({ amount: optionalDecimal, ...currency }))

export const stream = objectOf<wire.TransactionStream>()({
  stream_id: requiredId,
  account_id: requiredId,
  description: optionalText,
  merchant_name: optionalText,
  first_date: requiredDay,
  last_date: requiredDay,
  predicted_next_date: optionalDay,
  frequency: optionalText,
  transaction_ids: optionalTexts,
  average_amount: streamAmount,
  last_amount: streamAmount,
  is_active: optionalBoolean,
  status: optionalText,
  personal_finance_category: category,
}).transform(({ description, frequency, transaction_ids: ids, is_active: isActive, status, ...parsed }) => ({
  ...parsed,
  description: description ?? parsed.merchant_name ?? '',
  // Plaid's names for unknown values.
  frequency: frequency ?? 'UNKNOWN',
  status: status ?? 'UNKNOWN',
  is_active: isActive ?? status !== 'TOMBSTONED',
  transaction_ids: ids ?? [],
}))
export type PlaidStream = z.output<typeof stream>

const streamsIn = (list: string, kind: RowList['kind']) =>
  rowsOf(stream, { kind, list, id: 'stream_id', without: 'unknown' })

export const recurringGet = objectOf<wire.TransactionsRecurringGetResponse>()({
  inflow_streams: streamsIn('inflow_streams', 'inflow_stream'),
  outflow_streams: streamsIn('outflow_streams', 'outflow_stream'),
}).transform(({ inflow_streams: inflow, outflow_streams: outflow }) => ({
  inflow_streams: inflow.rows,
  outflow_streams: outflow.rows,
  set_aside: [...inflow.setAside, ...outflow.setAside],
}))

export const accountsGet = objectOf<wire.AccountsGetResponse>()({
  accounts: rowsOf(account, { kind: 'account', list: 'accounts', id: 'account_id', without: 'refused' }),
}).transform(({ accounts }) => ({ accounts: accounts.rows, set_aside: accounts.setAside }))

export const security = objectOf<wire.Security>()({
  security_id: requiredId,
  name: optionalText,
  ticker_symbol: optionalText,
  type: optionalText,
  is_cash_equivalent: optionalBoolean,
  close_price: optionalDecimal,
  close_price_as_of: optionalDay,
  ...currency,
})
export type PlaidSecurity = z.output<typeof security>

const securitiesBeside = rowsOf(security, { kind: 'security', list: 'securities', id: 'security_id', without: 'empty' })

/** One of price and value is enough: the value follows from the price; an absent price stays unknown. */
export const holding = objectOf<wire.Holding>()({
  account_id: requiredId,
  security_id: requiredId,
  quantity: requiredDecimal,
  institution_price: optionalDecimal,
  institution_price_as_of: optionalDay,
  institution_value: optionalDecimal,
  cost_basis: optionalDecimal,
  ...currency,
}).check((ctx) => {
  if (ctx.value.institution_price === null && ctx.value.institution_value === null)
    ctx.issues.push({ code: 'custom', message: 'missing', path: ['institution_value'], input: undefined })
})
export type PlaidHolding = z.output<typeof holding>

export const holdingsGet = objectOf<wire.InvestmentsHoldingsGetResponse>()({
  accounts: accountsBeside,
  holdings: rowsOf(holding, {
    kind: 'holding',
    list: 'holdings',
    id: 'security_id',
    isPerAccount: true,
    without: 'refused',
  }),
  securities: securitiesBeside,
}).transform(({ accounts, holdings, securities }) => ({
  accounts: accounts.rows,
  holdings: holdings.rows,
  securities: securities.rows,
  set_aside: [accounts, holdings, securities].flatMap(({ setAside }) => setAside),
}))

export const investmentTransaction = objectOf<wire.InvestmentTransaction>()({
  investment_transaction_id: requiredId,
  account_id: requiredId,
  security_id: optionalId,
  date: requiredDay,
  name: optionalText,
  quantity: requiredDecimal,
  amount: requiredDecimal,
  price: optionalDecimal,
  fees: optionalDecimal,
  type: optionalText,
  // Plaid-Version 2019-05-29 has none.
  subtype: optionalText,
  ...currency,
}).transform(({ name, type, ...parsed }) => ({ ...parsed, name: name ?? '', type: type ?? 'other' }))
export type PlaidInvestmentTransaction = z.output<typeof investmentTransaction>

export const investmentTransactionsGet = objectOf<wire.InvestmentsTransactionsGetResponse>()({
  accounts: accountsBeside,
  investment_transactions: rowsOf(investmentTransaction, {
    kind: 'investment_transaction',
    list: 'investment_transactions',
    id: 'investment_transaction_id',
    without: 'refused',
  }),
  securities: securitiesBeside,
  // Without a total the list is read to its end, and nothing is removed.
  total_investment_transactions: optionalCount.transform((parsed) => parsed ?? Number.MAX_SAFE_INTEGER),
}).transform(({ accounts, investment_transactions: transactions, securities, ...parsed }) => ({
  ...parsed,
  accounts: accounts.rows,
  investment_transactions: transactions.rows,
  securities: securities.rows,
  set_aside: [accounts, transactions, securities].flatMap(({ setAside }) => setAside),
}))

const copyOf = (details: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(details).map(([name, value]) => [name, storableCopy(value, true)]))

/** Plaid's object of that kind as it is stored, without Plaid's id of the account. */
const liability = z
  .looseObject({ account_id: requiredId })
  .transform(({ account_id: accountId, ...details }) => ({ account_id: accountId, details: copyOf(details) }))

/** Plaid sends null for a kind that the item does not have. */
const liabilitiesIn = (kind: 'credit' | 'mortgage' | 'student') =>
  rowsOf(liability, { kind, list: kind, id: null, without: 'empty' })

export const liabilitiesGet = objectOf<wire.LiabilitiesGetResponse>()({
  accounts: accountsBeside,
  liabilities: z.object({
    credit: liabilitiesIn('credit'),
    mortgage: liabilitiesIn('mortgage'),
    student: liabilitiesIn('student'),
  }),
}).transform(({ accounts, liabilities: { credit, mortgage, student } }) => ({
  accounts: accounts.rows,
  liabilities: { credit: credit.rows, mortgage: mortgage.rows, student: student.rows },
  set_aside: [accounts, credit, mortgage, student].flatMap(({ setAside }): readonly SetAsideRow[] => setAside),
}))
export type PlaidLiabilities = z.output<typeof liabilitiesGet>
