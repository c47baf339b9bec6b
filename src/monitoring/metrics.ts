// Writes counters and durations to an Analytics Engine dataset. Names and labels come from the code, never from input:
// no ids of users, no addresses.

/** The part of the binding that is used. Writing is fire-and-forget and does nothing in a local workerd. */
export interface Dataset {
  writeDataPoint(point: { indexes?: string[]; blobs?: string[]; doubles?: number[] }): void
}

export interface Metrics {
  /** Adds to a counter. Labels are stored in the order of their names. */
  count(name: string, labels?: Readonly<Record<string, string>>, value?: number): void
}

/**
 * Metrics in a dataset; without one they are dropped. A point is `{indexes: [name], blobs: labels, doubles: [value]}`.
 */
export function createMetrics(dataset: Dataset | undefined): Metrics {
  return {
    count: (name, labels = {}, value = 1) => {
      const blobs = Object.entries(labels)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([label, text]) => `${label}=${text}`)
      dataset?.writeDataPoint({ indexes: [name], blobs, doubles: [value] })
    },
  }
}
