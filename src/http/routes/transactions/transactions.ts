// Transactions: filters, and edits of the user.
import * as z from 'zod'
import {
  editTransaction,
  getTransaction,
  listTransactions,
  type Transaction,
} from '../../../db/records/transactions.ts'
import { AppError } from '../../../errors.ts'
import { announceOwn } from '../../../live/announce.ts'
import { day, dayRange, decimal, decimalInput, flag, hiddenQuery, id, line, lines, inOrder } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'

export const transactionSchema = z
  .object({
    id,
    plaid_transaction_id: z.string(),
    account_id: id,
    date: day,
    authorized_date: day.nullable(),
    amount: decimal.describe('Positive amounts are money out.'),
    currency: z.string().nullable(),
    name: z.string(),
    merchant: z.object({
      name: z.string().nullable(),
      logo_url: z.string().nullable(),
      website: z.string().nullable(),
    }),
    category: z.object({
      primary: z.string().nullable(),
      detailed: z.string().nullable(),
      confidence: z.string().nullable(),
      version: z.string().nullable().describe('The version of Plaid’s taxonomy: `v1` or `v2`.'),
    }),
    pending: z.boolean(),
    payment_channel: z.string().nullable(),
    note: z.string().nullable(),
    user_category: z.string().nullable(),
    hidden: z.boolean(),
    category_rule_id: id
      .nullable()
      .describe('The rule that gave `user_category`; null if the user did, or if there is none.'),
    hidden_rule_id: id
      .nullable()
      .describe('The rule that hid the transaction; null if the user did, or if it is shown.'),
  })
  .meta({ id: 'Transaction' })

export function transactionView(transaction: Transaction): z.input<typeof transactionSchema> {
  const { merchantName, merchantLogoUrl, merchantWebsite } = transaction
  const { categoryPrimary, categoryDetailed, categoryConfidence, categoryVersion } = transaction
  return {
    id: transaction.id,
    plaid_transaction_id: transaction.plaidTransactionId,
    account_id: transaction.accountId,
    date: transaction.date,
    authorized_date: transaction.authorizedDate,
    amount: transaction.amount,
    currency: transaction.currency,
    name: transaction.name,
    merchant: { name: merchantName, logo_url: merchantLogoUrl, website: merchantWebsite },
    category: {
      primary: categoryPrimary,
      detailed: categoryDetailed,
      confidence: categoryConfidence,
      version: categoryVersion,
    },
    pending: transaction.pending,
    payment_channel: transaction.paymentChannel,
    note: transaction.note,
    user_category: transaction.userCategory,
    hidden: transaction.hidden,
    category_rule_id: transaction.categoryRuleId,
    hidden_rule_id: transaction.hiddenRuleId,
  }
}

const filters = z
  .strictObject({
    ...pageQuery,
    ...hiddenQuery,
    ...dayRange,
    account_id: id.optional(),
    q: line(200)
      .optional()
      .describe('Only transactions with this text in the name, the merchant or the note. Letter case does not matter.'),
    category: line(100)
      .optional()
      .describe('Only transactions of this category: Plaid’s primary or detailed one, or the category of the user.'),
    min_amount: decimalInput.optional(),
    max_amount: decimalInput.optional(),
    pending: flag.optional(),
  })
  .check(inOrder())

const tags = ['transactions']
const params = z.object({ id })
const noSuchTransaction = (): AppError => new AppError('not_found', 'There is no such transaction.')
const byDate = keyCursor('transactions', 'day')

export const listTransactionsRoute = route({
  id: 'listTransactions',
  method: 'GET',
  path: '/api/v1/transactions',
  summary: 'List transactions',
  tags,
  access: 'user',
  query: filters,
  entityTag: 'counter',
  answers: { 200: listResponse(transactionSchema, 'TransactionList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const { limit, cursor, account_id: accountId, min_amount: minAmount, max_amount: maxAmount, ...others } = query
  const { include_hidden: withHidden, ...same } = others
  const from = byDate.read(cursor)
  const wanted = { ...same, accountId, minAmount, maxAmount, withHidden }
  const page = await listTransactions(services.api, actor.identity, wanted, limit, from)
  return { status: 200, body: pageBody(page, byDate, transactionView) }
})

export const getTransactionRoute = route({
  id: 'getTransaction',
  method: 'GET',
  path: '/api/v1/transactions/{id}',
  summary: 'Get a transaction',
  tags,
  access: 'user',
  params,
  answers: { 200: transactionSchema },
  errors: ['not_found'],
}).handle(async ({ services, actor }, input) => {
  const transaction = await getTransaction(services.api, actor.identity, input.params.id)
  if (transaction === null) throw noSuchTransaction()
  return { status: 200, body: transactionView(transaction) }
})

const edits = z
  .strictObject({
    note: lines(2000).nullable().optional(),
    user_category: line(100).nullable().optional(),
    hidden: z.boolean().optional(),
  })
  .refine((given) => Object.keys(given).length > 0, { error: 'Must have at least one field.' })
  .meta({ id: 'TransactionEdits', description: 'An absent field stays as it is; null clears it.', minProperties: 1 })

export const editTransactionRoute = route({
  id: 'editTransaction',
  audit: { none: 'The user edits their own notes and categories; the change feed shows it.' },
  method: 'PATCH',
  path: '/api/v1/transactions/{id}',
  summary: 'Edit a transaction',
  tags,
  access: 'user',
  params,
  body: edits,
  answers: { 200: transactionSchema },
  errors: ['not_found'],
}).handle(async (ctx, { params: { id: transactionId }, body }) => {
  const { services, actor } = ctx
  const { note, user_category: userCategory, hidden } = body
  const wanted = { note, userCategory, hidden }
  const transaction = await editTransaction(services.api, actor.identity, transactionId, wanted)
  if (transaction === null) throw noSuchTransaction()
  await announceOwn(ctx, [])
  return { status: 200, body: transactionView(transaction) }
})
