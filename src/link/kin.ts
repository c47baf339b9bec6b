// How a new link stands to what its user has: it is here already, it goes on with an item that is lost, or it is new.
import type { AccountDecisions, AccountFacts } from '../db/accounts-merge.ts'
import { type Belongings, readBelongings } from '../db/belongings.ts'
import type { JobsDatabase } from '../db/client.ts'
import type { AccountTraits, KnownAccount } from '../db/known-accounts.ts'
import { decideAccounts, traitsOf } from '../items/decide-accounts.ts'
import { matchAcrossLogins, toldAgain } from '../items/match-accounts.ts'

export interface Twin {
  readonly itemId: string
  /** Its accounts that the new link has too. */
  readonly accounts: readonly KnownAccount[]
}

export interface NewBank {
  readonly institutionId: string | null
  readonly accounts: readonly AccountFacts[]
}

export interface Ancestor {
  readonly id: string
  readonly linkEpoch: number
  /** How many of its accounts are told again. */
  readonly again: number
}

export interface Standing {
  /** A live item that has one of the accounts, where the link goes on with no lost item that has more of them. */
  readonly twin: Twin | null
  /** A lost item of the same login: the new link goes on with it. */
  readonly ancestor: Ancestor | null
}

/** The live item that has most of the told accounts, as far as that is certain. */
function findTwin(
  known: readonly KnownAccount[],
  told: readonly AccountTraits[],
  institutionId: string | null,
): Twin | null {
  const live = known.filter((account) => !account.isLost && !account.isClosed && !account.isDuplicate)
  const found = [...matchAcrossLogins(live, told, institutionId).values()].filter(({ kind }) => kind === 'same')
  const byItem = [...Map.groupBy(found, ({ account }) => account.itemId)]
  const [most] = byItem.toSorted(([, one], [, other]) => other.length - one.length)
  return most === undefined ? null : { itemId: most[0], accounts: most[1].map(({ account }) => account) }
}

/** The lost item of the same login that has most of the told accounts; of several, the newest. */
function findAncestor(
  known: readonly KnownAccount[],
  told: readonly AccountTraits[],
  institutionId: string | null,
): Ancestor | null {
  const lost = known.filter(({ isLost }) => isLost)
  const ancestors = [...Map.groupBy(lost, ({ itemId }) => itemId)].flatMap(([id, accounts]): Ancestor[] => {
    const again = toldAgain(accounts, told, institutionId)
    return again === 0 ? [] : [{ id, linkEpoch: accounts[0]?.linkEpoch ?? 0, again }]
  })
  return ancestors.toReversed().toSorted((one, other) => other.again - one.again)[0] ?? null
}

export function standingOf(
  known: readonly KnownAccount[],
  told: readonly AccountTraits[],
  institutionId: string | null,
): Standing {
  const [twin, ancestor] = [findTwin(known, told, institutionId), findAncestor(known, told, institutionId)]
  // A login that goes on may share an account with a live item: that account is left to the item that has it.
  const isShared = twin !== null && ancestor !== null && ancestor.again > twin.accounts.length
  return { twin: isShared ? null : twin, ancestor }
}

export interface Kin extends Standing {
  /** The very item of Plaid's is here: Plaid gave it another token. */
  readonly same: Belongings['same']
  readonly decisions: AccountDecisions
}

export async function findKin(
  jobs: JobsDatabase,
  exchange: { readonly id: string; readonly userId: string; readonly plaidItemId: string },
  { institutionId, accounts: listed }: NewBank,
): Promise<Kin> {
  const { same, accounts, version } = await readBelongings(jobs, exchange.userId, exchange.plaidItemId)
  const standing = standingOf(accounts, listed.map(traitsOf), institutionId)
  const itemId = standing.ancestor?.id ?? exchange.id
  // Under a new link every id is new, so a row that cannot be read hides no account that keeps its id.
  const isWhole = true
  const decisions = decideAccounts({ accounts, version, itemId, institutionId, listed, isWhole, named: [] })
  return { same, ...standing, decisions }
}
