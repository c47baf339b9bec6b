// Reads /transactions/sync from the stored cursor to its end. A failure discards all pages. Only a cursor of a page
// with `has_more: false` is stored: Plaid refuses a restart from a cursor in the middle.
import { markFirstRecurringDirty } from '../db/records/recurring.ts'
import type { Statement } from '../db/core/statement.ts'
import { dropUnmatched, rebindTransactions, settleDuplicates, withoutLoops } from '../db/records/relink.ts'
import { boundedRow, forgetSetAside, readSetAside } from '../db/sync/set-aside.ts'
import { requireStaged, unstage } from '../db/records/transactions-staging.ts'
import { renewLease } from '../db/sync/work.ts'
import {
  mergeTransactions,
  stageTransactions,
  type TransactionChange,
  type PlaidTransactionRow,
} from '../db/records/transactions-merge.ts'
import { pauseMs } from '../retry.ts'
import { parseExactJson } from '../exact-json.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import type { SetAsideRow } from '../plaid/rows.ts'
import { type PlaidAccount, type PlaidTransaction, transaction as transactionSchema } from '../plaid/schemas.ts'
import { createPager } from './pages.ts'
import { internalFailure, recordResponse, type ReadResult, type Run } from './run.ts'
import { settleAccounts } from './settle-accounts.ts'

/** Restarts of the loop within one run; after them the run fails. */
const maxRestarts = 3
/** Runs that failed because of restarts, after which the next one begins without a cursor. */
const stuckAttempts = 2
/** 24 months of the busiest accounts are a tenth of this. */
const maxPages = 2000
/** Changes held in memory (about 5 MB); further ones go to the staging table. */
const maxHeld = 5000
/** When to read again while history is still arriving, in case its webhook is lost. */
const historyPollSeconds = 600

interface Loop {
  readonly changes: TransactionChange[]
  readonly accounts: Map<string, PlaidAccount>
  readonly setAside: SetAsideRows
  seq: number
  staged: boolean
}

/** Rows that could not be parsed, by transaction id if it is known, so that only the newest version is kept. */
type SetAsideRows = Map<string | number, SetAsideRow>

type LoopEnd =
  | { readonly kind: 'end'; readonly cursor: string; readonly status: string | null; readonly loop: Loop }
  | { readonly kind: 'failed'; readonly failure: PlaidFailure; readonly staged: boolean }
  | { readonly kind: 'lease_lost' }

export async function readTransactions(run: Run): Promise<ReadResult> {
  let from = run.lease.cursor
  for (;;) {
    const end = await readLoop(run, from)
    if (end.kind === 'end') return await commitOf(run, end, from)
    if (end.kind === 'lease_lost') return end
    const note = from === null ? null : reasonToStartOver(run, end.failure)
    if (note !== null) {
      run.stats.note = note
      from = null
    } else if (end.failure.class !== 'restart' || run.stats.restarts >= maxRestarts) return end
    run.stats.restarts += 1
    if (end.staged) await unstage(run.ctx.services.jobs, run.lease)
    await run.ctx.services.wait(pauseMs(run.stats.restarts, 400, run.ctx.services.random()))
    if (!(await renewLease(run.ctx.services.jobs, run.lease))) return { kind: 'lease_lost' }
  }
}

/** Errors that a bad cursor can cause. Wrong API keys are excluded: the request would fail without a cursor too. */
const mayBeOfCursor = ({ errorType, errorCode }: PlaidFailure): boolean =>
  errorType === 'INVALID_REQUEST' || (errorType === 'INVALID_INPUT' && errorCode !== 'INVALID_API_KEYS')

/**
 * Why a run should start over without its cursor, as the run's note; null if it should not. Plaid would refuse a bad
 * cursor on every run.
 */
function reasonToStartOver({ stats, lease }: Run, failure: PlaidFailure): string | null {
  if (failure.class === 'ours' && mayBeOfCursor(failure)) return 'CURSOR_REFUSED'
  const isStuck = stats.restarts >= maxRestarts && lease.attempts >= stuckAttempts
  return failure.class === 'restart' && isStuck ? 'CURSOR_KEEPS_CHANGING' : null
}

async function readLoop(run: Run, start: string | null): Promise<LoopEnd> {
  const { plaid } = run
  const { jobs } = run.ctx.services
  const askFor = createPager(run)
  const loop: Loop = { changes: [], accounts: new Map(), setAside: new Map(), seq: 0, staged: false }
  if (start !== null && run.lease.hasSetAside) await takeSetAside(run, loop)
  let cursor = start
  for (let page = 0; page < maxPages; page += 1) {
    const isFull = loop.changes.length >= maxHeld
    if (isFull && !(await stage(run, loop))) return { kind: 'lease_lost' }
    const from = cursor
    // Staging renews the lease. Without it, the lease is renewed while the request runs.
    const [isHeld, result] = await Promise.all([
      page === 0 || isFull || renewLease(jobs, run.lease),
      askFor(page, () => plaid.syncTransactions(run.token, from)),
    ])
    if (!isHeld || result === null) return { kind: 'lease_lost' }
    recordResponse(run.stats, result)
    if (!result.ok) return { kind: 'failed', failure: result.failure, staged: loop.staged }
    const update = result.value
    if (update.transactions_update_status === 'NOT_READY')
      return { kind: 'failed', failure: internalFailure('not_ready', 'PRODUCT_NOT_READY'), staged: loop.staged }
    take(loop, update)
    if (!update.has_more)
      return { kind: 'end', cursor: update.next_cursor, status: update.transactions_update_status, loop }
    cursor = update.next_cursor
  }
  if (loop.staged) await unstage(jobs, run.lease)
  return { kind: 'failed', failure: internalFailure('ours', 'TOO_MANY_PAGES'), staged: false }
}

