// Syncs one product: acquires the lease, reads from Plaid, commits. Idempotent and crash-safe: the product stays dirty
// until a commit clears the mark, and a commit is all or nothing.
import { recordTokenUse } from '../audit/token-use.ts'
import { aboutUser, type Ctx } from '../context.ts'
import { type CommitResult, commitRun, recordFailure, type RunReport } from '../db/commit.ts'
import { type Lease, acquireLease } from '../db/sync/work.ts'
import { AppError } from '../errors.ts'
import { retryWhileUnavailable } from '../retry.ts'
import { openAccessToken } from '../custody/access-token.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import type { Priority } from '../plaid/rate-limit/window.ts'
import { readBalances } from './balances.ts'
import { auditOfLoss } from './audit-of-loss.ts'
import { endOfFailure } from './failure.ts'
import { readHoldings } from './holdings.ts'
import { readInvestmentTransactions } from './investment-transactions.ts'
import { readItem } from './item.ts'
import { readLiabilities } from './liabilities.ts'
import { type SyncTrigger, syncTriggers } from '../messages/message.ts'
import type { SyncProduct } from './products.ts'
import { readRecurring } from './recurring.ts'
import { internalFailure, type ReadResult, type Reader, type Run, type RunStats } from './run.ts'
import { readTransactions } from './transactions.ts'

const readers: Readonly<Record<SyncProduct, Reader>> = {
  item: readItem,
  balances: readBalances,
  transactions: readTransactions,
  recurring: readRecurring,
  holdings: readHoldings,
  investment_transactions: readInvestmentTransactions,
  liabilities: readLiabilities,
}

const isProduct = (name: string): name is SyncProduct => Object.hasOwn(readers, name)

/** Whether a user may be waiting for the run. Runs that the sweep or other runs start have lower priority. */
const priorities: Readonly<Record<SyncTrigger, Priority>> = {
  link: 'interactive',
  user: 'interactive',
  webhook: 'interactive',
  again: 'interactive',
  raised: 'background',
  replay: 'background',
  sweep: 'background',
}

/** Attempts of a commit whose outcome is unknown. After the last one, the sweep starts another run. */
const commitAttempts = 3

export type SyncOutcome =
  | { readonly kind: 'committed' | 'superseded' | 'absent' | 'consent_needed' }
  /** Nothing to do, another run has the lease, or the item's state allows no run now. */
  | { readonly kind: 'idle'; readonly why: 'busy' | 'clean' | 'early' | 'stopped' | 'gone' }
  /** Our rate limiter admitted no call. Due in `afterSeconds`; enqueued for then if a user may be waiting. */
  | { readonly kind: 'deferred'; readonly afterSeconds: number; readonly failure: PlaidFailure }
  /** Stays dirty and is due in `afterSeconds`. */
  | { readonly kind: 'later'; readonly afterSeconds: number; readonly failure: PlaidFailure }

/**
 * Syncs one product. A retry does nothing if a later run has postponed the product.
 * @throws AppError `unavailable` if the database did not respond, `frozen` during a freeze; the product then stays due
 */
export async function syncProduct(
  given: Ctx,
  itemProductId: string,
  trigger: SyncTrigger,
  { isRetry = false } = {},
): Promise<SyncOutcome> {
  const startedAt = given.now().getTime()
  const taken = await acquireLease(given.services.jobs, itemProductId, given.services.newId(), isRetry)
  if (taken.kind !== 'taken') return { kind: 'idle', why: taken.kind }
  given.services.freeze.noteWritten(startedAt)
  const { lease } = taken
  const ctx = aboutUser(given, lease.userId)
  const stats: RunStats = { pages: 0, restarts: 0, requestIds: [], note: null }
  const report = (): RunReport => ({ trigger, ...stats })
  const result = await read(ctx, lease, stats, priorities[trigger])
  const outcome = await finishRun(ctx, lease, report, result)
  measure(ctx, lease.product, outcome, ctx.now().getTime() - startedAt)
  ctx.log.info('sync', {
    run_id: lease.runId,
    item_id: lease.itemId,
    item_product_id: itemProductId,
    product: lease.product,
    trigger,
    outcome: outcome.kind,
    pages: stats.pages,
    restarts: stats.restarts,
    duration_ms: ctx.now().getTime() - startedAt,
    ...(outcome.kind === 'later' || outcome.kind === 'deferred'
      ? { plaid_error_code: outcome.failure.errorCode, delay_seconds: outcome.afterSeconds }
      : {}),
  })
  return outcome
}

function measure({ services: { metrics } }: Ctx, product: string, outcome: SyncOutcome, milliseconds: number): void {
  // Paths of fields may follow the code. They would be too many labels.
  const [code = 'none'] = 'failure' in outcome ? outcome.failure.errorCode.split(' ', 1) : []
  metrics.count('wn_sync_runs_total', { product, outcome: outcome.kind, code })
  metrics.observe('wn_sync_duration_seconds', milliseconds, { product })
}

type Committed = Extract<CommitResult, { kind: 'committed' }>

/** The queue retries when the database is unavailable or frozen. Every other error is recorded with the run. */
const isLeftToQueue = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'unavailable' || error.code === 'frozen')

