// What a product's reader is given, and what it answers. Readers read; only the engine commits.
import type { Ctx } from '../context.ts'
import type { Secret } from '../crypto/secret.ts'
import type { Statement } from '../db/core/client.ts'
import type { SuccessfulRun } from '../db/commit.ts'
import type { Lease } from '../db/sync/work.ts'
import type { PlaidResult } from '../plaid/client.ts'
import type { Plaid } from '../plaid/endpoints.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import type { SetAsideRow } from '../plaid/rows.ts'

/** Counted while a run goes on; becomes its `sync_runs` row. */
export interface RunStats {
  pages: number
  restarts: number
  requestIds: string[]
  /** What was odd in a run that ended well, as a code; null as a rule. Becomes the row's `error_code`. */
  note: string | null
}

export interface Run {
  readonly ctx: Ctx
  readonly lease: Lease
  /** Plaid as this run may call it: for its item, and before or after those for whom somebody waits. */
  readonly plaid: Plaid
  readonly token: Secret
  readonly stats: RunStats
}

export type ReadAnswer =
  /** Everything was read: commit these statements, in this order. */
  | {
      readonly kind: 'read'
      readonly end: SuccessfulRun
      readonly statements: readonly Statement[]
      /** Rows that could not be read. Null for a product that has no rows. */
      readonly setAside: readonly SetAsideRow[] | null
      /** Raises other products' dirty marks and returns their ids. */
      readonly markDirty: Statement | null
    }
  | { readonly kind: 'failed'; readonly failure: PlaidFailure }
  /** Somebody else holds the lease by now: leave everything to them. */
  | { readonly kind: 'lease_lost' }

export type Reader = (run: Run) => Promise<ReadAnswer>

/** Keeps Plaid's request ids for support; the most recent ones where there are many. */
export function recordResponse(stats: RunStats, result: PlaidResult<unknown>): void {
  stats.pages += 1
  const id = result.ok ? result.requestId : result.failure.requestId
  if (id !== null && id !== '') stats.requestIds = [...stats.requestIds.slice(-19), id]
}

/** A failure that Plaid did not name, of our own finding. */
export function internalFailure(failureClass: PlaidFailure['class'], errorCode: string): PlaidFailure {
  return { class: failureClass, errorType: 'LOCAL', errorCode, status: 0, requestId: null, retryAfterSeconds: null }
}

/** The end of a run that read a snapshot: there is no cursor to keep. */
export const snapshotEnd: SuccessfulRun = { cursor: null, historyStatus: null, againSeconds: null, showsHealth: true }
