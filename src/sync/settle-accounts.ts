// Prepares the accounts of a response for the commit. Compares those with new ids with all accounts of the user, and
// for that reads Plaid's complete list. If known accounts have new ids, the run stores only this change, and everything
// is read again as after a new link.
import {
  type PlaidAccountRow,
  rereadAsRelinked,
  rereadByAccounts,
  writeAccounts,
} from '../db/records/accounts-merge.ts'
import type { Statement } from '../db/core/statement.ts'
import { readKnownAccounts, requireAccounts, requireAccountsVersion } from '../db/records/known-accounts.ts'
import { decideAccounts } from '../items/decide-accounts.ts'
import type { PlaidAccount } from '../plaid/schemas.ts'
import { accountRows } from './account-rows.ts'
import { recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'

export type Settled =
  /**
   * `statements` must run before those that refer to the accounts. `markDirty`, for a complete list, marks the products
   * of new accounts dirty.
   */
  | {
      readonly kind: 'settled'
      readonly statements: readonly Statement[]
      readonly markDirty: Statement<string> | null
    }
  /** Replaces what the run has read. */
  | { readonly kind: 'instead'; readonly answer: ReadResult }

export interface IncomingAccounts {
  readonly accounts: readonly PlaidAccount[]
  /** Unreadable rows. Each may be any known account, so no account is closed and none gets a new id. */
  readonly set_aside: readonly unknown[]
}

/** @param isComplete whether `incoming` lists all open accounts; accounts that are missing from it are then closed */
export async function settleAccounts(run: Run, incoming: IncomingAccounts, isComplete: boolean): Promise<Settled> {
  const { lease } = run
  const { jobs } = run.ctx.services
  const named = accountRows(incoming.accounts)
  const markAll = (listed: readonly PlaidAccountRow[]) => rereadByAccounts(lease, listed)
  const ids = named.map((row) => row.plaid_account_id)
  if (ids.every((id) => lease.accountIds.includes(id)))
    return {
      kind: 'settled',
      statements: [
        requireAccounts(lease.itemId, ids),
        ...writeAccounts(lease, named, isComplete, null, isComplete && incoming.set_aside.length === 0),
      ],
      markDirty: isComplete ? markAll(named) : null,
    }

  const list = isComplete ? incoming : await listAccounts(run)
  if ('kind' in list) return { kind: 'instead', answer: list }
  const listed = accountRows(list.accounts)
  const isWhole = list.set_aside.length === 0
  const { accounts, version } = await readKnownAccounts(jobs, lease.userId)
  const { itemId, institutionId } = lease
  const decisions = decideAccounts({ accounts, version, itemId, institutionId, listed, isWhole, named })
  const isRelinked = decisions.renamed.length + decisions.moved.length > 0
  const owner = isRelinked ? { ...lease, linkEpoch: lease.linkEpoch + 1 } : lease
  const beside = named.filter((row) => !listed.some(({ plaid_account_id: id }) => id === row.plaid_account_id))
  const statements = [
    requireAccountsVersion(lease.userId, version),
    ...(isComplete && !isRelinked ? [] : [markAll(listed)]),
    ...writeAccounts(owner, listed, true, decisions, isWhole),
    ...(beside.length === 0 ? [] : writeAccounts(owner, beside, false, { ...decisions, renamed: [], moved: [] })),
  ]
  if (!isRelinked) return { kind: 'settled', statements, markDirty: isComplete ? markAll(listed) : null }
  run.stats.note = 'ACCOUNT_IDS_CHANGED'
  const end = { ...snapshotEnd, cursor: lease.cursor, showsHealth: false }
  return {
    kind: 'instead',
    answer: { kind: 'read', end, statements, setAside: [], markDirty: rereadAsRelinked(lease) },
  }
}

async function listAccounts(run: Run): Promise<IncomingAccounts | Extract<ReadResult, { kind: 'failed' }>> {
  const result = await run.plaid.getAccounts(run.token)
  recordResponse(run.stats, result)
  return result.ok ? result.value : { kind: 'failed', failure: result.failure }
}
