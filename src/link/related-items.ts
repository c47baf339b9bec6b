// Compares a new link with the user's items: the bank is already linked, the link restores a lost item, or it is a new
// item.
import type { AccountDecisions, PlaidAccountRow } from '../db/records/accounts-merge.ts'
import type { JobsDatabase } from '../db/core/client.ts'
import {
  type AccountTraits,
  type KnownAccount,
  readAccountsAndItem,
  type StoredItem,
} from '../db/records/known-accounts.ts'
import { decideAccounts, traitsOf } from '../items/decide-accounts.ts'
import { countSharedAccounts, matchAcrossLogins } from '../items/match-accounts.ts'

export interface DuplicateItem {
  readonly itemId: string
  /** Those of its accounts that the new link reports too. */
  readonly accounts: readonly KnownAccount[]
}

export interface Predecessor {
  readonly id: string
  readonly linkEpoch: number
  /** How many of its accounts the new link reports. */
  readonly shared: number
}

export interface RelatedItems {
  /** A live item that certainly has one of the accounts; null if the predecessor has more of them. */
  readonly duplicate: DuplicateItem | null
  /** A lost item of the same login, which the new link restores. */
  readonly predecessor: Predecessor | null
}

/** The live item that certainly has most of the incoming accounts. */
function findDuplicate(
  known: readonly KnownAccount[],
  incoming: readonly AccountTraits[],
  institutionId: string | null,
): DuplicateItem | null {
  const live = known.filter((account) => !account.isLost && !account.isClosed && !account.isDuplicate)
  const found = [...matchAcrossLogins(live, incoming, institutionId).values()].filter(({ kind }) => kind === 'same')
  const byItem = [...Map.groupBy(found, ({ account }) => account.itemId)]
  const [most] = byItem.toSorted(([, one], [, other]) => other.length - one.length)
  return most === undefined ? null : { itemId: most[0], accounts: most[1].map(({ account }) => account) }
}

/** The lost item of the same login with most of the incoming accounts; the newest of several. */
function findPredecessor(
  known: readonly KnownAccount[],
  incoming: readonly AccountTraits[],
  institutionId: string | null,
): Predecessor | null {
  const lost = known.filter(({ isLost }) => isLost)
  const predecessors = [...Map.groupBy(lost, ({ itemId }) => itemId)].flatMap(([id, accounts]): Predecessor[] => {
    const shared = countSharedAccounts(accounts, incoming, institutionId)
    return shared === 0 ? [] : [{ id, linkEpoch: accounts[0]?.linkEpoch ?? 0, shared }]
  })
  return predecessors.toReversed().toSorted((one, other) => other.shared - one.shared)[0] ?? null
}

/** Compares incoming accounts, perhaps from Link's metadata, with the accounts of a user. Pure. */
export function relatedItems(
  known: readonly KnownAccount[],
  incoming: readonly AccountTraits[],
  institutionId: string | null,
): RelatedItems {
  const duplicate = findDuplicate(known, incoming, institutionId)
  const predecessor = findPredecessor(known, incoming, institutionId)
  // A restored login may share an account with a live item. That account stays with the live item.
  const isShared = duplicate !== null && predecessor !== null && predecessor.shared > duplicate.accounts.length
  return { duplicate: isShared ? null : duplicate, predecessor }
}

export interface LinkComparison extends RelatedItems {
  /** The item itself, if it is stored already: Plaid issued another access token for it. */
  readonly item: StoredItem | null
  readonly decisions: AccountDecisions
  /** The sealed token of a predecessor that was not removed; null without one. */
  readonly earlierToken: string | null
}

export async function compareLink(
  jobs: JobsDatabase,
  exchange: { readonly id: string; readonly userId: string; readonly plaidItemId: string },
  {
    institutionId,
    accounts: listed,
  }: { readonly institutionId: string | null; readonly accounts: readonly PlaidAccountRow[] },
): Promise<LinkComparison> {
  const { item, accounts, version, lostTokens } = await readAccountsAndItem(jobs, exchange.userId, exchange.plaidItemId)
  const related = relatedItems(accounts, listed.map(traitsOf), institutionId)
  const itemId = related.predecessor?.id ?? exchange.id
  // A new link changes every id, so a row that cannot be read is not an account that keeps its id.
  const isWhole = true
  const decisions = decideAccounts({ accounts, version, itemId, institutionId, listed, isWhole, named: [] })
  return { item, ...related, decisions, earlierToken: lostTokens.get(itemId) ?? null }
}
