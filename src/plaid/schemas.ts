// Plaid's answers, as much of them as is used. Lenient: unknown fields are dropped, absent optional ones read as null,
// numbers are exact decimal text (src/decimal.ts).
import type * as wire from 'plaid'
import * as z from 'zod'
import { isDecimal } from '../decimal.ts'
import { secretText } from './client.ts'
import { optionalTime } from './time.ts'

/** An object of Plaid's type `Wire`: the compiler refuses a field that the type does not have. */
const objectOf =
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- given by the caller, to check the shape against
  <Wire>() =>
    <Shape extends { [Name in keyof Shape]: Name extends keyof Wire ? z.ZodType : never }>(shape: Shape) =>
      z.object(shape)

/** Postgres holds no NUL and no half of a surrogate pair; a single one must not stop an item's sync for ever. */
const text = z.string().transform((value) => value.replaceAll('\0', '').toWellFormed())
const optionalText = text.nullish().transform((value) => value ?? null)
const decimal = z.string().refine(isDecimal, 'not a number')
const optionalDecimal = decimal.nullish().transform((value) => value ?? null)
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const optionalDay = day.nullish().transform((value) => value ?? null)
const currency = { iso_currency_code: optionalText, unofficial_currency_code: optionalText }
const secret = z.string().min(1).transform(secretText)

export const account = objectOf<wire.AccountBase>()({
  account_id: z.string().min(1),
  persistent_account_id: optionalText,
  balances: objectOf<wire.AccountBalance>()({
    current: optionalDecimal,
    available: optionalDecimal,
    limit: optionalDecimal,
    ...currency,
  }),
  mask: optionalText,
  name: text,
  official_name: optionalText,
  type: text,
  subtype: optionalText,
})
export type PlaidAccount = z.output<typeof account>

const category = objectOf<wire.PersonalFinanceCategory>()({
  primary: text,
  detailed: text,
  confidence_level: optionalText,
  version: optionalText,
})
  .nullish()
  .transform((value) => value ?? null)

export const transaction = objectOf<wire.Transaction>()({
  transaction_id: z.string().min(1),
  account_id: z.string().min(1),
  pending_transaction_id: optionalText,
  date: day,
  authorized_date: optionalDay,
  amount: decimal,
  ...currency,
  name: optionalText,
  merchant_name: optionalText,
  logo_url: optionalText,
  website: optionalText,
  personal_finance_category: category,
  pending: z.boolean(),
  payment_channel: optionalText,
})
export type PlaidTransaction = z.output<typeof transaction>

export const transactionsSync = objectOf<wire.TransactionsSyncResponse>()({
  added: z.array(transaction),
  modified: z.array(transaction),
  removed: z.array(z.object({ transaction_id: z.string().min(1) })),
  accounts: z.array(account),
  next_cursor: z.string(),
  has_more: z.boolean(),
  transactions_update_status: z.string().optional(),
})

const streamAmount = objectOf<wire.TransactionStreamAmount>()({ amount: optionalDecimal, ...currency })

export const stream = objectOf<wire.TransactionStream>()({
  stream_id: z.string().min(1),
  account_id: z.string().min(1),
  description: text,
  merchant_name: optionalText,
  first_date: day,
  last_date: day,
  predicted_next_date: optionalDay,
  frequency: text,
  transaction_ids: z.array(text),
  average_amount: streamAmount,
  last_amount: streamAmount,
  is_active: z.boolean(),
  status: text,
  personal_finance_category: category,
})
export type PlaidStream = z.output<typeof stream>

export const recurringGet = objectOf<wire.TransactionsRecurringGetResponse>()({
  inflow_streams: z.array(stream),
  outflow_streams: z.array(stream),
})

const institutionError = z
  .object({ error_type: z.string(), error_code: z.string() })
  .nullish()
  .transform((value) => value ?? null)

const plaidProductsList = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null)

export const itemGet = objectOf<wire.ItemGetResponse>()({
  item: objectOf<wire.ItemWithConsentFields>()({
    item_id: z.string().min(1),
    institution_id: optionalText,
    institution_name: optionalText,
    webhook: optionalText,
    error: institutionError,
    available_products: plaidProductsList,
    billed_products: plaidProductsList,
    products: plaidProductsList,
    consented_products: plaidProductsList,
    consent_expiration_time: optionalTime,
  }),
  status: z
    .object({
      last_webhook: z.object({ sent_at: optionalTime, code_sent: optionalText }).nullish(),
      transactions: z.object({ last_successful_update: optionalTime }).nullish(),
      investments: z.object({ last_successful_update: optionalTime }).nullish(),
    })
    .nullish(),
})
export type PlaidItem = z.output<typeof itemGet>

