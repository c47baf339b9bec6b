// Reads /accounts/get, the free full list of open accounts: what is not in it any more is closed, its history stays.
import { rereadByAccounts, writeAccounts } from '../db/accounts.ts'
import { accountFacts } from './account-facts.ts'
import { noteAnswer, type ReadAnswer, type Run, snapshotEnd } from './run.ts'

export async function readBalances(run: Run): Promise<ReadAnswer> {
  const { plaid } = run
  const { jobs } = run.ctx.services
  const result = await plaid.getAccounts(run.token)
  noteAnswer(run.tally, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const { set_aside: setAside } = result.value
  const accounts = accountFacts(result.value.accounts)
  // Any stored account may be one of those that could not be read, so none is closed.
  const isComplete = setAside.length === 0
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: writeAccounts(jobs, run.lease, accounts, true, isComplete),
    setAside,
    raise: rereadByAccounts(jobs, run.lease, accounts),
  }
}
