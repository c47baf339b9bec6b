// Finds out whether an account that Plaid reports under a new id is one of the user's known accounts. Used for new
// links, in update mode and in every sync. Pure. Where nothing distinguishes two candidates, it reports no certain
// match.
import type { AccountTraits, KnownAccount } from '../db/records/known-accounts.ts'

/** How an incoming account relates to a known one. */
export type Match =
  /** They are the same account: the known row keeps its id and gets the new Plaid id. */
  | { readonly kind: 'same'; readonly account: KnownAccount }
  /** They may be the same account: only one of them counts in sums until the user decides. */
  | { readonly kind: 'possible'; readonly account: KnownAccount }

/** By index in the list of incoming accounts. */
export type Matches = ReadonlyMap<number, Match>

/** Text for comparison; null if it is empty. */
const normalized = (value: string | null): string | null => {
  const text = (value ?? '').normalize('NFC').trim().toLowerCase()
  return text === '' ? null : text
}

type Trait = keyof AccountTraits
const agree = (trait: Trait, one: AccountTraits, other: AccountTraits): boolean =>
  normalized(one[trait]) !== null && normalized(one[trait]) === normalized(other[trait])
const differ = (trait: Trait, one: AccountTraits, other: AccountTraits): boolean =>
  normalized(one[trait]) !== null && normalized(other[trait]) !== null && !agree(trait, one, other)
/** Accounts that differ in one of these are different accounts, unless their persistent ids are equal. */
const isCompatible = (one: AccountTraits, other: AccountTraits): boolean =>
  !(['type', 'subtype', 'currency', 'persistentAccountId'] as const).some((trait) => differ(trait, one, other))

type Criterion = (known: KnownAccount, incoming: AccountTraits) => boolean

const isOpen =
  (criterion: Criterion): Criterion =>
  (known, incoming) =>
    !known.isClosed && criterion(known, incoming)
const byPersistentId: Criterion = (known, incoming) => agree('persistentAccountId', known, incoming)
const byNameAndMask: Criterion = (known, incoming) =>
  isCompatible(known, incoming) && agree('name', known, incoming) && agree('mask', known, incoming)
const byMask: Criterion = (known, incoming) => isCompatible(known, incoming) && agree('mask', known, incoming)
const byName: Criterion = (known, incoming) =>
  isCompatible(known, incoming) && agree('name', known, incoming) && !differ('mask', known, incoming)
const byOfficialName: Criterion = (known, incoming) =>
  isCompatible(known, incoming) && agree('officialName', known, incoming) && !differ('mask', known, incoming)
const byType: Criterion = (known, incoming) => isCompatible(known, incoming) && agree('type', known, incoming)

/**
 * Applies a criterion first to accounts that also agree in everything else, which distinguishes accounts with equal
 * names and masks.
 */
const strictestFirst = (criterion: Criterion): Criterion[] => [
  (known, incoming) =>
    criterion(known, incoming) &&
    !known.isClosed &&
    agree('subtype', known, incoming) &&
    agree('officialName', known, incoming),
  (known, incoming) =>
    criterion(known, incoming) && agree('subtype', known, incoming) && agree('currency', known, incoming),
  isOpen(criterion),
  criterion,
]

interface Matching {
  readonly incoming: readonly AccountTraits[]
  /** Known accounts without a match yet. */
  readonly candidates: Set<KnownAccount>
  /** Indexes of incoming accounts without a match yet. */
  readonly unmatched: Set<number>
  readonly matches: Map<number, Match>
}

const startMatching = (candidates: readonly KnownAccount[], incoming: readonly AccountTraits[]): Matching => ({
  incoming,
  candidates: new Set(candidates),
  unmatched: new Set(incoming.keys()),
  matches: new Map(),
})

function addMatch({ candidates, unmatched, matches }: Matching, index: number, match: Match): void {
  matches.set(index, match)
  candidates.delete(match.account)
  unmatched.delete(index)
}

/** Adds pairs in which each account is the only choice of the other, criterion by criterion. */
function matchUnique(matching: Matching, criteria: readonly Criterion[]): void {
  const { incoming, candidates, unmatched } = matching
  for (const meets of criteria) {
    const choices = [...unmatched].flatMap((index) => {
      const traits = incoming[index]
      return traits === undefined ? [] : [{ index, accounts: [...candidates].filter((known) => meets(known, traits)) }]
    })
    const demand = Map.groupBy(
      choices.flatMap(({ accounts }) => accounts),
      (account) => account,
    )
    for (const { index, accounts } of choices) {
      const [account, ...others] = accounts
      if (account === undefined || others.length > 0 || demand.get(account)?.length !== 1) continue
      addMatch(matching, index, { kind: 'same', account })
    }
  }
}

