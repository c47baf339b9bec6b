// Ends a sync run, successful or failed: one transaction that begins with a compare-and-swap and inserts a `sync_runs`
// row.
import { sql } from 'drizzle-orm'
import { type AuditRow, recorded } from './audit/record.ts'
import * as z from 'zod'
import { batch, type JobsDatabase, longBatch } from './core/client.ts'
import { sqlState, sqlStateOf } from './core/sql-state.ts'
import { announced } from './items/item-update.ts'
import { becauseOf } from './operations/status-history.ts'
import { byIndex } from './core/plans.ts'
import { rotatingMinutes } from './items/rotations.ts'
import { selectWatched, type Watched } from './operations/live.ts'
import { lockLosses, lossesStopped, tripLosses } from './operations/safety-switches.ts'
import { type LeftAside, type SetAside, settleSetAside, storeSetAside } from './sync/set-aside.ts'
import { dropStaged } from './records/transactions-staging.ts'
import { awaitsTransactions, type Lease, lost } from './sync/work.ts'
import { command, idRow, query, type Statement } from './core/statement.ts'

export interface RunReport {
  readonly trigger: string
  readonly pages: number
  readonly restarts: number
  readonly requestIds: readonly string[]
  readonly note: string | null
}

export interface RunCounts {
  readonly upserted: number
  readonly removed: number
}

export interface SuccessfulRun {
  readonly cursor: string | null
  readonly historyStatus: string | null
  /** Seconds after which the product is read again without a webhook; null for not. */
  readonly againSeconds: number | null
  /**
   * Whether a successful run of the product shows that the item works. False for `item`, which writes the status
   * itself.
   */
  readonly showsHealth: boolean
}

export interface FailedRun {
  /** `absent`, `consent_needed`: Plaid refuses the product for this item, and it rests. */
  readonly outcome: 'failed' | 'waiting' | 'absent' | 'consent_needed'
  /** Whether Plaid refused the product, even if it does not rest yet. */
  readonly isRefusal: boolean
  /** Whether it counts as a consecutive failure, which makes the next wait longer. */
  readonly isFailure: boolean
  /** Whether to read the item's state now, because it may explain the failure. */
  readonly asksItem: boolean
  readonly errorCode: string
  /** Shown to the user; null keeps the product's previous error. */
  readonly lastError: string | null
  readonly retrySeconds: number
  readonly itemStatus: { readonly status: string; readonly reason: string } | null
}

export type CommitResult =
  | {
      readonly kind: 'committed'
      /** The user, if a client may watch them. */
      readonly watched: Watched | null
      readonly dirtyAgain: boolean
      readonly markedDirty: readonly string[]
      /** What this run could not read; null if it could read everything. */
      readonly setAside: { readonly count: number; readonly problems: readonly string[] } | null
      /** The access token was rotated, and the new one was never stored. */
      readonly tokenLost: boolean
      /**
       * The number of recently lost items, if this item was the last that the breaker let become lost; otherwise null.
       */
      readonly lossesStoppedAt: number | null
      /** The item would be lost now. The breaker prevents it, because too many items were lost recently. */
      readonly isLossHeld: boolean
    }
  | { readonly kind: 'committed_before' }
  | { readonly kind: 'superseded' }
  /** Staged pages are missing: nothing was stored, and the run has to read again. */
  | { readonly kind: 'staging_lost' }
  /**
   * The user's accounts have changed since the run compared them: nothing was stored, and the run has to read again.
   */
  | { readonly kind: 'accounts_moved' }

const begin = (lease: Lease, { requestIds }: RunReport) =>
  command(sql`select app.begin_commit(${lease.itemProductId}, ${lease.runId}, ${lease.cursor}),
    ${becauseOf({ kind: 'sync_run', id: lease.runId, requestIds })}, ${byIndex}`)

const setAsideCount = sql.raw("coalesce(nullif(current_setting('app.set_aside', true), ''), '0')::int")

/**
 * Inserts the run's record, with the counts that the statements of its batch left in `app.upserted`, `app.removed` and
 * `app.set_aside`. A sweep that finds an item unchanged inserts none, because there are hundreds of these a day.
 */
