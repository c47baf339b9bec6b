// Reads /investments/holdings/get, a full snapshot. Deletes holdings that are missing from it.
import { addSecurities, mergeHoldings, mergeSecurities, type PlaidHoldingRow } from '../db/records/investments-merge.ts'
import type { PlaidHolding } from '../plaid/schemas.ts'
import { inOneCurrency } from './repeated-rows.ts'
import { recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'
import { securityRows } from './security-rows.ts'
import { settleAccounts } from './settle-accounts.ts'

export async function readHoldings(run: Run): Promise<ReadResult> {
  const { plaid } = run
  const result = await plaid.getHoldings(run.token)
  recordResponse(run.stats, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const { accounts, securities, holdings, set_aside: unread } = result.value
  const settled = await settleAccounts(run, result.value, false)
  if (settled.kind === 'instead') return settled.answer
  const positions = inOneCurrency(holdings, accounts)
  const setAside = [...unread, ...positions.setAside]
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      ...settled.statements,
      mergeSecurities(run.lease, securityRows(securities)),
      addSecurities(
        run.lease,
        holdings.map((holding) => holding.security_id),
      ),
      mergeHoldings(run.lease, positions.rows.map(holdingRow), setAside),
    ],
    setAside,
    markDirty: null,
  }
}

const holdingRow = ({ account_id: accountId, security_id: securityId, ...holding }: PlaidHolding): PlaidHoldingRow => ({
  plaid_account_id: accountId,
  plaid_security_id: securityId,
  ...holding,
})
