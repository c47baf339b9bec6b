// Metrics as they are collected in an isolate, stored in a Durable Object, and read by the exposition and the alarms.

export type Labels = Readonly<Record<string, string>>

/** Measurements of one name and one set of labels. */
export interface Measured {
  readonly name: string
  readonly labels: Labels
  /** The sum of a counter's increments, or of a histogram's seconds. */
  readonly sum: number
  /** How many measurements there were. */
  readonly count: number
  readonly max: number
  /** The value of the newest measurement: that of a gauge. */
  readonly last: number
  /** Counts by bound of the catalog; the last one has no bound. Not cumulative. Absent for counters and gauges. */
  readonly buckets?: readonly number[]
}

/** The measurements of one minute. */
export interface Series extends Measured {
  /** The start of the minute. */
  readonly minuteMs: number
}

/** What an isolate adds. `lastMs`: when the newest measurement was made. */
export interface Point extends Series {
  readonly lastMs?: number
}

/** All measurements since the store exists. */
export interface Total extends Measured {
  /** When the newest measurement was made. */
  readonly updatedMs: number
}

export interface MetricsStore {
  /**
   * Adds points. A repeated `id` is ignored, so a call without a response can be repeated.
   * @throws if the points may not have been stored
   */
  add(points: readonly Point[], id?: string): Promise<void>
  /** The series of the minutes from `sinceMs` on, kept for a day; of all names, or of these. Rejects on failure. */
  read(since: { readonly sinceMs: number; readonly names?: readonly string[] }): Promise<readonly Series[]>
  /** The totals, and the last values of gauges, which are kept for longer than a day. Rejects on failure. */
  totals(of?: { readonly names?: readonly string[] }): Promise<readonly Total[]>
}
