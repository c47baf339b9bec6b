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
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      ...writeAccounts(jobs, run.lease, accountFacts(result.value.accounts), false),
      mergeLiabilities(jobs, run.lease, liabilityFacts(result.value.liabilities)),
    ],
    raise: null,
  }
}

/** What names no account belongs to none of ours. Plaid's own id of the account is left out: ours stands beside. */
function liabilityFacts(told: PlaidLiabilities['liabilities']): LiabilityFacts[] {
  return (['credit', 'mortgage', 'student'] as const).flatMap((kind) =>
    told[kind].flatMap(({ account_id: plaidAccountId, ...details }) =>
      plaidAccountId === null ? [] : [{ plaidAccountId, kind, details }],
    ),
  )
}
