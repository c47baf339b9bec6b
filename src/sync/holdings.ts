// Reads /investments/holdings/get, a full snapshot: a position that is not in it is gone.
import { writeAccounts } from '../db/accounts.ts'
import { addSecurities, type HoldingFacts, mergeHoldings, mergeSecurities } from '../db/investments-merge.ts'
import type { PlaidHolding } from '../plaid/schemas.ts'
import { accountFacts } from './account-facts.ts'
import { inOneCurrency } from './repeated-rows.ts'
import { noteAnswer, type ReadAnswer, type Run, snapshotEnd } from './run.ts'
import { securityFacts } from './security-facts.ts'

export async function readHoldings(run: Run): Promise<ReadAnswer> {
  const { plaid } = run
  const { jobs } = run.ctx.services
  const result = await plaid.getHoldings(run.token)
  noteAnswer(run.tally, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const { accounts, securities, holdings, set_aside: unread } = result.value
  const positions = inOneCurrency(holdings, accounts)
  const setAside = [...unread, ...positions.setAside]
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      ...writeAccounts(jobs, run.lease, accountFacts(accounts), false),
      mergeSecurities(jobs, run.lease, securityFacts(securities)),
      addSecurities(
        jobs,
        run.lease,
        holdings.map((holding) => holding.security_id),
      ),
      mergeHoldings(jobs, run.lease, holdingFacts(positions.rows), setAside),
    ],
    setAside,
    raise: null,
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