/** Retries the rows that earlier runs set aside, as if Plaid had sent them first. */
async function takeSetAside(run: Run, loop: Loop): Promise<void> {
  for (const text of await readSetAside(run.ctx.services.jobs, run.lease)) {
    const read = transactionSchema.safeParse(parseExactJson(text))
    if (read.success) loop.changes.push({ seq: loop.seq++, removed: false, ...rowOf(read.data) })
  }
}

interface SyncPage {
  readonly set_aside: readonly SetAsideRow[]
  readonly accounts: readonly PlaidAccount[]
  readonly added: readonly PlaidTransaction[]
  readonly modified: readonly PlaidTransaction[]
  readonly removed: readonly { readonly transaction_id: string }[]
}

/** `added` and `modified` are both upserts. The last entry of an id, in page order, wins. */
function take(loop: Loop, page: SyncPage): void {
  for (const account of page.accounts) loop.accounts.set(account.account_id, account)
  for (const list of ['added', 'modified'] as const) {
    for (const transaction of page[list]) {
      loop.setAside.delete(transaction.transaction_id)
      loop.changes.push({ seq: loop.seq++, removed: false, ...rowOf(transaction) })
    }
    keepSetAside(loop, page, list)
  }
  for (const { transaction_id: id } of page.removed) {
    loop.setAside.delete(id)
    loop.changes.push({ seq: loop.seq++, removed: true, plaid_transaction_id: id })
  }
  keepSetAside(loop, page, 'removed')
  keepSetAside(loop, page, 'accounts')
}

function keepSetAside(loop: Loop, page: SyncPage, list: string): void {
  for (const row of page.set_aside)
    if (row.list === list) {
      const key = row.kind === 'transaction' && row.rowId !== null ? row.rowId : loop.setAside.size
      loop.setAside.set(key, boundedRow(row, loop.setAside.size))
    }
}

/** Moves the changes in memory to the staging table. Returns false if the lease is lost. */
async function stage(run: Run, loop: Loop): Promise<boolean> {
  loop.staged = true
  return await stageTransactions(run.ctx.services.jobs, run.lease, loop.changes.splice(0))
}

async function commitOf(run: Run, end: Extract<LoopEnd, { kind: 'end' }>, from: string | null): Promise<ReadResult> {
  const setAside = [...end.loop.setAside.values()]
  const complete = end.status === null || end.status === 'HISTORICAL_UPDATE_COMPLETE'
  const settled = await settleAccounts(run, { accounts: [...end.loop.accounts.values()], set_aside: [] }, false)
  if (settled.kind === 'instead') return settled.answer
  return {
    kind: 'read',
    end: {
      cursor: end.cursor,
      historyStatus: end.status,
      againSeconds: complete ? null : historyPollSeconds,
      showsHealth: true,
    },
    statements: [
      requireStaged(run.lease, end.loop.seq - end.loop.changes.length),
      ...settled.statements,
      ...transactionStatements(run, end.loop.changes, setAside, from, complete),
      ...(from === null && run.lease.hasSetAside ? [forgetSetAside(run.lease)] : []),
      settleDuplicates(run.lease),
    ],
    setAside,
    markDirty: complete ? markFirstRecurringDirty(run.lease) : null,
  }
}

/** After a relink, stored rows are matched to the new ids before the merge; unmatched ones are dropped after it. */
function transactionStatements(
  run: Run,
  changes: readonly TransactionChange[],
  setAside: readonly SetAsideRow[],
  from: string | null,
  complete: boolean,
): Statement[] {
  const { days } = run.ctx.services.config.retention
  const merge = mergeTransactions({ ...run.lease, cursor: from }, changes, setAside, days)
  if (run.lease.linkEpoch === 0) return [merge]
  const rebind = withoutLoops(rebindTransactions(run.lease, changes))
  return complete ? [...rebind, merge, ...withoutLoops(dropUnmatched(run.lease))] : [...rebind, merge]
}

function rowOf({
  transaction_id: id,
  account_id: accountId,
  logo_url: logoUrl,
  website,
  personal_finance_category: category,
  ...transaction
}: PlaidTransaction): PlaidTransactionRow {
  return {
    ...transaction,
    plaid_transaction_id: id,
    plaid_account_id: accountId,
    name: transaction.name ?? transaction.merchant_name ?? '',
    merchant_logo_url: logoUrl,
    merchant_website: website,
    category_primary: category?.primary ?? null,
    category_detailed: category?.detailed ?? null,
    category_confidence: category?.confidence_level ?? null,
    category_version: category?.version ?? null,
  }
}
