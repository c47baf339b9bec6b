// Decides about incoming accounts with new ids: a known account of the item gets the new id, an account of another item
// moves to this one, or a new account is stored and marked if it duplicates, or may duplicate, a known one.
import type { AccountDecisions, AccountFacts } from '../db/records/accounts-merge.ts'
import type { AccountTraits, KnownAccount } from '../db/records/known-accounts.ts'
import { matchAcrossLogins, matchEarlierIds, type Matches, matchWithinLogin } from './match-accounts.ts'

export const traitsOf = (facts: AccountFacts): AccountTraits => ({
  persistentAccountId: facts.persistentAccountId,
  name: facts.name,
  officialName: facts.officialName,
  mask: facts.mask,
  type: facts.type,
  subtype: facts.subtype,
  currency: facts.isoCurrencyCode ?? facts.unofficialCurrencyCode,
})

export interface IncomingAccounts {
  /** The user's known accounts, and their version. */
  readonly accounts: readonly KnownAccount[]
  readonly version: string
  /** The item that reports them; it may be new. */
  readonly itemId: string
  readonly institutionId: string | null
  /** Plaid's list of the item's open accounts. */
  readonly listed: readonly AccountFacts[]
  /** Whether every row of the list could be read. If not, a known account that seems to be missing may be listed. */
  readonly isWhole: boolean
  /** Accounts named elsewhere in the response; those that are not listed are closed as a rule. */
  readonly named: readonly AccountFacts[]
}

type Lists = { -readonly [Name in 'renamed' | 'moved' | 'duplicates']: AccountDecisions[Name][number][] }

const unmatched = (facts: readonly AccountFacts[], matches: Matches): AccountFacts[] =>
  facts.filter((_, place) => !matches.has(place))

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
  const isNew = ({ plaidAccountId }: AccountFacts): boolean =>
    !own.some((account) => account.plaidAccountId === plaidAccountId)
  const listedIds = new Set(listed.map(({ plaidAccountId }) => plaidAccountId))
  const missing = own.filter(({ plaidAccountId }) => !listedIds.has(plaidAccountId))
  const lists: Lists = { renamed: [], moved: [], duplicates: [] }
  const markDuplicates = (facts: readonly AccountFacts[], matches: Matches): void => {
    for (const [place, { kind, account }] of matches) {
      const plaidAccountId = facts[place]?.plaidAccountId
      if (plaidAccountId !== undefined) lists.duplicates.push({ plaidAccountId, of: account.id, state: kind })
    }
  }

  const fresh = listed.filter(isNew)
  const sameLogin = matchWithinLogin(missing, fresh.map(traitsOf))
  for (const [place, { kind, account }] of sameLogin) {
    const plaidAccountId = fresh[place]?.plaidAccountId
    if (plaidAccountId === undefined) continue
    if (kind === 'same' && isWhole) lists.renamed.push({ accountId: account.id, plaidAccountId })
    else lists.duplicates.push({ plaidAccountId, of: account.id, state: 'possible' })
  }

  const rest = unmatched(fresh, sameLogin)
  const otherLogins = matchAcrossLogins(others, rest.map(traitsOf), institutionId)
  for (const [place, { kind, account }] of otherLogins) {
    const plaidAccountId = rest[place]?.plaidAccountId
    if (plaidAccountId === undefined) continue
    if (kind === 'same' && (account.isLost || account.isClosed))
      lists.moved.push({ accountId: account.id, plaidAccountId })
    else lists.duplicates.push({ plaidAccountId, of: account.id, state: kind })
  }

  // An id that is not listed may be an earlier id of a listed account, or belong to an account that moved to another
  // item.
  const extra = named.filter((facts) => isNew(facts) && !listedIds.has(facts.plaidAccountId))
  const before = matchEarlierIds(own, extra.map(traitsOf))
  markDuplicates(extra, before)
  const left = unmatched(extra, before)
  markDuplicates(left, matchAcrossLogins(others, left.map(traitsOf), institutionId))
  return { version, ...lists }
}
