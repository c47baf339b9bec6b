// Investment transactions on their way in, with our ids of their accounts and securities.
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { investmentStaging, investmentTransactions } from '../../../drizzle/tables/investments.ts'
import { entity, type IncomingRow } from '../core/record.ts'
import type { JobsDatabase } from '../core/client.ts'
import { incomingRows, stageRows } from './transactions-staging.ts'
import type { Lease } from '../sync/work.ts'

export const investmentTransaction = entity({
  ids: {
    seq: investmentStaging.seq,
    plaidInvestmentTransactionId: investmentTransactions.plaidInvestmentTransactionId,
    plaidAccountId: accounts.plaidAccountId,
    plaidSecurityId: investmentStaging.plaidSecurityId,
  },
  table: getTableColumns(investmentTransactions),
  own: ['id', 'userId', 'itemId', 'accountId', 'securityId', 'linkEpoch', 'createdAt', 'removedAt'],
})
/** `seq` is the row's place in the window: of two rows with one id the later one counts. */
export type InvestmentRow = IncomingRow<typeof investmentTransaction>

/** Puts rows aside until the commit, and renews the lease. False when the lease was lost. */
export const stageInvestmentTransactions = (jobs: JobsDatabase, lease: Lease, incoming: readonly InvestmentRow[]) =>
  stageRows(jobs, lease, investmentTransaction, incoming)

/**
 * The staged rows and these, one for each id, with our ids of account and security. Both are looked up by an index, row
 * by row: the planner does not know how many rows there are. An unknown account gives a null.
 */
export const incomingInvestments = (lease: Lease, held: readonly InvestmentRow[]): SQL =>
  sql`select a.id as account_id, s.id as security_id, latest.* from (
      ${incomingRows(lease, investmentTransaction, 'plaid_investment_transaction_id', held)}
    ) latest
    left join lateral (select id from accounts
      where item_id = ${lease.itemId} and plaid_account_id = latest.plaid_account_id limit 1) a on true
    left join lateral (select id from securities
      where user_id = ${lease.userId} and plaid_security_id = latest.plaid_security_id limit 1) s on true`
