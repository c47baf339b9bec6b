// /transactions/get and /transactions/refresh: a window of the history, and an immediate read of the bank.
import * as z from 'zod'
import { categoryVersionFor, inVersion } from '../items/categories.ts'
import { initialiseTransactions, pullLogin } from '../items/history.ts'
import { refreshDynamically } from '../items/mutation.ts'
import { whole } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'
import { chosenAccounts, itemView, transactionView } from '../state/item.ts'
import { accessToken, day, endpoint, readableItem, useProduct } from './endpoint.ts'

const getOptions = z
  .strictObject({
    account_ids: z.array(z.string()).optional(),
    count: whole(1, 500).optional(),
    offset: whole(0, Number.MAX_SAFE_INTEGER).optional(),
    include_original_description: z.boolean().nullish(),
    include_personal_finance_category: z.boolean().nullish(),
    include_personal_finance_category_beta: z.boolean().nullish(),
    include_logo_and_counterparty_beta: z.boolean().nullish(),
    personal_finance_category_version: z.enum(['v1', 'v2']).optional(),
    days_requested: whole(1, 730).optional(),
  })
  .optional()

const get = endpoint(
  '/transactions/get',
  { access_token: accessToken, start_date: day, end_date: day, options: getOptions },
  (world, body) => {
    if (body.start_date > body.end_date) throw failure('INVALID_FIELD', 'start_date is after end_date')
    const item = readableItem(world, body.access_token)
    useProduct(item, 'transactions')
    const state = initialiseTransactions(world, item, body.options?.days_requested ?? item.daysRequested)
    if (state.step === 'NOT_READY') throw failure('PRODUCT_NOT_READY')
    const accounts = chosenAccounts(item, body.options?.account_ids)
    const wanted = new Set(accounts.map(({ account_id }) => account_id))
    const matching = state.changeLog
      .all()
      .filter(({ date, account_id }) => date >= body.start_date && date <= body.end_date && wanted.has(account_id))
      .toSorted((left, right) => (left.date < right.date ? 1 : left.date > right.date ? -1 : 0))
    const offset = body.options?.offset ?? 0
    const version = categoryVersionFor(world, body.options?.personal_finance_category_version)
    return {
      accounts,
      transactions: matching
        .slice(offset, offset + (body.options?.count ?? 100))
        .map((row) => transactionView(row, body.options?.include_original_description ?? false))
        .map((row) => inVersion(row, version)),
      total_transactions: matching.length,
      item: itemView(item),
    }
  },
)

const refresh = endpoint('/transactions/refresh', { access_token: accessToken }, (world, body) => {
  const item = readableItem(world, body.access_token)
  if (!item.institution.products.includes('transactions')) throw failure('PRODUCTS_NOT_SUPPORTED')
  if (item.transactions === null) throw failure('PRODUCT_NOT_ENABLED')
  if (item.username === 'user_transactions_dynamic') refreshDynamically(world, item.login)
  pullLogin(world, item.login)
  return {}
})

export const transactionEndpoints = [get, refresh]
