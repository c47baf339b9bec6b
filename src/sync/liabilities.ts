// Reads /liabilities/get, a full snapshot of the three kinds.
import { writeAccounts } from '../db/accounts.ts'
import { type LiabilityFacts, mergeLiabilities } from '../db/liabilities.ts'
import type { PlaidLiabilities } from '../plaid/schemas.ts'
import { accountFacts } from './account-facts.ts'
import { noteAnswer, type ReadAnswer, type Run, snapshotEnd } from './run.ts'

export async function readLiabilities(run: Run): Promise<ReadAnswer> {
  const { plaid } = run
  const { jobs } = run.ctx.services
  const result = await plaid.getLiabilities(run.token)
  noteAnswer(run.tally, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const { set_aside: setAside } = result.value
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      ...writeAccounts(jobs, run.lease, accountFacts(result.value.accounts), false),
      mergeLiabilities(jobs, run.lease, liabilityFacts(result.value.liabilities), setAside),
    ],
    setAside,
    raise: null,
  }
}

function liabilityFacts(told: PlaidLiabilities['liabilities']): LiabilityFacts[] {
  return (['credit', 'mortgage', 'student'] as const).flatMap((kind) =>
    told[kind].map(({ account_id: plaidAccountId, details }) => ({ plaidAccountId, kind, details })),
  )
}