const insertRun = (lease: Lease, report: RunReport, outcome: string, errorCode: string | null) =>
  command(sql`insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, error_code,
    pages,
        restarts, upserted, removed, set_aside, plaid_request_ids, started_at)
      select ${lease.runId}::uuid, ${lease.userId}::uuid, ${lease.itemId}::uuid, ${lease.itemProductId}::uuid,
        ${lease.product}, ${report.trigger},
        ${outcome}, coalesce(${errorCode}, case when ${setAsideCount} > 0 then 'ROWS_SET_ASIDE' end),
          ${report.pages}::int, ${report.restarts}::int,
        coalesce(nullif(current_setting('app.upserted', true), ''), '0')::int,
        coalesce(nullif(current_setting('app.removed', true), ''), '0')::int, ${setAsideCount},
        ${sql.param(report.requestIds)}::text[], ${lease.startedAt}::timestamptz
      where not (${report.trigger === 'sweep' && lease.product === 'item' && outcome === 'committed'}
        and coalesce(nullif(current_setting('app.upserted', true), ''), '0') = '0')`)

/** After how many dirty marks of a product its old runs are deleted. */
const trimEvery = 32
/** How many runs of a product are kept. A user can have a product read without limit, so older runs are deleted. */
const keptRuns = 1000

const trimRuns = ({ itemProductId }: Lease) => command(sql`select app.trim_runs(${itemProductId}, ${keptRuns})`)

const finishedRow = z.object({ dirty_again: z.boolean() })

/**
 * Commits what a run read, all or nothing: `statements`, the rows that it could not read, the new cursor, the cleared
 * dirty mark and the run's record. `markDirty` marks other products dirty and returns their ids.
 * @throws AppError `unavailable` if the outcome is unknown; calling again finds it out (`committed_before`)
 */
export async function commitRun(
  jobs: JobsDatabase,
  lease: Lease,
  report: RunReport,
  end: SuccessfulRun,
  statements: readonly Statement[],
  setAside: readonly SetAside[] | null,
  markDirty: Statement<string> | null,
): Promise<CommitResult> {
  const finished = query(
    finishedRow,
    sql`update item_products set cursor = ${end.cursor}, history_status = coalesce(${end.historyStatus},
      history_status),
        dirty_seq = dirty_seq + ${end.againSeconds === null ? 0 : 1}, synced_seq = ${lease.dirtySeq}, status = 'ok',
        lease_owner = null, lease_expires_at = null, attempts = 0, refusals = 0, last_error = null,
        last_synced_at = ${lease.startedAt}::timestamptz,
        next_attempt_at = now() + make_interval(secs => ${end.againSeconds ?? 0})
      where id = ${lease.itemProductId} returning dirty_seq - ${end.againSeconds === null ? 0 : 1} > synced_seq as
        dirty_again`,
  )
  // An item with transactions is `initializing` until its first transactions are stored. An announced deadline becomes
  // the status again when a bank has recovered from an outage.
  const ahead = announced(sql`i.consent_expires_at`)
  const status = command(sql`update items i set updated_at = now(),
        status = case ${ahead.status} else 'healthy' end, status_reason = case ${ahead.reason} end
      where i.id = ${lease.itemId} and ${end.showsHealth} and (i.status = 'institution_down'
        or i.status = 'initializing' and not ${awaitsTransactions})`)
  return await guarded(async () => {
    const { product, marked, left, watched } = await longBatch(jobs, {
      begun: begin(lease, report),
      product: finished,
      item: status,
      marked: markDirty,
      trimmed: lease.dirtySeq % trimEvery === 0 ? trimRuns(lease) : null,
      unread: storeSetAside(lease, setAside ?? []),
      rows: statements,
      left: setAside === null ? null : settleSetAside(lease),
      unstaged: dropStaged(lease),
      run: insertRun(lease, report, 'committed', report.note),
      watched: selectWatched(lease.userId),
    })
    return {
      kind: 'committed',
      watched: watched[0] ?? null,
      dirtyAgain: product[0]?.dirty_again === true,
      markedDirty: marked,
      setAside: setAsideOf(left[0]),
      tokenLost: false,
      lossesStoppedAt: null,
      isLossHeld: false,
    }
  })
}

const setAsideOf = (left: LeftAside | undefined) =>
  left === undefined || left.seen === 0 ? null : { count: left.seen, problems: left.problems }

/** Plaid rejects the token. During a rotation this says nothing about the item. */
const tokenCodes: ReadonlySet<string> = new Set(['INVALID_ACCESS_TOKEN', 'ITEM_NOT_FOUND'])

