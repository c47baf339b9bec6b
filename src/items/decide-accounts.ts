// What becomes of accounts that Plaid tells under ids that are new here: one of the item's own goes on, another item's
// comes over, or a new one is stored, marked where it may be a second view of one that is here.
import type { AccountDecisions, AccountFacts } from '../db/accounts-merge.ts'
import type { AccountTraits, KnownAccount } from '../db/known-accounts.ts'
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

export interface Question {
  /** The user's accounts, and what they were read as. */
  readonly accounts: readonly KnownAccount[]
  readonly version: string
  /** The item that the accounts are told of, which may be new. */
  readonly itemId: string
  readonly institutionId: string | null
  /** All that the bank has open. */
  readonly listed: readonly AccountFacts[]
  /** Whether every row of the list could be read. Otherwise an account that is not in it may be there all the same. */
  readonly isWhole: boolean
  /** What is named beside the list: closed accounts, as a rule. */
  readonly named: readonly AccountFacts[]
}

type Lists = { -readonly [Name in 'renamed' | 'moved' | 'duplicates']: AccountDecisions[Name][number][] }

const unmatched = (facts: readonly AccountFacts[], matches: Matches): AccountFacts[] =>
  facts.filter((_, place) => !matches.has(place))

/** Decides of every told account whose id the item does not have. Pure. */
export function decideAccounts({
  accounts,
  version,
  itemId,
  institutionId,
  listed,
  isWhole,
  named,
}: Question): AccountDecisions {
  const own = accounts.filter((account) => account.itemId === itemId)
  const others = accounts.filter((account) => account.itemId !== itemId)
  const isNew = ({ plaidAccountId }: AccountFacts): boolean =>
    !own.some((account) => account.plaidAccountId === plaidAccountId)
  const told = new Set(listed.map(({ plaidAccountId }) => plaidAccountId))
  const gone = own.filter(({ plaidAccountId }) => !told.has(plaidAccountId))
  const lists: Lists = { renamed: [], moved: [], duplicates: [] }
  const markDuplicates = (facts: readonly AccountFacts[], matches: Matches): void => {
    for (const [place, { kind, account }] of matches) {
      const plaidAccountId = facts[place]?.plaidAccountId
      if (plaidAccountId !== undefined) lists.duplicates.push({ plaidAccountId, of: account.id, state: kind })
    }
  }

  const fresh = listed.filter(isNew)
  const within = matchWithinLogin(gone, fresh.map(traitsOf))
  for (const [place, { kind, account }] of within) {
    const plaidAccountId = fresh[place]?.plaidAccountId
    if (plaidAccountId === undefined) continue
    if (kind === 'same' && isWhole) lists.renamed.push({ accountId: account.id, plaidAccountId })
    else lists.duplicates.push({ plaidAccountId, of: account.id, state: 'possible' })
  }

  const rest = unmatched(fresh, within)
  const across = matchAcrossLogins(others, rest.map(traitsOf), institutionId)
  for (const [place, { kind, account }] of across) {
    const plaidAccountId = rest[place]?.plaidAccountId
    if (plaidAccountId === undefined) continue
    if (kind === 'same' && (account.isLost || account.isClosed))
      lists.moved.push({ accountId: account.id, plaidAccountId })
    else lists.duplicates.push({ plaidAccountId, of: account.id, state: kind })
  }

  // A closed account's id may be the earlier one of an account that goes on.
  const extra = named.filter((facts) => isNew(facts) && !told.has(facts.plaidAccountId))
  const before = matchEarlierIds(own, extra.map(traitsOf))
  markDuplicates(extra, before)
  // Or one that has gone over to another item.
  const left = unmatched(extra, before)
  markDuplicates(left, matchAcrossLogins(others, left.map(traitsOf), institutionId))
  return { version, ...lists }
}
