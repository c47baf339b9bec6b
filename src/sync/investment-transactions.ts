// Reads /investments/transactions/get over its longest window, page by page. Cancellations are not told one by one, so
// the whole window is compared.
import {
  type InvestmentRow,
  type InvestmentTransactionFacts,
  stageInvestmentTransactions,
} from '../db/investment-staging.ts'
import { mergeInvestmentTransactions, mergeSecurities } from '../db/investments-merge.ts'
import { rebindInvestmentTransactions, withoutLoops } from '../db/relink.ts'
import { requireStaged, unstage } from '../db/staging.ts'
import { renewLease } from '../db/sync-work.ts'
import type { SetAsideRow } from '../plaid/rows.ts'
import type { PlaidAccount, PlaidInvestmentTransaction, PlaidSecurity } from '../plaid/schemas.ts'
import { createPager } from './pages.ts'
import { localFailure, noteAnswer, type ReadAnswer, type Run, snapshotEnd } from './run.ts'
import { securityFacts } from './security-facts.ts'
import { settleAccounts } from './settle-accounts.ts'

/** Plaid tells 24 months at most. */
const windowDays = 730
const maxPages = 200
const maxRestarts = 3
/** Rows held in memory, ten pages (about 3 MB); what is beyond goes to the staging table. */
const maxHeld = 5000

interface Window {
  readonly from: string
  readonly to: string
}

/** Until tomorrow in UTC, because the bank's day may be ahead of it. */
function windowAt(now: Date): Window {
  const dayAt = (offset: number): string => new Date(now.getTime() + offset * 86_400_000).toISOString().slice(0, 10)
  return { from: dayAt(1 - windowDays), to: dayAt(1) }
}

interface Loop {
  /** Rows in the window, as the first page said; -1 before it. */
  total: number
  offset: number
  seq: number
  /** Rows in memory, which are not staged yet. */
  readonly held: InvestmentRow[]
  readonly accounts: Map<string, PlaidAccount>
  readonly securities: Map<string, PlaidSecurity>
  readonly setAside: SetAsideRow[]
}

type Page = Extract<Awaited<ReturnType<Run['plaid']['getInvestmentTransactions']>>, { ok: true }>['value']

const newLoop = (): Loop => ({
  total: -1,
  offset: 0,
  seq: 0,
  held: [],
  accounts: new Map(),
  securities: new Map(),
  setAside: [],
})
const stagedRows = (loop: Loop): number => loop.seq - loop.held.length

export async function readInvestmentTransactions(run: Run): Promise<ReadAnswer> {
  const { jobs } = run.ctx.services
  const window = windowAt(run.ctx.now())
  const askFor = createPager(run)
  let loop = newLoop()
  for (let page = 0; page < maxPages; page += 1) {
    if (page > 0 && !(await hold(run, loop))) return { kind: 'lease_lost' }
    const { offset } = loop
    const result = await askFor(page, () => run.plaid.getInvestmentTransactions(run.token, { ...window, offset }))
    if (result === null) return { kind: 'lease_lost' }
    noteAnswer(run.tally, result)
    if (!result.ok) return { kind: 'failed', failure: result.failure }
    if (loop.total !== -1 && result.value.total_investment_transactions !== loop.total) {
      // Something came or went between two pages: offsets have shifted, so nothing read so far can be trusted.
      if (run.tally.restarts >= maxRestarts)
        return { kind: 'failed', failure: localFailure('retry', 'WINDOW_KEEPS_CHANGING') }
      run.tally.restarts += 1
      if (stagedRows(loop) > 0) await unstage(jobs, run.lease)
      loop = newLoop()
      continue
    }
    take(loop, result.value)
    if (loop.offset >= loop.total) return await commitOf(run, window, loop)
    if (listedIn(result.value) === 0) return { kind: 'failed', failure: localFailure('retry', 'WINDOW_INCOMPLETE') }
  }
  return { kind: 'failed', failure: localFailure('ours', 'TOO_MANY_PAGES') }
}

/** Rows of the window in a page, whether or not they could be read. */
const listedIn = (page: Page): number =>
  page.investment_transactions.length + page.set_aside.filter(({ kind }) => kind === 'investment_transaction').length

function take(loop: Loop, page: Page): void {
  loop.total = page.total_investment_transactions
  loop.offset += listedIn(page)
  loop.setAside.push(...page.set_aside)
  for (const account of page.accounts) loop.accounts.set(account.account_id, account)
  for (const security of page.securities) loop.securities.set(security.security_id, security)
  for (const transaction of page.investment_transactions) loop.held.push({ seq: loop.seq++, ...factsOf(transaction) })
}

/** Before the next page: renews the lease, and keeps memory bounded. */
async function hold(run: Run, loop: Loop): Promise<boolean> {
  const { jobs } = run.ctx.services
  if (loop.held.length < maxHeld) return await renewLease(jobs, run.lease)
  return await stageInvestmentTransactions(jobs, run.lease, loop.held.splice(0))
}

async function commitOf(run: Run, window: Window, loop: Loop): Promise<ReadAnswer> {
  const { jobs } = run.ctx.services
  const { lease } = run
  const settled = await settleAccounts(run, { accounts: [...loop.accounts.values()], set_aside: [] }, false)
  if (settled.kind === 'instead') return settled.answer
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      requireStaged(jobs, lease, stagedRows(loop)),
      ...settled.statements,
      mergeSecurities(jobs, lease, securityFacts([...loop.securities.values()])),
      ...(lease.linkEpoch === 0 ? [] : withoutLoops(jobs, rebindInvestmentTransactions(jobs, lease, loop.held))),
      mergeInvestmentTransactions(jobs, lease, window, loop.held, loop.setAside),
    ],
    setAside: loop.setAside,
    raise: null,
  }
}

function factsOf(transaction: PlaidInvestmentTransaction): InvestmentTransactionFacts {
  return {
    plaidInvestmentTransactionId: transaction.investment_transaction_id,
    plaidAccountId: transaction.account_id,
    plaidSecurityId: transaction.security_id,
    date: transaction.date,
    name: transaction.name,
    quantity: transaction.quantity,
    amount: transaction.amount,
    price: transaction.price,
    fees: transaction.fees,
    type: transaction.type,
    // An older version of Plaid's API has no subtype.
    subtype: transaction.subtype ?? transaction.type,
    isoCurrencyCode: transaction.iso_currency_code,
    unofficialCurrencyCode: transaction.unofficial_currency_code,
  }
}
