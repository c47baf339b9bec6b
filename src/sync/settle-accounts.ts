// The accounts that an answer names, on their way into the commit. Those whose ids are new are compared with all that the
// user has, by Plaid's complete list. Where accounts go on under other ids, the run stores that alone, and everything is
// read again as after a new link.
import { type AccountFacts, rereadAsRelinked, rereadByAccounts, writeAccounts } from '../db/accounts-merge.ts'
import { readAccounts } from '../db/belongings.ts'
import type { Statement } from '../db/client.ts'
import { requireAccounts, requireAccountsVersion } from '../db/known-accounts.ts'
import { decideAccounts } from '../items/decide-accounts.ts'
import type { PlaidAccount } from '../plaid/schemas.ts'
import { accountFacts } from './account-facts.ts'
import { noteAnswer, type ReadAnswer, type Run, snapshotEnd } from './run.ts'

export type Settled =
  /** To be committed before what names the accounts. `raise` has products read that the accounts may bring. */
  | { readonly kind: 'settled'; readonly statements: readonly Statement[]; readonly raise: Statement }
  /** The run's answer instead of what was read. */
  | { readonly kind: 'instead'; readonly answer: ReadAnswer }

export interface ToldAccounts {
  readonly accounts: readonly PlaidAccount[]
  /** Rows that could not be read. Any stored account may be one of them, so none is closed, and none goes on as another one. */
  readonly set_aside: readonly unknown[]
}

/** @param isComplete whether `told` is all that the bank has open: what is not in it is closed then */
export async function settleAccounts(run: Run, told: ToldAccounts, isComplete: boolean): Promise<Settled> {
  const { lease } = run
  const { jobs } = run.ctx.services
  const named = accountFacts(told.accounts)
  const raise = (listed: readonly AccountFacts[]) => rereadByAccounts(jobs, lease, listed)
  const ids = named.map(({ plaidAccountId }) => plaidAccountId)
  if (ids.every((id) => lease.accountIds.includes(id)))
    return {
      kind: 'settled',
      statements: [
        requireAccounts(jobs, lease.itemId, ids),
        ...writeAccounts(jobs, lease, named, isComplete, null, isComplete && told.set_aside.length === 0),
      ],
      raise: raise(named),
    }

  const list = isComplete ? told : await listAccounts(run)
  if ('kind' in list) return { kind: 'instead', answer: list }
  const listed = accountFacts(list.accounts)
  const isWhole = list.set_aside.length === 0
  const { accounts, version } = await readAccounts(jobs, lease.userId)
  const { itemId } = lease
  const institutionId = lease.institutionId
  const decisions = decideAccounts({ accounts, version, itemId, institutionId, listed, isWhole, named })
  const isRelinked = decisions.renamed.length + decisions.moved.length > 0
  const owner = isRelinked ? { ...lease, linkEpoch: lease.linkEpoch + 1 } : lease
  const beside = named.filter(
    ({ plaidAccountId }) => !listed.some((account) => account.plaidAccountId === plaidAccountId),
  )
  const statements = [
    requireAccountsVersion(jobs, lease.userId, version),
    ...(isComplete && !isRelinked ? [] : [raise(listed)]),
    ...writeAccounts(jobs, owner, listed, true, decisions, isWhole),
    ...(beside.length === 0 ? [] : writeAccounts(jobs, owner, beside, false, { ...decisions, renamed: [], moved: [] })),
  ]
  if (!isRelinked) return { kind: 'settled', statements, raise: raise(listed) }
  run.tally.note = 'ACCOUNT_IDS_CHANGED'
  const end = { ...snapshotEnd, cursor: lease.cursor, showsHealth: false }
  return {
    kind: 'instead',
    answer: { kind: 'read', end, statements, setAside: [], raise: rereadAsRelinked(jobs, lease) },
  }
}

async function listAccounts(run: Run): Promise<ToldAccounts | Extract<ReadAnswer, { kind: 'failed' }>> {
  const result = await run.plaid.getAccounts(run.token)
  noteAnswer(run.tally, result)
  return result.ok ? result.value : { kind: 'failed', failure: result.failure }
}
