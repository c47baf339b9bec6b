// Chooses one account of a list. The choice is in the address.
import type { Account } from '@wealthnavigator/client'
import { useSearch } from '../router/location.ts'

interface AccountFilterProps {
  readonly accounts: readonly Account[]
  /** The types of account that the list can have; all without it. */
  readonly types?: readonly string[]
}

export const nameWithMask = ({ name, mask }: Account): string => (mask === null ? name : `${name} ··${mask}`)

export function AccountFilter({ accounts, types }: AccountFilterProps) {
  const [params, change] = useSearch()
  const chosen = params.get('account_id') ?? ''
  const offered = accounts.filter(({ id, type }) => id === chosen || types === undefined || types.includes(type))
  const isUnknown = chosen !== '' && !offered.some(({ id }) => id === chosen)
  if (offered.length < 2 && chosen === '') return null
  return (
    <search className="filters">
      <label className="field">
        <span>Account</span>
        <select value={chosen} onChange={(event) => change({ account_id: event.currentTarget.value })}>
          <option value="">All accounts</option>
          {isUnknown ? <option value={chosen}>Another account</option> : null}
          {offered.map((account) => (
            <option key={account.id} value={account.id}>
              {nameWithMask(account)}
            </option>
          ))}
        </select>
      </label>
    </search>
  )
}
