// Reads /investments/transactions/get over its longest window, page by page. Plaid does not report removed
// transactions, so the window replaces the stored rows of the same days.
import { type InvestmentRow, stageInvestmentTransactions } from '../db/records/investments-staging.ts'
import { mergeInvestmentTransactions, mergeSecurities } from '../db/records/investments-merge.ts'
import { rebindInvestmentTransactions, withoutLoops } from '../db/records/relink.ts'
import { boundedRow } from '../db/sync/set-aside.ts'
import { requireStaged, unstage } from '../db/records/transactions-staging.ts'
import { renewLease } from '../db/sync/work.ts'
import { pageSize } from '../plaid/endpoints.ts'
import type { SetAsideRow } from '../plaid/rows.ts'
import type { PlaidAccount, PlaidInvestmentTransaction, PlaidSecurity } from '../plaid/schemas.ts'
import { createPager } from './pages.ts'
import { internalFailure, recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'
import { securityRows } from './security-rows.ts'
import { settleAccounts } from './settle-accounts.ts'

/** Plaid returns at most 24 months. */
const windowDays = 730
const maxPages = 200
const maxRestarts = 3
/** Failed runs after which the next one stores what it reads, even if the window keeps changing. */
const stuckAttempts = 2
/** Rows held in memory, ten pages (about 3 MB); further rows go to the staging table. */
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
  /** `total_investment_transactions` of the first page; -1 before it. */
  total: number
  offset: number
  /** Rows of the longest page so far. A bank's pages may be shorter than requested. */
  longestPage: number
  seq: number
  /** Rows in memory that are not staged yet. */
  readonly held: InvestmentRow[]
  readonly accounts: Map<string, PlaidAccount>
  readonly securities: Map<string, PlaidSecurity>
  readonly setAside: SetAsideRow[]
}

type Page = Extract<Awaited<ReturnType<Run['plaid']['getInvestmentTransactions']>>, { ok: true }>['value']

const newLoop = (): Loop => ({
  total: -1,
  offset: 0,
  longestPage: 0,
  seq: 0,
  held: [],
  accounts: new Map(),
  securities: new Map(),
  setAside: [],
})
const stagedRows = (loop: Loop): number => loop.seq - loop.held.length

/** What contradicts Plaid's number of rows. */
interface Doubt {
  /** The offset at which a list ended before the total was reached; null if none did. */
  endedAt: number | null
  /** Whether to ignore the total and read until an empty page. */
  ignoresTotal: boolean
}

type Step = 'next' | 'again' | 'complete' | 'incomplete' | 'WINDOW_KEEPS_CHANGING' | 'WINDOW_INCOMPLETE'

export async function readInvestmentTransactions(run: Run): Promise<ReadResult> {
  const { jobs } = run.ctx.services
  const window = windowAt(run.ctx.now())
  const askFor = createPager(run)
  const doubt: Doubt = { endedAt: null, ignoresTotal: false }
  let loop = newLoop()
  for (let page = 0; page < maxPages; page += 1) {
    if (page > 0 && !(await hold(run, loop))) return { kind: 'lease_lost' }
    const { offset } = loop
    const result = await askFor(page, () => run.plaid.getInvestmentTransactions(run.token, { ...window, offset }))
    if (result === null) return { kind: 'lease_lost' }
    recordResponse(run.stats, result)
    if (!result.ok) return { kind: 'failed', failure: result.failure }
    const step = stepAfter(run, doubt, loop, result.value)
    if (step === 'next') continue
    if (step === 'complete') return await commitOf(run, window, loop)
    if (step === 'incomplete') return await commitOf(run, null, loop)
    if (step !== 'again') return { kind: 'failed', failure: internalFailure('retry', step) }
    run.stats.restarts += 1
    if (stagedRows(loop) > 0) await unstage(jobs, run.lease)
    loop = newLoop()
  }
  return { kind: 'failed', failure: internalFailure('ours', 'TOO_MANY_PAGES') }
}

