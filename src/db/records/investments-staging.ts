// Investment transactions on their way in, with our ids of their accounts and securities.
import { type SQL, sql } from 'drizzle-orm'
import type { JobsDatabase } from '../core/client.ts'
import { incomingRows, stageRows, type StagingColumn } from './transactions-staging.ts'
import type { Lease } from '../sync/work.ts'

/** An investment transaction as Plaid reports it; amounts and prices are exact decimal text. */
export interface InvestmentTransactionFacts {
  readonly plaidInvestmentTransactionId: string
  readonly plaidAccountId: string
  readonly plaidSecurityId: string | null
  readonly date: string
  readonly name: string
  readonly quantity: string
  readonly amount: string
  readonly price: string | null
  readonly fees: string | null
  readonly type: string
  readonly subtype: string
  readonly isoCurrencyCode: string | null
  readonly unofficialCurrencyCode: string | null
}

/** With its place in the window: of two rows with one id the later one counts. */
export interface InvestmentRow extends InvestmentTransactionFacts {
  readonly seq: number
}

/** Columns of `investment_staging`, their types, and their names in an incoming row. */
const columns = [
  ['seq', 'int', 'seq'],
  ['plaid_investment_transaction_id', 'text', 'plaidInvestmentTransactionId'],
  ['plaid_account_id', 'text', 'plaidAccountId'],
  ['plaid_security_id', 'text', 'plaidSecurityId'],
  ['date', 'date', 'date'],
  ['name', 'text', 'name'],
  ['quantity', 'numeric', 'quantity'],
  ['amount', 'numeric', 'amount'],
  ['price', 'numeric', 'price'],
  ['fees', 'numeric', 'fees'],
  ['type', 'text', 'type'],
  ['subtype', 'text', 'subtype'],
  ['iso_currency_code', 'text', 'isoCurrencyCode'],
  ['unofficial_currency_code', 'text', 'unofficialCurrencyCode'],
] as const satisfies readonly (readonly [string, string, keyof InvestmentRow])[]

const staged = columns.map(([name, type, key]): StagingColumn<InvestmentRow> => [name, type, (row) => row[key]])

/** Puts rows aside until the commit, and renews the lease. False when the lease was lost. */
export const stageInvestmentTransactions = (jobs: JobsDatabase, lease: Lease, incoming: readonly InvestmentRow[]) =>
  stageRows(jobs, lease, staged, incoming)

/**
 * The staged rows and these, one for each id, with our ids of account and security. Both are looked up by an index, row
 * by row: the planner does not know how many rows there are. An unknown account gives a null.
 */
export const incomingInvestments = (lease: Lease, held: readonly InvestmentRow[]): SQL =>
  sql`select a.id as account_id, s.id as security_id, latest.* from (
      ${incomingRows(lease, staged, 'plaid_investment_transaction_id', held)}
    ) latest
    left join lateral (select id from accounts
      where item_id = ${lease.itemId} and plaid_account_id = latest.plaid_account_id limit 1) a on true
    left join lateral (select id from securities
      where user_id = ${lease.userId} and plaid_security_id = latest.plaid_security_id limit 1) s on true`
