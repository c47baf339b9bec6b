// The API's side of the comparison. Nothing is normalised: an amount that is not in its canonical form counts as a
// difference.
import type { ApiLists } from '../lib/api-client.ts'
import type { Book } from './book.ts'

/** The lists with Plaid's ids, which both sides have. */
export function apiBook(lists: ApiLists): Book {
  const plaidIds = new Map(lists.accounts.map(({ id, plaid_account_id }) => [id, plaid_account_id]))
  const account = (id: string): string => plaidIds.get(id) ?? `an account that is not listed: ${id}`
  return {
    accounts: lists.accounts.map(({ plaid_account_id, id: _id, item_id: _itemId, ...fields }) => ({
      id: plaid_account_id,
      fields,
    })),
    transactions: lists.transactions.map((row) => ({
      id: row.plaid_transaction_id,
      fields: {
        account: account(row.account_id),
        date: row.date,
        authorized_date: row.authorized_date,
        amount: row.amount,
        currency: row.currency,
        name: row.name,
        merchant: row.merchant.name,
        category: row.category.detailed,
        pending: row.pending,
      },
    })),
    holdings: lists.holdings.map(({ account_id, security, ...fields }) => ({
      id: `${account(account_id)} ${security.plaid_security_id}`,
      fields: { ...fields, security: security.name, ticker: security.ticker_symbol },
    })),
    investment_transactions: lists.investmentTransactions.map(
      ({ plaid_investment_transaction_id: id, account_id, security, ...fields }) => ({
        id,
        fields: { ...fields, account: account(account_id), security: security?.plaid_security_id ?? null },
      }),
    ),
    liabilities: lists.liabilities.map(({ account_id, kind, details }) => ({
      id: `${kind} ${account(account_id)}`,
      fields: details,
    })),
  }
}
