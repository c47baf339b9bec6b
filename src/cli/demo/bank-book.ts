// The bank's side of the comparison: what a complete API must return.
import type { Truth } from '../lib/bank-client.ts'
import type { Book, Entry } from './book.ts'

/** Plaid returns investment transactions of 24 months at most, so a custom user's older ones are never returned. */
const investmentDays = 729
const dayMs = 86_400_000

interface Currency {
  readonly iso_currency_code: string | null
  readonly unofficial_currency_code: string | null
}
const currencyOf = (row: Currency): string | null => row.iso_currency_code ?? row.unofficial_currency_code

/**
 * `closed` are the accounts that the bank no longer shows. The API keeps their last values and marks them as closed.
 */
export function bankBook(truth: Truth, closed: readonly Entry[], now: Date): Book {
  const oldest = new Date(now.getTime() - investmentDays * dayMs).toISOString().slice(0, 10)
  const securities = new Map(truth.securities.map((security) => [security.security_id, security]))
  return {
    accounts: [...truth.accounts.map(accountEntry), ...closed],
    transactions: truth.transactions.map((row) => ({
      id: row.transaction_id,
      fields: {
        account: row.account_id,
        date: row.date,
        authorized_date: row.authorized_date,
        amount: row.amount,
        currency: currencyOf(row),
        name: row.name,
        merchant: row.merchant_name,
        category: row.personal_finance_category?.detailed ?? null,
        pending: row.pending,
      },
    })),
    holdings: truth.holdings.map((row) => ({
      id: `${row.account_id} ${row.security_id}`,
      fields: {
        quantity: row.quantity,
        institution_price: row.institution_price,
        institution_value: row.institution_value,
        cost_basis: row.cost_basis,
        currency: currencyOf(row),
        security: securities.get(row.security_id)?.name ?? null,
        ticker: securities.get(row.security_id)?.ticker_symbol ?? null,
      },
    })),
    investment_transactions: truth.investment_transactions
      .filter(({ date }) => date >= oldest)
      .map((row) => ({
        id: row.investment_transaction_id,
        fields: {
          account: row.account_id,
          security: row.security_id,
          date: row.date,
          name: row.name,
          quantity: row.quantity,
          amount: row.amount,
          price: row.price,
          fees: row.fees,
          type: row.type,
          subtype: row.subtype,
          currency: currencyOf(row),
        },
      })),
    liabilities: Object.entries(truth.liabilities).flatMap(([kind, rows]) =>
      rows.map(({ account_id, ...fields }) => ({ id: `${kind} ${account_id}`, fields })),
    ),
  }
}

/** An open account. */
export function accountEntry(account: Truth['accounts'][number]): Entry {
  const { account_id: id, balances, ...fields } = account
  const { current, available, limit } = balances
  return {
    id,
    fields: { ...fields, balances: { current, available, limit, currency: currencyOf(balances) }, closed: false },
  }
}
