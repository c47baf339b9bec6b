// Decides about incoming accounts with new ids: a known account of the item gets the new id, an account of another item
// moves to this one, or a new account is stored and marked if it duplicates, or may duplicate, a known one.
import type { AccountDecisions, PlaidAccountRow } from '../db/records/accounts-merge.ts'
import type { AccountTraits, KnownAccount } from '../db/records/known-accounts.ts'
import { matchAcrossLogins, matchEarlierIds, type Matches, matchWithinLogin } from './match-accounts.ts'

export const traitsOf = (row: PlaidAccountRow): AccountTraits => ({
  persistentAccountId: row.persistent_account_id,
  name: row.name,
  officialName: row.official_name,
  mask: row.mask,
  type: row.type,
  subtype: row.subtype,
  currency: row.iso_currency_code ?? row.unofficial_currency_code,
})

export interface IncomingAccounts {
  /** The user's known accounts, and their version. */
  readonly accounts: readonly KnownAccount[]
  readonly version: string
  /** The item that reports them; it may be new. */
  readonly itemId: string
  readonly institutionId: string | null
  /** Plaid's list of the item's open accounts. */
  readonly listed: readonly PlaidAccountRow[]
  /** Whether every row of the list could be read. If not, a known account that seems to be missing may be listed. */
  readonly isWhole: boolean
  /** Accounts named elsewhere in the response; those that are not listed are closed as a rule. */
  readonly named: readonly PlaidAccountRow[]
}

type Lists = { -readonly [Name in 'renamed' | 'moved' | 'duplicates']: AccountDecisions[Name][number][] }

const unmatched = (rows: readonly PlaidAccountRow[], matches: Matches): PlaidAccountRow[] =>
  rows.filter((_, place) => !matches.has(place))

/** Pure. */
export function decideAccounts({
  accounts,
  version,
  itemId,
  institutionId,
  listed,
  isWhole,
  named,
}: IncomingAccounts): AccountDecisions {
  const own = accounts.filter((account) => account.itemId === itemId)
  const others = accounts.filter((account) => account.itemId !== itemId)
  const isNew = ({ plaid_account_id: plaidAccountId }: PlaidAccountRow): boolean =>
    !own.some((account) => account.plaidAccountId === plaidAccountId)
  const listedIds = new Set(listed.map((row) => row.plaid_account_id))
  const missing = own.filter(({ plaidAccountId }) => !listedIds.has(plaidAccountId))
  const lists: Lists = { renamed: [], moved: [], duplicates: [] }
  const markDuplicates = (rows: readonly PlaidAccountRow[], matches: Matches): void => {
    for (const [place, { kind, account }] of matches) {
      const plaidAccountId = rows[place]?.plaid_account_id
      if (plaidAccountId !== undefined) lists.duplicates.push({ plaidAccountId, of: account.id, state: kind })
    }
  }

  const fresh = listed.filter(isNew)
  const sameLogin = matchWithinLogin(missing, fresh.map(traitsOf))
  for (const [place, { kind, account }] of sameLogin) {
    const plaidAccountId = fresh[place]?.plaid_account_id
    if (plaidAccountId === undefined) continue
    if (kind === 'same' && isWhole) lists.renamed.push({ accountId: account.id, plaidAccountId })
    else lists.duplicates.push({ plaidAccountId, of: account.id, state: 'possible' })
  }

  const rest = unmatched(fresh, sameLogin)
  const otherLogins = matchAcrossLogins(others, rest.map(traitsOf), institutionId)
  for (const [place, { kind, account }] of otherLogins) {
    const plaidAccountId = rest[place]?.plaid_account_id
    if (plaidAccountId === undefined) continue
    if (kind === 'same' && (account.isLost || account.isClosed))
      lists.moved.push({ accountId: account.id, plaidAccountId })
    else lists.duplicates.push({ plaidAccountId, of: account.id, state: kind })
  }

  // An id that is not listed may be an earlier id of a listed account, or belong to an account that moved to another
  // item.
  const extra = named.filter((row) => isNew(row) && !listedIds.has(row.plaid_account_id))
  const before = matchEarlierIds(own, extra.map(traitsOf))
  markDuplicates(extra, before)
  const left = unmatched(extra, before)
  markDuplicates(left, matchAcrossLogins(others, left.map(traitsOf), institutionId))
  return { version, ...lists }
}
