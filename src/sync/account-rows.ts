// Maps Plaid's accounts to rows for the database.
import type { PlaidAccountRow } from '../db/records/accounts-merge.ts'
import type { PlaidAccount } from '../plaid/schemas.ts'

/** Several pages can list an account; the last entry is the newest. */
export function accountRows(accounts: readonly PlaidAccount[]): PlaidAccountRow[] {
  const newest = new Map(accounts.map((account) => [account.account_id, account]))
  return [...newest.values()].map(
    ({ account_id: id, balances: { current, available, limit, ...currency }, ...account }) => ({
      ...account,
      plaid_account_id: id,
      current_balance: current,
      available_balance: available,
      credit_limit: limit,
      ...currency,
    }),
  )
}