async function read(ctx: Ctx, lease: Lease, stats: RunStats, priority: Priority): Promise<ReadResult> {
  if (!isProduct(lease.product)) return { kind: 'failed', failure: internalFailure('ours', 'UNKNOWN_PRODUCT') }
  try {
    if (!lease.isUseRecorded) await recordTokenUse(ctx, lease)
    const token = await openAccessToken(ctx.services.keyring, lease.sealedToken, lease)
    const plaid = ctx.services.plaidFor({ priority, itemId: lease.itemId, userId: lease.userId })
    const run: Run = { ctx, lease, plaid, token, stats }
    return await readers[lease.product](run)
  } catch (error) {
    if (isLeftToQueue(error)) throw error
    ctx.log.error('sync_failed', { run_id: lease.runId, item_product_id: lease.itemProductId, error })
    return {
      kind: 'failed',
      failure: internalFailure('ours', error instanceof AppError ? error.code.toUpperCase() : 'INTERNAL'),
    }
  }
}

async function finishRun(ctx: Ctx, lease: Lease, report: () => RunReport, result: ReadResult): Promise<SyncOutcome> {
  switch (result.kind) {
    case 'lease_lost':
      return { kind: 'superseded' }
    case 'failed':
      return await handleFailure(ctx, lease, report(), result.failure)
    case 'read':
      return await commitResult(ctx, lease, report(), result)
  }
}

async function commitResult(
  ctx: Ctx,
  lease: Lease,
  report: RunReport,
  result: Extract<ReadResult, { kind: 'read' }>,
): Promise<SyncOutcome> {
  const { jobs, enqueue } = ctx.services
  let committed: CommitResult
  try {
    committed = await retryUntilOutcomeKnown(ctx, () =>
      commitRun(jobs, lease, report, result.end, result.statements, result.setAside, result.markDirty),
    )
  } catch (error) {
    if (isLeftToQueue(error)) throw error
    // The database rejected the rows (a violated constraint): nothing was stored and the cursor is unchanged.
    ctx.log.error('commit_refused', { run_id: lease.runId, item_product_id: lease.itemProductId, error })
    return await handleFailure(ctx, lease, report, internalFailure('ours', 'COMMIT_REFUSED'))
  }
  if (committed.kind === 'superseded') return { kind: 'superseded' }
  if (committed.kind === 'staging_lost')
    return await handleFailure(ctx, lease, report, internalFailure('restart', 'STAGING_LOST'))
  if (committed.kind === 'accounts_moved')
    return await handleFailure(ctx, lease, report, internalFailure('restart', 'ACCOUNTS_MOVED'))
  // After a lost response it is unknown whether the product was marked again meanwhile. A superfluous message is
  // harmless.
  if (committed.kind === 'committed_before' || committed.dirtyAgain) await enqueue([lease.itemProductId], 'again')
  if (committed.kind === 'committed' && committed.setAside !== null)
    ctx.log.warn('rows_set_aside', {
      run_id: lease.runId,
      item_id: lease.itemId,
      product: lease.product,
      count: committed.setAside.count,
      reason: committed.setAside.problems.join(', '),
    })
  if (committed.kind === 'committed') await notifyWatched(ctx, lease, committed)
  if (committed.kind === 'committed' && committed.markedDirty.length > 0) await enqueue(committed.markedDirty, 'raised')
  return { kind: 'committed' }
}

async function handleFailure(ctx: Ctx, lease: Lease, report: RunReport, failure: PlaidFailure): Promise<SyncOutcome> {
  const end = endOfFailure(failure, lease, ctx.services.random())
  const level = failure.class === 'ours' ? 'error' : 'warn'
  ctx.log[level]('sync_not_done', {
    run_id: lease.runId,
    item_id: lease.itemId,
    product: lease.product,
    outcome: end.outcome,
    plaid_error_type: failure.errorType,
    plaid_error_code: failure.errorCode,
    plaid_request_id: failure.requestId,
  })
  const row = await auditOfLoss(ctx, lease, end.itemStatus?.status)
  const ended = await retryUntilOutcomeKnown(ctx, () => recordFailure(ctx.services.jobs, lease, report, end, row))
  if (ended.kind === 'superseded') return { kind: 'superseded' }
  if (ended.kind === 'committed') {
    logLosses(ctx, lease, ended)
    await notifyWatched(ctx, lease, ended)
    if (ended.markedDirty.length > 0) await ctx.services.enqueue(ended.markedDirty, 'raised')
  }
  if (failure.class === 'deferred') {
    const trigger = syncTriggers.find((reason) => reason === report.trigger)
    if (trigger !== undefined && priorities[trigger] === 'interactive')
      await ctx.services.enqueue([lease.itemProductId], trigger, end.retrySeconds)
    return { kind: 'deferred', afterSeconds: end.retrySeconds, failure }
  }
  if (end.outcome === 'absent' || end.outcome === 'consent_needed') return { kind: end.outcome }
  return { kind: 'later', afterSeconds: end.retrySeconds, failure }
}

async function notifyWatched({ services }: Ctx, { itemId }: Lease, { watched }: Committed): Promise<void> {
  if (watched !== null) await services.live?.notify(watched.userId, { seq: watched.seq, items: [itemId] })
}

function logLosses(ctx: Ctx, { itemId }: Lease, ended: Committed): void {
  if (ended.tokenLost) ctx.log.error('access_token_lost', { item_id: itemId })
  if (ended.isLossHeld) ctx.log.warn('item_loss_held', { item_id: itemId })
  if (ended.lossesStoppedAt !== null) ctx.log.error('item_losses_stopped', { count: ended.lossesStoppedAt })
}

/** Repeats a commit whose outcome is unknown: the same batch takes effect once, and its result says what happened. */
const retryUntilOutcomeKnown = ({ services: { wait, random } }: Ctx, commit: () => Promise<CommitResult>) =>
  retryWhileUnavailable({ attempts: commitAttempts, firstPauseMs: 400, wait, random }, commit)
