// /investments/*: the current holdings, and a window of investment transactions.
import * as z from 'zod'
import type { Account } from '../bank/model.ts'
import { extractInvestments, readInvestments } from '../items/investments.ts'
import { whole } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'
import { chosenAccounts, type Item, itemView } from '../state/item.ts'
import { holdingsUpdate, investmentTransactionsUpdate } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { accessToken, accountOptions, day, endpoint, readableItem, useProduct } from './endpoint.ts'

const holdings = endpoint(
  '/investments/holdings/get',
  { access_token: accessToken, options: accountOptions },
  (world, body) => {
    const item = readableItem(world, body.access_token)
    useProduct(item, 'investments')
    const accounts = investmentAccounts(item, body.options?.account_ids)
    if (item.investments === null) readInvestments(world, item)
    const wanted = new Set(accounts.map(({ account_id }) => account_id))
    const held = item.bank.holdings().filter(({ account_id }) => wanted.has(account_id))
    return {
      accounts: accounts.map(accountView),
      holdings: held,
      securities: securitiesOf(item, held),
      item: itemView(item),
      is_investments_fallback_item: false,
    }
  },
)

const transactionOptions = z
  .strictObject({
    account_ids: z.array(z.string()).optional(),
    count: whole(1, 500).optional(),
    offset: whole(0, Number.MAX_SAFE_INTEGER).optional(),
    async_update: z.boolean().optional(),
  })
  .optional()

const transactions = endpoint(
  '/investments/transactions/get',
  { access_token: accessToken, start_date: day, end_date: day, options: transactionOptions },
  (world, body) => {
    if (body.start_date > body.end_date) throw failure('INVALID_FIELD', 'start_date is after end_date')
    const item = readableItem(world, body.access_token)
    const initialised = item.products.includes('investments')
    useProduct(item, 'investments')
    const accounts = investmentAccounts(item, body.options?.account_ids)
    if (item.investments === null && body.options?.async_update === true && !initialised)
      extractInvestments(world, item)
    if (item.investments?.step === 'extracting') throw failure('PRODUCT_NOT_READY')
    if (item.investments === null) readInvestments(world, item)
    const wanted = new Set(accounts.map(({ account_id }) => account_id))
    const matching = item.bank
      .investmentTransactions()
      .filter(({ date, account_id }) => date >= body.start_date && date <= body.end_date && wanted.has(account_id))
      .toReversed()
      .toSorted((left, right) => (left.date < right.date ? 1 : left.date > right.date ? -1 : 0))
    const offset = body.options?.offset ?? 0
    const page = matching.slice(offset, offset + (body.options?.count ?? 100))
    return {
      item: itemView(item),
      accounts: accounts.map(accountView),
      securities: securitiesOf(item, page),
      investment_transactions: page,
      total_investment_transactions: matching.length,
      is_investments_fallback_item: false,
    }
  },
)

const refresh = endpoint('/investments/refresh', { access_token: accessToken }, (world, body) => {
  const item = readableItem(world, body.access_token)
  if (!item.products.includes('investments')) throw failure('PRODUCT_NOT_ENABLED')
  investmentAccounts(item, undefined)
  if (item.investments?.step === 'extracting') throw failure('PRODUCT_NOT_READY')
  readInvestments(world, item)
  sendWebhooks(world, item, [
    holdingsUpdate(item, 0, item.bank.holdings().length),
    investmentTransactionsUpdate(item, 'DEFAULT_UPDATE', 0),
  ])
  return {}
})

function investmentAccounts(item: Item, accountIds: readonly string[] | undefined): Account[] {
  const investing = chosenAccounts(item, accountIds).filter(({ type }) => type === 'investment')
  if (investing.length === 0) throw failure('NO_INVESTMENT_ACCOUNTS')
  return investing
}

function accountView(account: Account) {
  return { ...account, balances: { ...account.balances, margin_loan_amount: null } }
}

/** The securities that the rows refer to, each once. */
function securitiesOf({ bank }: Item, rows: readonly { security_id: string | null }[]) {
  const named = new Set(rows.map(({ security_id }) => security_id))
  return bank.securities().filter(({ security_id }) => named.has(security_id))
}

export const investmentEndpoints = [holdings, transactions, refresh]
