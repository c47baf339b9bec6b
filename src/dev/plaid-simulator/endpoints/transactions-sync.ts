// /transactions/sync: the changes since a cursor.
import * as z from 'zod'
import type { Account } from '../bank/model.ts'
import { categoryVersionFor, inVersion } from '../items/categories.ts'
import { initialiseTransactions } from '../items/history.ts'
import { type SyncPage, syncPage } from '../items/sync-page.ts'
import { whole } from '../lib/exact-json.ts'
import { chosenAccounts, type Item, transactionView } from '../state/item.ts'
import { accessToken, endpoint, readableItem, useProduct } from './endpoint.ts'

const options = z
  .strictObject({
    include_original_description: z.boolean().nullish(),
    include_personal_finance_category: z.boolean().nullish(),
    include_logo_and_counterparty_beta: z.boolean().nullish(),
    personal_finance_category_version: z.enum(['v1', 'v2']).optional(),
    days_requested: whole(1, 730).optional(),
    account_id: z.string().optional(),
  })
  .optional()

const fields = {
  access_token: accessToken,
  cursor: z.string().max(256).nullish(),
  count: whole(1, 500).optional(),
  options,
}

export const transactionsSync = endpoint('/transactions/sync', fields, (world, body) => {
  const item = readableItem(world, body.access_token)
  useProduct(item, 'transactions')
  const state = initialiseTransactions(world, item, body.options?.days_requested ?? item.daysRequested)
  state.hasUsedSync = true
  const accountId = body.options?.account_id ?? null
  if (accountId !== null) chosenAccounts(item, [accountId])
  const cursor = body.cursor ?? ''
  const page: SyncPage =
    state.step === 'NOT_READY' && cursor === ''
      ? { added: [], modified: [], removed: [], next_cursor: '', has_more: false }
      : syncPage({ changeLog: state.changeLog, itemId: item.itemId, cursor, count: body.count ?? 100, accountId })
  const version = categoryVersionFor(world, body.options?.personal_finance_category_version)
  const view = (transaction: SyncPage['added'][number]) =>
    inVersion(transactionView(transaction, body.options?.include_original_description ?? false), version)
  return {
    accounts: accountsIn(item, page),
    added: page.added.map(view),
    modified: page.modified.map(view),
    removed: page.removed,
    next_cursor: page.next_cursor,
    has_more: page.has_more,
    transactions_update_status: state.step,
  }
})

/** The accounts of the response's transactions, closed ones included. A missing account means nothing. */
function accountsIn({ bank }: Item, { added, modified }: SyncPage): Account[] {
  const named = new Set([...added, ...modified].map(({ account_id }) => account_id))
  return bank.accounts().filter(({ account_id }) => named.has(account_id))
}