/** The user's text, and the time to the next attempt, while the breaker keeps items from being lost. */
const heldText = 'Plaid does not accept the connection at the moment. It is tried again.'
const heldSeconds = 3600

const lostRow = z.object({ token_lost: z.boolean() })

/**
 * Releases the lease without data. The dirty mark stays, and the sweep finds it after `retrySeconds`.
 * @param audit is stored if the item's status changes to one that only a new link ends
 */
export async function recordFailure(
  jobs: JobsDatabase,
  lease: Lease,
  report: RunReport,
  end: FailedRun,
  audit: AuditRow | null,
): Promise<CommitResult> {
  const productStatus = { failed: 'error', waiting: 'pending', absent: 'absent', consent_needed: 'consent_needed' }[
    end.outcome
  ]
  const mayBeRotating = tokenCodes.has(end.errorCode)
  const rotating = sql`${mayBeRotating} and i.rotation_started_at > now() - make_interval(mins => ${rotatingMinutes})`
  const held = sql`${mayBeRotating} and ${lossesStopped}`
  // A run that failed with a token that was replaced meanwhile is retried immediately.
  const replaced = sql`i.access_token_sealed <> ${lease.sealedToken}`
  return await guarded(async () => {
    const { breaker, item, tripped, marked, watched } = await batch(jobs, {
      begun: begin(lease, report),
      breaker: lockLosses(mayBeRotating),
      product: command(sql`update item_products p set lease_owner = null, lease_expires_at = null,
          attempts = p.attempts + ${end.isFailure ? 1 : 0},
            refusals = least(p.refusals + ${end.isRefusal ? 1 : 0}, 1000),
            status = case when ${productStatus} = 'pending' and p.last_synced_at is not null and p.refusals = 0
              then 'ok' else ${productStatus} end,
            last_error = case when ${held} then ${heldText} else coalesce(${end.lastError}, p.last_error) end,
            next_attempt_at = now() + make_interval(secs => case when ${replaced} then 0 when ${rotating} then 60
              when ${held} then ${heldSeconds} else ${end.retrySeconds} end)
          from items i where p.id = ${lease.itemProductId} and i.id = p.item_id`),
      item: query(
        lostRow,
        sql`update items i set status = ${end.itemStatus?.status ?? ''}, updated_at = now(),
            lost_at = case when ${mayBeRotating} then now() else i.lost_at end,
            status_reason = case when ${mayBeRotating} and i.rotation_started_at is not null then 'ACCESS_TOKEN_LOST'
              else ${end.itemStatus?.reason ?? null} end
          where i.id = ${lease.itemId} and i.status not in (${lost}) and ${end.itemStatus !== null}
            and not (${replaced}) and not coalesce(${rotating}, false) and not (${held})
          returning ${mayBeRotating} and i.rotation_started_at is not null as token_lost,
            ${audit === null ? sql`null` : recorded(audit)}`,
      ),
      tripped: tripLosses(mayBeRotating),
      unstaged: dropStaged(lease),
      run: insertRun(lease, report, end.outcome, end.errorCode),
      marked: query(
        idRow,
        sql`update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now()
          where item_id = ${lease.itemId} and product = 'item' and id <> ${lease.itemProductId} and ${end.asksItem}
            returning id`,
      ),
      watched: selectWatched(lease.userId),
    })
    return {
      kind: 'committed',
      watched: watched[0] ?? null,
      dirtyAgain: false,
      markedDirty: marked,
      setAside: null,
      tokenLost: item[0]?.token_lost === true,
      lossesStoppedAt: tripped[0]?.count ?? null,
      isLossHeld: breaker[0]?.state === 'tripped',
    }
  })
}

/** The meaning of a rejected commit, by its SQLSTATE. */
const outcomes: ReadonlyMap<string | null, Exclude<CommitResult['kind'], 'committed'>> = new Map([
  [sqlState.runCommitted, 'committed_before'],
  [sqlState.leaseLost, 'superseded'],
  [sqlState.itemRemoved, 'superseded'],
  [sqlState.cursorMoved, 'superseded'],
  [sqlState.stagingLost, 'staging_lost'],
  [sqlState.accountsChanged, 'accounts_moved'],
])

async function guarded(commit: () => Promise<CommitResult>): Promise<CommitResult> {
  try {
    return await commit()
  } catch (error) {
    const kind = outcomes.get(sqlStateOf(error))
    if (kind === undefined) throw error
    return { kind }
  }
}
