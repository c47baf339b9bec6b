// Maps a run's failure to the item's status, the time of the next attempt, and the text that the user reads.
import type { FailedRun } from '../db/commit.ts'
import { AppError, assertNever } from '../errors.ts'
import type { FailureClass, PlaidFailure } from '../plaid/errors.ts'

const hour = 3600

/** Exponential backoff with jitter: between half and all of `base × 2^attempts`, at most `most`. In seconds. */
export function backoffSeconds(attempts: number, random: number, base = 30, most = hour): number {
  return Math.ceil(Math.min(most, base * 2 ** Math.min(attempts, 20)) * (0.5 + random / 2))
}

const itemStatuses: Readonly<Partial<Record<FailureClass, string>>> = {
  institution_down: 'institution_down',
  update_mode: 'needs_update',
  at_bank: 'bank_action_required',
  gone: 'relink_required',
  relink: 'relink_required',
  revoked: 'revoked',
}

/** The item status that a failure implies; null if the failure is not the item's. */
export function itemStatusFor(failureClass: FailureClass): string | null {
  return itemStatuses[failureClass] ?? null
}

/** The outcome of a product's earlier runs. */
export interface ProductHistory {
  /** Consecutive failures. */
  readonly attempts: number
  /** Consecutive refusals: the item does not have the product, or consent is missing. */
  readonly refusals: number
  /** Whether a run has ever read the product. */
  readonly wasRead: boolean
}

/** The text for a product without consent. It stays until the product is read or fails in another way. */
export const consentError = 'The user has to agree to share this, in update mode of Link.'
/** Consecutive refusals before a product that was read before is paused: a single one may be Plaid's fault. */
const refusalsUntilRest = 2
/** The pause after the first, the second and every further refusal. In seconds. */
const rests = [hour, 24 * hour, 7 * 24 * hour] as const

const restSeconds = (refusals: number, random: number): number =>
  Math.ceil((rests[Math.min(refusals, rests.length - 1)] ?? rests[2]) * (0.9 + random / 5))

/** How a failed run is recorded. `random` is 0 ≤ x < 1. */
export function endOfFailure(failure: PlaidFailure, history: ProductHistory, random: number): FailedRun {
  const { attempts } = history
  const status = itemStatusFor(failure.class)
  const failed = (lastError: string, retrySeconds: number): FailedRun => ({
    outcome: 'failed',
    isRefusal: false,
    isFailure: true,
    asksItem: failure.class === 'item_error',
    errorCode: failure.errorCode.slice(0, 200),
    lastError,
    retrySeconds,
    itemStatus: status === null ? null : { status, reason: failure.errorCode },
  })
  const refused = (outcome: 'absent' | 'consent_needed', lastError: string): FailedRun => {
    const isEnough = !history.wasRead || history.refusals + 1 >= refusalsUntilRest
    const seconds = restSeconds(history.refusals, random)
    if (isEnough) return { ...failed(lastError, seconds), outcome, isRefusal: true }
    return {
      ...failed('Plaid does not offer this product at the moment. The next attempt follows.', seconds),
      isRefusal: true,
    }
  }
  const wait = failure.retryAfterSeconds ?? 0
  switch (failure.class) {
    case 'restart':
      return failed(
        'The data changed while they were read. The next attempt follows shortly.',
        backoffSeconds(attempts, random),
      )
    case 'retry':
      return failed('Plaid did not respond. The next attempt follows shortly.', backoffSeconds(attempts, random))
    case 'rate_limited':
      return failed(
        'Too many requests. The next attempt follows shortly.',
        Math.max(wait, backoffSeconds(attempts, random, 60)),
      )
    case 'deferred':
      // Plaid was not asked: the user sees no error, and the wait is known.
      return { ...failed('', Math.ceil(wait * (1 + random))), outcome: 'waiting', isFailure: false, lastError: null }
    case 'institution_down':
      return failed('The institution does not respond at the moment.', backoffSeconds(attempts, random, hour, 6 * hour))
    case 'item_error':
      return failed(
        'The institution reports a problem. The next attempt follows.',
        backoffSeconds(attempts, random, hour / 2, 6 * hour),
      )
    case 'not_ready':
      return { ...failed('', backoffSeconds(attempts, random, 5, 900)), outcome: 'waiting', lastError: null }
    case 'update_mode':
      return failed('The institution requires a new login.', 24 * hour)
    case 'at_bank':
      return failed('A problem must be resolved at the institution first.', 24 * hour)
    case 'product_absent':
      return refused('absent', 'The institution does not offer this product.')
    case 'consent_needed':
      return refused('consent_needed', consentError)
    case 'gone':
    case 'relink':
      return failed('The connection is lost. Link the institution again.', 24 * hour)
    case 'revoked':
      return failed('Access was revoked. Link the institution again.', 24 * hour)
    case 'ours':
      return failed('An internal error occurred. The operator is notified.', 6 * hour)
    default:
      return assertNever(failure.class)
  }
}

/** Failures that say nothing about a user, an item or an institution: of Plaid or of this deployment. */
const operators: ReadonlySet<FailureClass> = new Set(['retry', 'rate_limited', 'restart', 'ours'])

/** Whether the operator gets a report. Others are states of an item, which its user must change. */
export const isOperators = (failure: PlaidFailure): boolean => operators.has(failure.class)

/** The failure as an error, whose reason is the same for all items that fail in the same way. */
export function syncFailure({ class: kind, errorType, errorCode }: PlaidFailure): AppError {
  const code = kind === 'ours' ? 'internal' : 'plaid_unavailable'
  return new AppError(code, 'A sync failed.', { reason: `sync ${errorType} ${errorCode}` })
}
