// Reads /liabilities/get, a full snapshot of credit cards, mortgages and student loans.
import { mergeLiabilities, type PlaidLiabilityRow } from '../db/records/liabilities.ts'
import type { PlaidLiabilities } from '../plaid/schemas.ts'
import { lastOfEach } from './repeated-rows.ts'
import { recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'
import { settleAccounts } from './settle-accounts.ts'

export async function readLiabilities(run: Run): Promise<ReadResult> {
  const { plaid } = run
  const result = await plaid.getLiabilities(run.token)
  recordResponse(run.stats, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const settled = await settleAccounts(run, result.value, false)
  if (settled.kind === 'instead') return settled.answer
  const { rows, setAside: repeated } = lastOfEach(liabilityRows(result.value.liabilities), nameOf)
  const setAside = [...result.value.set_aside, ...repeated]
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [...settled.statements, mergeLiabilities(run.lease, rows, setAside)],
    setAside,
    markDirty: null,
  }
}

const nameOf = ({ kind, plaid_account_id: accountId }: PlaidLiabilityRow) => ({
  kind,
  list: kind,
  accountId,
  rowId: null,
})

const liabilityRows = (liabilities: PlaidLiabilities['liabilities']): PlaidLiabilityRow[] =>
  (['credit', 'mortgage', 'student'] as const).flatMap((kind) =>
    liabilities[kind].map(({ account_id: id, details }) => ({ plaid_account_id: id, kind, details })),
  )
