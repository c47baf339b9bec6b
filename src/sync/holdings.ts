// Reads /investments/holdings/get, a full snapshot. Deletes positions that are missing from it.
import { addSecurities, type HoldingFacts, mergeHoldings, mergeSecurities } from '../db/records/investments-merge.ts'
import type { PlaidHolding } from '../plaid/schemas.ts'
import { inOneCurrency } from './repeated-rows.ts'
import { recordResponse, type ReadAnswer, type Run, snapshotEnd } from './run.ts'
import { securityFacts } from './security-rows.ts'
import { settleAccounts } from './settle-accounts.ts'

export async function readHoldings(run: Run): Promise<ReadAnswer> {
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
      mergeSecurities(run.lease, securityFacts(securities)),
      addSecurities(
        run.lease,
        holdings.map((holding) => holding.security_id),
      ),
      mergeHoldings(run.lease, holdingFacts(positions.rows), setAside),
    ],
    setAside,
    markDirty: null,
  }
}

function holdingFacts(holdings: readonly PlaidHolding[]): HoldingFacts[] {
  return holdings.map((holding) => ({
    plaidAccountId: holding.account_id,
    plaidSecurityId: holding.security_id,
    quantity: holding.quantity,
    institutionPrice: holding.institution_price,
    institutionPriceAsOf: holding.institution_price_as_of,
    institutionValue: holding.institution_value,
    costBasis: holding.cost_basis,
    isoCurrencyCode: holding.iso_currency_code,
    unofficialCurrencyCode: holding.unofficial_currency_code,
  }))
}
