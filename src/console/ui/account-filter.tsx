// Chooses one account of a list. The choice is in the address.
import type { Account } from '@wealthnavigator/client'
import { accountIdIn } from '../format/ids.ts'
import { useSearch } from '../router/location.ts'

interface AccountFilterProps {
  readonly accounts: readonly Account[]
  /** The types of account that the list can have; all without it. */
  readonly types?: readonly string[]
}

export const nameWithMask = ({ name, mask }: Account): string => (mask === null ? name : `${name} ··${mask}`)

interface AccountFieldProps {
  readonly offered: readonly Account[]
  /** Empty for all. */
  readonly chosen: string
  readonly change: (changes: { readonly account_id: string }) => void
}

export const AccountField = ({ offered, chosen, change }: AccountFieldProps) => (
  <label className="field">
    <span>Account</span>
    <select value={chosen} onChange={(event) => change({ account_id: event.currentTarget.value })}>
      <option value="">All accounts</option>
      {chosen === '' || offered.some(({ id }) => id === chosen) ? null : (
        <option value={chosen}>Another account</option>
      )}
      {offered.map((account) => (
        <option key={account.id} value={account.id}>
          {nameWithMask(account)}
        </option>
      ))}
    </select>
  </label>
)

export function AccountFilter({ accounts, types }: AccountFilterProps) {
  const [params, change] = useSearch()
  const chosen = accountIdIn(params) ?? ''
  const offered = accounts.filter(({ id, type }) => id === chosen || types === undefined || types.includes(type))
  if (offered.length < 2 && chosen === '') return null
  return (
    <search className="filters">
      <AccountField offered={offered} chosen={chosen} change={change} />
    </search>
  )
}
