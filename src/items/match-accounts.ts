// Which account of a user's is told again under another id. The one place that decides it: for a new link, in update mode
// and in every sync. Pure. Never pairs two accounts on the word of chance: what nothing tells apart stays unpaired.
import type { AccountTraits, KnownAccount } from '../db/known-accounts.ts'

/** What is known of an account that Plaid tells under an id that is new here. */
export type Match =
  /** It is this account: the row goes on under the new id. */
  | { readonly kind: 'same'; readonly account: KnownAccount }
  /** It may be this account. Until its user has said so, it counts in no sum beside it. */
  | { readonly kind: 'possible'; readonly account: KnownAccount }

/** By the place in the list of what was told. */
export type Matches = ReadonlyMap<number, Match>

const text = (value: string | null): string | null => {
  const bare = (value ?? '').normalize('NFC').trim().toLowerCase()
  return bare === '' ? null : bare
}

type Trait = keyof AccountTraits
const agree = (trait: Trait, one: AccountTraits, other: AccountTraits): boolean =>
  text(one[trait]) !== null && text(one[trait]) === text(other[trait])
const clash = (trait: Trait, one: AccountTraits, other: AccountTraits): boolean =>
  text(one[trait]) !== null && text(other[trait]) !== null && text(one[trait]) !== text(other[trait])
const clashAny = (traits: readonly Trait[], one: AccountTraits, other: AccountTraits): boolean =>
  traits.some((trait) => clash(trait, one, other))
/** Where these differ, it is another account, unless its persistent id is the same. */
const fits = (one: AccountTraits, other: AccountTraits): boolean =>
  !clashAny(['type', 'subtype', 'currency', 'persistentAccountId'], one, other)

type Likeness = (known: KnownAccount, told: AccountTraits) => boolean

const byPersistentId: Likeness = (known, told) => agree('persistentAccountId', known, told)
const byNameAndMask: Likeness = (known, told) =>
  fits(known, told) && agree('name', known, told) && agree('mask', known, told)
/** Renamed, or renumbered by a bank that tells no masks. */
const byMask: Likeness = (known, told) => fits(known, told) && agree('mask', known, told)
const isOpen =
  (likeness: Likeness): Likeness =>
  (known, told) =>
    !known.isClosed && likeness(known, told)
const byName: Likeness = (known, told) => fits(known, told) && agree('name', known, told) && !clash('mask', known, told)
const byOfficialName: Likeness = (known, told) =>
  fits(known, told) && agree('officialName', known, told) && !clash('mask', known, told)
const byKind: Likeness = (known, told) => fits(known, told) && agree('type', known, told)

/** The same likeness, at first between those that agree in everything else too. */
const closestFirst = (likeness: Likeness): Likeness[] => [
  (known, told) =>
    likeness(known, told) && !known.isClosed && agree('subtype', known, told) && agree('officialName', known, told),
  (known, told) => likeness(known, told) && agree('subtype', known, told) && agree('currency', known, told),
  (known, told) => likeness(known, told) && !known.isClosed,
  likeness,
]

interface Pairing {
  readonly left: Set<KnownAccount>
  readonly open: Set<number>
  readonly told: readonly AccountTraits[]
}

/** Pairs that are each other's only choice. */
function onlyChoices({ left, open, told }: Pairing, likeness: Likeness): [number, KnownAccount][] {
  const choices = [...open].flatMap((place) => {
    const traits = told[place]
    return traits === undefined ? [] : [[place, [...left].filter((known) => likeness(known, traits))] as const]
  })
  const wanted = new Map<KnownAccount, number>()
  for (const [, found] of choices) for (const known of found) wanted.set(known, (wanted.get(known) ?? 0) + 1)
  return choices.flatMap(([place, [only, ...others]]): [number, KnownAccount][] =>
    only !== undefined && others.length === 0 && wanted.get(only) === 1 ? [[place, only]] : [],
  )
}

function pair(
  pairing: Pairing,
  likenesses: readonly Likeness[],
  kind: Match['kind'],
  matches: Map<number, Match>,
): void {
  for (const likeness of likenesses)
    for (const [place, account] of onlyChoices(pairing, likeness)) {
      matches.set(place, { kind, account })
      pairing.left.delete(account)
      pairing.open.delete(place)
    }
}

/** One after the other, for what may be the same and cannot be told apart: each counts for one at most. */
function pairInOrder(pairing: Pairing, likeness: Likeness, matches: Map<number, Match>): void {
  for (const place of pairing.open) {
    const traits = pairing.told[place]
    const account = traits && [...pairing.left].find((known) => likeness(known, traits))
    if (account === undefined) continue
    matches.set(place, { kind: 'possible', account })
    pairing.left.delete(account)
    pairing.open.delete(place)
  }
}

