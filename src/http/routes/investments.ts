// Holdings and investment transactions.
import * as z from 'zod'
import {
  type Holding,
  type InvestmentTransaction,
  listHoldings,
  listInvestmentTransactions,
  type Security,
} from '../../db/records/investments.ts'
import { day, dayRange, decimal, hiddenQuery, id, inOrder } from '../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../pagination.ts'
import { route } from '../route.ts'

const securitySchema = z
  .object({
    id,
    plaid_security_id: z.string(),
    name: z.string().nullable(),
    ticker_symbol: z.string().nullable(),
    type: z.string().nullable(),
    is_cash_equivalent: z.boolean().nullable(),
    close_price: decimal.nullable(),
    close_price_as_of: day.nullable(),
  })
  .meta({ id: 'Security' })

function securityView(security: Security): z.input<typeof securitySchema> {
  return {
    id: security.id,
    plaid_security_id: security.plaidSecurityId,
    name: security.name,
    ticker_symbol: security.tickerSymbol,
    type: security.type,
    is_cash_equivalent: security.isCashEquivalent,
    close_price: security.closePrice,
    close_price_as_of: security.closePriceAsOf,
  }
}

export const holdingSchema = z
  .object({
    id,
    account_id: id,
    security: securitySchema,
    quantity: decimal,
    institution_price: decimal.nullable().describe('The price of a unit; null if the institution does not report it.'),
    institution_price_as_of: day.nullable(),
    institution_value: decimal,
    cost_basis: decimal.nullable(),
    currency: z.string().nullable(),
  })
  .meta({ id: 'Holding' })

export function holdingView(holding: Holding): z.input<typeof holdingSchema> {
  return {
    id: holding.id,
    account_id: holding.accountId,
    security: securityView(holding.security),
    quantity: holding.quantity,
    institution_price: holding.institutionPrice,
    institution_price_as_of: holding.institutionPriceAsOf,
    institution_value: holding.institutionValue,
    cost_basis: holding.costBasis,
    currency: holding.currency,
  }
}

export const investmentTransactionSchema = z
  .object({
    id,
    plaid_investment_transaction_id: z.string(),
    account_id: id,
    security: securitySchema.nullable(),
    date: day,
    name: z.string(),
    quantity: decimal,
    amount: decimal.describe('Positive amounts are money out.'),
    price: decimal.nullable().describe('The price of a unit; null if the institution does not report it.'),
    fees: decimal.nullable(),
    type: z.string(),
    subtype: z.string(),
    currency: z.string().nullable(),
  })
  .meta({ id: 'InvestmentTransaction' })

export function investmentTransactionView(row: InvestmentTransaction): z.input<typeof investmentTransactionSchema> {
  const { date, name, quantity, amount, price, fees, type, subtype, currency } = row
  return {
    id: row.id,
    plaid_investment_transaction_id: row.plaidInvestmentTransactionId,
    account_id: row.accountId,
    security: row.security === null ? null : securityView(row.security),
    date,
    name,
    quantity,
    amount,
    price,
    fees,
    type,
    subtype,
    currency,
  }
}

const tags = ['investments']
const byAccount = keyCursor('holdings', 'id')
const byDate = keyCursor('investment_transactions', 'day')

export const listHoldingsRoute = route({
  id: 'listHoldings',
  method: 'GET',
  path: '/api/v1/holdings',
  summary: 'List holdings',
  tags,
  access: 'user',
  query: z.strictObject({ ...pageQuery, ...hiddenQuery, account_id: id.optional() }),
  entityTag: 'counter',
  answers: { 200: listResponse(holdingSchema, 'HoldingList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const from = byAccount.read(query.cursor)
  const { account_id: accountId = null, include_hidden: withHidden, limit } = query
  const page = await listHoldings(services.api, actor.identity, accountId, limit, from, withHidden)
  return { status: 200, body: pageBody(page, byAccount, holdingView) }
})

export const listInvestmentTransactionsRoute = route({
  id: 'listInvestmentTransactions',
  method: 'GET',
  path: '/api/v1/investments/transactions',
  summary: 'List investment transactions',
  tags,
  access: 'user',
  query: z.strictObject({ ...pageQuery, ...hiddenQuery, ...dayRange, account_id: id.optional() }).check(inOrder()),
  entityTag: 'counter',
  answers: { 200: listResponse(investmentTransactionSchema, 'InvestmentTransactionList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const { limit, cursor, account_id: accountId, from, to, include_hidden: withHidden } = query
  const after = byDate.read(cursor)
  const filters = { accountId, from, to, withHidden }
  const page = await listInvestmentTransactions(services.api, actor.identity, filters, limit, after)
  return { status: 200, body: pageBody(page, byDate, investmentTransactionView) }
})
