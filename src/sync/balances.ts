// Reads /accounts/get, the free and complete list of open accounts. Closes accounts that are missing from it; their
// history stays.
import { recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'
import { settleAccounts } from './settle-accounts.ts'

export async function readBalances(run: Run): Promise<ReadResult> {
  const { plaid } = run
  const result = await plaid.getAccounts(run.token)
  recordResponse(run.stats, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const settled = await settleAccounts(run, result.value, true)
  if (settled.kind === 'instead') return settled.answer
  const { statements, markDirty } = settled
  return { kind: 'read', end: snapshotEnd, statements, setAside: result.value.set_aside, markDirty }
}