const certainWithin: readonly Likeness[] = [
  byPersistentId,
  ...[byNameAndMask, isOpen(byMask), isOpen(byName)].flatMap(closestFirst),
]

/**
 * Within one login: `gone` are its accounts that Plaid does not tell by their ids any more, `told` those whose ids are new.
 * Certain are Plaid's persistent id; name and mask; the mask alone, where the bank has renamed the account; and the name
 * alone, where it tells no mask. Always between accounts of one kind and currency, and where there is one choice only.
 */
export function matchWithinLogin(gone: readonly KnownAccount[], told: readonly AccountTraits[]): Matches {
  return matchWithin(gone, told, [byNameAndMask, byMask, byName, isOpen(byOfficialName), isOpen(byKind)])
}

/**
 * Within one login: ids that Plaid names beside its list are of closed accounts, or earlier ones of accounts that are told
 * under other ids now. `own` are all accounts of the login; that one is of the same kind as a closed one says nothing.
 */
export function matchEarlierIds(own: readonly KnownAccount[], named: readonly AccountTraits[]): Matches {
  return matchWithin(own, named, [byNameAndMask, byMask, byName])
}

function matchWithin(
  accounts: readonly KnownAccount[],
  told: readonly AccountTraits[],
  possible: readonly Likeness[],
): Matches {
  const pairing: Pairing = { left: new Set(accounts), open: new Set(told.keys()), told }
  const matches = new Map<number, Match>()
  pair(pairing, certainWithin, 'same', matches)
  for (const likeness of possible) pairInOrder(pairing, likeness, matches)
  return matches
}

const atSameBank = (one: string | null, other: string | null): boolean => one !== null && one === other
const mayBeSameBank = (one: string | null, other: string | null): boolean =>
  one === null || other === null || one === other

/**
 * Between logins: `others` are accounts of the user's other items. Certain are Plaid's persistent id, and name and mask at
 * the same bank. Whatever else is alike may be the same account; kind alone says so only of one that is told no more.
 */
export function matchAcrossLogins(
  others: readonly KnownAccount[],
  told: readonly AccountTraits[],
  institutionId: string | null,
): Matches {
  const pairing: Pairing = {
    left: new Set(others.filter((known) => !known.isDuplicate)),
    open: new Set(told.keys()),
    told,
  }
  const matches = new Map<number, Match>()
  const here: Likeness = (known, traits) =>
    atSameBank(known.institutionId, institutionId) && byNameAndMask(known, traits)
  const certain = [byPersistentId, ...closestFirst(here)]
  pair(pairing, certain, 'same', matches)
  // What stands back may be told again too, where it is certain.
  const back = new Set(others.filter((known) => known.isDuplicate))
  pair({ ...pairing, left: back }, certain, 'same', matches)
  const mayBeHere = (known: KnownAccount): boolean => mayBeSameBank(known.institutionId, institutionId)
  for (const likeness of [
    byNameAndMask,
    (known, traits) => mayBeHere(known) && byMask(known, traits),
    byName,
    isOpen((known, traits) => known.isLost && mayBeHere(known) && byOfficialName(known, traits)),
    isOpen(
      (known, traits) =>
        known.isLost &&
        atSameBank(known.institutionId, institutionId) &&
        byKind(known, traits) &&
        !clash('mask', known, traits),
    ),
  ] satisfies Likeness[])
    pairInOrder(pairing, likeness, matches)
  return matches
}

/**
 * How many of a lost item's open accounts a link tells again, where it is the same login: that is most of them, or half of
 * them and nothing else. Otherwise 0. One account in common is not enough: two people can share it. Renamed accounts
 * speak for the login only beside one that is certain, since two logins at one bank can have equal masks.
 */
export function toldAgain(
  accounts: readonly KnownAccount[],
  told: readonly AccountTraits[],
  institutionId: string | null,
): number {
  const open = accounts.filter((account) => !account.isClosed)
  const pairing: Pairing = { left: new Set(accounts), open: new Set(told.keys()), told }
  const matches = new Map<number, Match>()
  const here =
    (likeness: Likeness): Likeness =>
    (known, traits) =>
      atSameBank(known.institutionId, institutionId) && likeness(known, traits)
  pair(pairing, [byPersistentId, ...closestFirst(here(byNameAndMask))], 'same', matches)
  // Several that nothing tells apart speak for the login all the same.
  pairInOrder(pairing, here(byNameAndMask), matches)
  if (matches.size === 0) return 0
  pair(pairing, closestFirst(here(byMask)), 'same', matches)
  const again = [...matches.values()].filter(({ account }) => !account.isClosed).length
  const isSame = again * 2 > open.length || (again * 2 === open.length && matches.size === told.length)
  return isSame ? again : 0
}
