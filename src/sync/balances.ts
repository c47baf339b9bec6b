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
  const accounts = accountFacts(result.value.accounts)
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: writeAccounts(jobs, run.lease, accounts, true),
    raise: rereadByAccounts(jobs, run.lease, accounts),
  }
}
