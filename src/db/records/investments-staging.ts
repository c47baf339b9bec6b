// Stages incoming investment transactions and joins them with the stored accounts and securities.
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
/** `seq` is the row's position in the window. Of two rows with one id the later one counts. */
export type InvestmentRow = IncomingRow<typeof investmentTransaction>

/** Stages rows until the commit, and renews the lease. Returns false if the lease was lost. */
export const stageInvestmentTransactions = (jobs: JobsDatabase, lease: Lease, incoming: readonly InvestmentRow[]) =>
  stageRows(jobs, lease, investmentTransaction, incoming)

/**
 * The staged rows and these, one for each id, with the stored ids of account and security. Both are looked up by an
 * index, row by row, because the planner does not know how many rows there are. For an unknown account the id is null.
 */
export const incomingInvestments = (lease: Lease, held: readonly InvestmentRow[]): SQL =>
  sql`select a.id as account_id, s.id as security_id, latest.* from (
      ${incomingRows(lease, investmentTransaction, 'plaid_investment_transaction_id', held)}
    ) latest
    left join lateral (select id from accounts
      where item_id = ${lease.itemId} and plaid_account_id = latest.plaid_account_id limit 1) a on true
    left join lateral (select id from securities
      where user_id = ${lease.userId} and plaid_security_id = latest.plaid_security_id limit 1) s on true`