/** Adds possible matches in list order. Each account is in one of them at most. */
function matchPossible(matching: Matching, criteria: readonly Criterion[]): void {
  const { incoming, candidates, unmatched } = matching
  for (const meets of criteria)
    for (const index of unmatched) {
      const traits = incoming[index]
      const account = traits && [...candidates].find((known) => meets(known, traits))
      if (account !== undefined) addMatch(matching, index, { kind: 'possible', account })
    }
}

function matchSameLogin(
  candidates: readonly KnownAccount[],
  incoming: readonly AccountTraits[],
  possible: readonly Criterion[],
): Matches {
  const matching = startMatching(candidates, incoming)
  matchUnique(matching, [byPersistentId, ...[byNameAndMask, isOpen(byMask), isOpen(byName)].flatMap(strictestFirst)])
  matchPossible(matching, possible)
  return matching.matches
}

/**
 * Within one login. `missing` are its accounts whose ids Plaid no longer lists, `incoming` those whose ids are new. The
 * table of criteria is in docs/items.md ("One account, one row").
 */
export function matchWithinLogin(missing: readonly KnownAccount[], incoming: readonly AccountTraits[]): Matches {
  return matchSameLogin(missing, incoming, [byNameAndMask, byMask, byName, isOpen(byOfficialName), isOpen(byType)])
}

/**
 * Within one login, for ids that are not in Plaid's list of open accounts: they belong to closed accounts, or are
 * earlier ids of listed ones. `own` are all accounts of the login. An equal type is no evidence here.
 */
export function matchEarlierIds(own: readonly KnownAccount[], incoming: readonly AccountTraits[]): Matches {
  return matchSameLogin(own, incoming, [byNameAndMask, byMask, byName])
}

const atInstitution =
  (id: string | null) =>
  (criterion: Criterion): Criterion =>
  (known, incoming) =>
    id !== null && known.institutionId === id && criterion(known, incoming)
/** The same, also if the institution of one of them is unknown. */
const maybeAtInstitution =
  (id: string | null) =>
  (criterion: Criterion): Criterion =>
  (known, incoming) =>
    (id === null || known.institutionId === null || known.institutionId === id) && criterion(known, incoming)
const ofLostItem =
  (criterion: Criterion): Criterion =>
  (known, incoming) =>
    known.isLost && !known.isClosed && criterion(known, incoming)

/** Between logins. `others` are the accounts of the user's other items. */
export function matchAcrossLogins(
  others: readonly KnownAccount[],
  incoming: readonly AccountTraits[],
  institutionId: string | null,
): Matches {
  const here = atInstitution(institutionId)
  const maybeHere = maybeAtInstitution(institutionId)
  const certain = [byPersistentId, ...strictestFirst(here(byNameAndMask))]
  const originals = startMatching(
    others.filter((known) => !known.isDuplicate),
    incoming,
  )
  matchUnique(originals, certain)
  // A duplicate is a candidate only for a certain match.
  matchUnique({ ...originals, candidates: new Set(others.filter((known) => known.isDuplicate)) }, certain)
  matchPossible(originals, [
    byNameAndMask,
    maybeHere(byMask),
    byName,
    ofLostItem(maybeHere(byOfficialName)),
    ofLostItem(here((known, traits) => byType(known, traits) && !differ('mask', known, traits))),
  ])
  return originals.matches
}

/**
 * Counts the open accounts of a lost item that a new link also reports, if both are the same login; otherwise returns
 * 0. They are the same login if the link reports most of the item's open accounts, or half of them and no other
 * account. A single shared account is not enough, because two people can share it. An equal mask counts only in
 * addition to a certain match, because accounts of two logins can have equal masks.
 */
export function countSharedAccounts(
  accounts: readonly KnownAccount[],
  incoming: readonly AccountTraits[],
  institutionId: string | null,
): number {
  const here = atInstitution(institutionId)
  const matching = startMatching(accounts, incoming)
  matchUnique(matching, [byPersistentId, ...strictestFirst(here(byNameAndMask))])
  // Accounts with equal names and masks identify the login, whichever of them is which.
  matchPossible(matching, [here(byNameAndMask)])
  if (matching.matches.size === 0) return 0
  matchUnique(matching, strictestFirst(here(byMask)))
  const shared = [...matching.matches.values()].filter(({ account }) => !account.isClosed).length
  const open = accounts.filter((account) => !account.isClosed).length
  const isSameLogin = shared * 2 > open || (shared * 2 === open && matching.matches.size === incoming.length)
  return isSameLogin ? shared : 0
}
