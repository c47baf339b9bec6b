// What an alarm rule is. rules.ts lists all of them.
import type { MetricName } from '../metrics/catalog.ts'
import type { OwnMetricName } from './own-metrics.ts'
import type { Readings } from './readings.ts'

/** `page` calls someone at any hour, `ticket` waits for the next working day. */
export type Severity = 'page' | 'ticket'

export type Unit = 'count' | 'percent' | 'seconds' | 'minutes' | 'hours'

/**
 * What it means that a rule has nothing to measure.
 * - `fires`: after so many minutes without data, the alarm fires.
 * - `same`: the rule stays as it is, because `gauges_missing` fires for all rules of that kind.
 * - `quiet`: nothing is wrong, for the reason given.
 */
export type Absence =
  | { readonly kind: 'fires'; readonly afterMinutes: number }
  | { readonly kind: 'same' }
  | { readonly kind: 'quiet'; readonly why: string }

/** A metric of the store, or one that the evaluation measures itself. */
export type MeasuredName = MetricName | OwnMetricName

export interface Rule {
  /** The name of the alarm, and of its page in docs/runbook.md. */
  readonly name: string
  readonly severity: Severity
  /** What an operator reads first: one sentence without numbers. */
  readonly summary: string
  readonly unit: Unit
  /** The measured value; null without data. Reads the metrics in `reads` only. */
  readonly measure: (readings: Readings) => number | null
  readonly reads: readonly MeasuredName[]
  /** The minutes of metrics that the measurement covers. */
  readonly windowMinutes: number
  /** The condition holds from this value on. */
  readonly firesAt: number
  /** A fired alarm resolves below this value; lower than `firesAt` where values vary around it. */
  readonly clearsBelow: number
  /** How long the condition must hold. */
  readonly afterMinutes: number
  /** How long the condition must be gone. */
  readonly clearAfterMinutes: number
  readonly absence: Absence
  /** Alarms of a common cause: while one of them fires, this rule does not begin to. */
  readonly heldBy?: readonly string[]
}
