// Investment transactions on their way in: those of a long window are put aside until the commit, so that memory holds a
// few pages at most. Refuses a commit whose rows are not all there.
import { type SQL, sql } from 'drizzle-orm'
import { batch, type JobsDatabase, rows } from './client.ts'
import { type Lease, renewal } from './sync-work.ts'

/** An investment transaction as Plaid reports it; amounts and prices are exact decimal text. */
export interface InvestmentTransactionFacts {
  readonly plaidInvestmentTransactionId: string
  readonly plaidAccountId: string
  readonly plaidSecurityId: string | null
  readonly date: string
  readonly name: string
  readonly quantity: string
  readonly amount: string
  readonly price: string
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

/** Columns of `investment_staging`, their types, and their names in the JSON of incoming rows. */
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

const names = sql.raw(columns.map(([name]) => name).join(', '))
const jsonNames = sql.raw(columns.map(([, , key]) => `"${key}"`).join(', '))
const jsonColumns = sql.raw(columns.map(([, type, key]) => `"${key}" ${type}`).join(', '))

const fromJson = (incoming: readonly InvestmentRow[]): SQL =>
  sql`jsonb_to_recordset(${JSON.stringify(incoming)}::jsonb) as r(${jsonColumns})`

/** Puts rows aside until the commit, and renews the lease. False when the lease was lost. */
export async function stageInvestmentTransactions(
  jobs: JobsDatabase,
  lease: Lease,
  incoming: readonly InvestmentRow[],
): Promise<boolean> {
  const [held] = await batch(jobs, [
    renewal(jobs, lease),
    rows(
      jobs,
      sql`insert into investment_staging (run_id, user_id, ${names})
        select ${lease.runId}::uuid, ${lease.userId}::uuid, ${jsonNames} from ${fromJson(incoming)}`,
    ),
  ])
  return held.rows.length > 0
}

/** Deletes what a run put aside, before it reads the window again. */
export async function unstageInvestmentTransactions(jobs: JobsDatabase, lease: Lease): Promise<void> {
  await batch(jobs, [rows(jobs, sql`delete from investment_staging where run_id = ${lease.runId}`)])
}

/**
 * Refuses the commit (WN007) unless exactly `count` rows of the run are staged. The window is all that happened: a row
 * that was lost would count as cancelled.
 */
export const requireStagedInvestments = (jobs: JobsDatabase, lease: Lease, count: number) =>
  rows(
    jobs,
    sql`select app.refuse((select count(*) from investment_staging where run_id = ${lease.runId}) <> ${count}::int, 'WN007')`,
  )

/**
 * The staged rows and these, one for each id, with our ids of account and security. Both are looked up by an index, row
 * by row: the planner does not know how many rows there are. An unknown account gives a null.
 */
export const incomingInvestments = (lease: Lease, held: readonly InvestmentRow[]): SQL =>
  sql`select a.id as account_id, s.id as security_id, latest.* from (
      select distinct on (plaid_investment_transaction_id) * from (
        select ${names} from investment_staging where run_id = ${lease.runId}
        union all select ${jsonNames} from ${fromJson(held)}
      ) reported order by plaid_investment_transaction_id, seq desc
    ) latest
    left join lateral (select id from accounts
      where item_id = ${lease.itemId} and plaid_account_id = latest.plaid_account_id limit 1) a on true
    left join lateral (select id from securities
      where user_id = ${lease.userId} and plaid_security_id = latest.plaid_security_id limit 1) s on true`