/**
 * Adds a page and decides the next step. If Plaid's total cannot be right, the list is read again. If it ends at the
 * same offset again, or earlier runs failed too, the run stores what it read with a note and removes nothing.
 */
function stepAfter({ stats, lease }: Run, doubt: Doubt, loop: Loop, page: Page): Step {
  const mayRestart = stats.restarts < maxRestarts
  const isStuck = lease.attempts >= stuckAttempts
  if (!doubt.ignoresTotal && loop.total !== -1 && page.total_investment_transactions !== loop.total) {
    // Rows were added or removed between two pages. Offsets have shifted, so the pages so far cannot be used.
    if (!mayRestart && !isStuck) return 'WINDOW_KEEPS_CHANGING'
    doubt.ignoresTotal = !mayRestart
    if (doubt.ignoresTotal) stats.note = 'WINDOW_KEEPS_CHANGING'
    return 'again'
  }
  const full = loop.longestPage === 0 ? pageSize : Math.min(pageSize, loop.longestPage)
  take(loop, page)
  const rows = listedIn(page)
  const isWhole = loop.offset === loop.total && !doubt.ignoresTotal
  if (isWhole && rows < full) return 'complete'
  // More pages may follow a full page, and a list that has exceeded its total.
  if (rows > 0) return 'next'
  if (doubt.ignoresTotal) return 'incomplete'
  const isAsBefore = doubt.endedAt === loop.offset
  if (!isAsBefore && mayRestart) {
    doubt.endedAt = loop.offset
    return 'again'
  }
  if (!isAsBefore && !isStuck) return 'WINDOW_INCOMPLETE'
  stats.note = 'WINDOW_INCOMPLETE'
  return 'incomplete'
}

/** Transactions in a page, including those that could not be parsed. */
const listedIn = (page: Page): number =>
  page.investment_transactions.length + page.set_aside.filter(({ kind }) => kind === 'investment_transaction').length

function take(loop: Loop, page: Page): void {
  loop.total = page.total_investment_transactions
  const rows = listedIn(page)
  loop.offset += rows
  loop.longestPage = Math.max(loop.longestPage, rows)
  for (const row of page.set_aside) loop.setAside.push(boundedRow(row, loop.setAside.length))
  for (const account of page.accounts) loop.accounts.set(account.account_id, account)
  for (const security of page.securities) loop.securities.set(security.security_id, security)
  for (const transaction of page.investment_transactions) loop.held.push(rowOf(loop.seq++, transaction))
}

/** Renews the lease before the next page, and stages rows if too many are in memory. */
async function hold(run: Run, loop: Loop): Promise<boolean> {
  const { jobs } = run.ctx.services
  if (loop.held.length < maxHeld) return await renewLease(jobs, run.lease)
  return await stageInvestmentTransactions(jobs, run.lease, loop.held.splice(0))
}

/** @param window null if the list may be incomplete: then nothing is removed */
async function commitOf(run: Run, window: Window | null, loop: Loop): Promise<ReadResult> {
  const { lease } = run
  const settled = await settleAccounts(run, { accounts: [...loop.accounts.values()], set_aside: [] }, false)
  if (settled.kind === 'instead') return settled.answer
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      requireStaged(lease, stagedRows(loop)),
      ...settled.statements,
      mergeSecurities(lease, securityRows([...loop.securities.values()])),
      ...(lease.linkEpoch === 0 ? [] : withoutLoops(rebindInvestmentTransactions(lease, loop.held))),
      mergeInvestmentTransactions(lease, window, loop.held, loop.setAside),
    ],
    setAside: loop.setAside,
    markDirty: null,
  }
}

function rowOf(
  seq: number,
  {
    investment_transaction_id: id,
    account_id: accountId,
    security_id: securityId,
    subtype,
    ...transaction
  }: PlaidInvestmentTransaction,
): InvestmentRow {
  return {
    seq,
    plaid_investment_transaction_id: id,
    plaid_account_id: accountId,
    plaid_security_id: securityId,
    ...transaction,
    // Plaid-Version 2019-05-29 has no subtype.
    subtype: subtype ?? transaction.type,
  }
}
