// Maps Plaid's accounts to rows for the database.
import type { AccountFacts } from '../db/records/accounts-merge.ts'
import type { PlaidAccount } from '../plaid/schemas.ts'

/** Several pages can list an account; the last entry is the newest. */
export function accountFacts(accounts: readonly PlaidAccount[]): AccountFacts[] {
  const newest = new Map(accounts.map((account) => [account.account_id, account]))
  return [...newest.values()].map((account) => ({
    plaidAccountId: account.account_id,
    persistentAccountId: account.persistent_account_id,
    name: account.name,
    officialName: account.official_name,
    mask: account.mask,
    type: account.type,
    hasName: account.has_name,
    hasType: account.has_type,
    subtype: account.subtype,
    current: account.balances.current,
    available: account.balances.available,
    limit: account.balances.limit,
    isoCurrencyCode: account.balances.iso_currency_code,
    unofficialCurrencyCode: account.balances.unofficial_currency_code,
  }))
}