export const accountsGet = objectOf<wire.AccountsGetResponse>()({ accounts: z.array(account) })

export const security = objectOf<wire.Security>()({
  security_id: z.string().min(1),
  name: optionalText,
  ticker_symbol: optionalText,
  type: optionalText,
  is_cash_equivalent: z
    .boolean()
    .nullish()
    .transform((value) => value ?? null),
  close_price: optionalDecimal,
  close_price_as_of: optionalDay,
  ...currency,
})
export type PlaidSecurity = z.output<typeof security>

export const holding = objectOf<wire.Holding>()({
  account_id: z.string().min(1),
  security_id: z.string().min(1),
  quantity: decimal,
  institution_price: decimal,
  institution_price_as_of: optionalDay,
  institution_value: decimal,
  cost_basis: optionalDecimal,
  ...currency,
})
export type PlaidHolding = z.output<typeof holding>

export const holdingsGet = objectOf<wire.InvestmentsHoldingsGetResponse>()({
  accounts: z.array(account),
  holdings: z.array(holding),
  securities: z.array(security),
})

export const investmentTransaction = objectOf<wire.InvestmentTransaction>()({
  investment_transaction_id: z.string().min(1),
  account_id: z.string().min(1),
  security_id: optionalText,
  date: day,
  name: text,
  quantity: decimal,
  amount: decimal,
  price: decimal,
  fees: optionalDecimal,
  type: text,
  // Plaid-Version 2019-05-29 has none.
  subtype: optionalText,
  ...currency,
})
export type PlaidInvestmentTransaction = z.output<typeof investmentTransaction>

export const investmentTransactionsGet = objectOf<wire.InvestmentsTransactionsGetResponse>()({
  accounts: z.array(account),
  investment_transactions: z.array(investmentTransaction),
  securities: z.array(security),
  total_investment_transactions: decimal.transform(Number),
})

const liability = z.looseObject({ account_id: z.string().nullable() })
const liabilityList = z
  .array(liability)
  .nullish()
  .transform((value) => value ?? [])

export const liabilitiesGet = objectOf<wire.LiabilitiesGetResponse>()({
  accounts: z.array(account),
  liabilities: z.object({ credit: liabilityList, mortgage: liabilityList, student: liabilityList }),
})
export type PlaidLiabilities = z.output<typeof liabilitiesGet>

export const linkTokenCreate = objectOf<wire.LinkTokenCreateResponse>()({
  link_token: z.string().min(1),
  expiration: z.string(),
  hosted_link_url: z.string().optional(),
})

const linkedAccount = z.object({ name: optionalText, mask: optionalText, subtype: optionalText })

const itemAdded = z.object({
  public_token: secret,
  accounts: z
    .array(linkedAccount)
    .nullish()
    .transform((value) => value ?? []),
  institution: z.object({ institution_id: text, name: text }).nullish(),
})

export const linkTokenGet = objectOf<wire.LinkTokenGetResponse>()({
  link_sessions: z
    .array(
      z.object({
        finished_at: optionalTime,
        /** Only where its user left Link without having done anything. */
        exit: z.looseObject({}).nullish(),
        results: z
          .object({ item_add_results: z.array(itemAdded).nullish() })
          .nullish()
          .transform((value) => value?.item_add_results ?? []),
      }),
    )
    .nullish()
    .transform((value) => value ?? []),
})

export const userCreate = objectOf<wire.UserCreateResponse>()({ user_id: z.string().min(1) })

export const userItemsGet = objectOf<wire.UserItemsGetResponse>()({
  items: z.array(z.object({ item_id: z.string().min(1) })),
})

export const accessTokenInvalidate = objectOf<wire.ItemAccessTokenInvalidateResponse>()({ new_access_token: secret })

export const publicTokenExchange = objectOf<wire.ItemPublicTokenExchangeResponse>()({
  access_token: secret,
  item_id: z.string().min(1),
})

export const nothing = z.object({})

export const verificationKey = objectOf<wire.WebhookVerificationKeyGetResponse>()({ key: z.looseObject({}) })
