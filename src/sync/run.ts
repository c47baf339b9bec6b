// The input and the result of a product's reader. Readers do not write product data; the engine commits.
import type { Ctx } from '../context.ts'
import type { Secret } from '../crypto/secret.ts'
import type { Statement } from '../db/core/statement.ts'
import type { SuccessfulRun } from '../db/commit.ts'
import type { Lease } from '../db/sync/work.ts'
import type { PlaidResult } from '../plaid/client.ts'
import type { Plaid } from '../plaid/endpoints.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import type { SetAsideRow } from '../plaid/rows.ts'

/** Counted during a run; stored in its `sync_runs` row. */
export interface RunStats {
  pages: number
  restarts: number
  requestIds: string[]
  /** A code for an irregularity in a successful run; usually null. Stored as the row's `error_code`. */
  note: string | null
}

export interface Run {
  readonly ctx: Ctx
  readonly lease: Lease
  /** Plaid's endpoints, with the item and the priority that the rate limiter counts. */
  readonly plaid: Plaid
  readonly token: Secret
  readonly stats: RunStats
}

export type ReadResult =
  /** Everything was read. The engine commits the statements in this order. */
  | {
      readonly kind: 'read'
      readonly end: SuccessfulRun
      readonly statements: readonly Statement[]
      /** Rows that could not be parsed. Null for a product without rows. */
      readonly setAside: readonly SetAsideRow[] | null
      /** Marks other products dirty and returns their ids. */
      readonly markDirty: Statement<string> | null
    }
  | { readonly kind: 'failed'; readonly failure: PlaidFailure }
  /** Another run has the lease: this one must stop. */
  | { readonly kind: 'lease_lost' }

export type Reader = (run: Run) => Promise<ReadResult>

/** Counts a response and keeps its request id for Plaid's support, at most the last 20. */
export function recordResponse(stats: RunStats, result: PlaidResult<unknown>): void {
  stats.pages += 1
  const id = result.ok ? result.requestId : result.failure.requestId
  if (id !== null && id !== '') stats.requestIds = [...stats.requestIds.slice(-19), id]
}

/** A failure that this service found, not Plaid. */
export function internalFailure(failureClass: PlaidFailure['class'], errorCode: string): PlaidFailure {
  return { class: failureClass, errorType: 'LOCAL', errorCode, status: 0, requestId: null, retryAfterSeconds: null }
}

/** The result of a run that read a snapshot, which has no cursor. */
export const snapshotEnd: SuccessfulRun = { cursor: null, historyStatus: null, againSeconds: null, showsHealth: true }
