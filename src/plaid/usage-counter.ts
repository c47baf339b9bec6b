// Counts calls of Plaid's API in the isolate by endpoint and outcome, until they are stored. Holds names and numbers
// only.

export interface UsageCount {
  /** The path: `/transactions/sync`. */
  readonly endpoint: string
  /** `ok`, or the error's code. */
  readonly outcome: string
  readonly calls: number
}

export interface UsageCounter {
  count(endpoint: string, outcome: string): void
  /** Returns and resets the counts. */
  drain(): UsageCount[]
}

/** More outcomes than Plaid has. Further ones are counted together. */
const maxKinds = 1000
const codePattern = /^[A-Za-z][A-Za-z0-9_]{0,99}/

export function createUsageCounter(): UsageCounter {
  let counts = new Map<string, UsageCount>()
  return {
    count(endpoint, outcome) {
      const code = codePattern.exec(outcome)?.[0] ?? 'UNNAMED'
      const key = `${endpoint} ${code}`
      const kind = counts.has(key) || counts.size < maxKinds ? code : 'OTHER'
      const place = `${endpoint} ${kind}`
      counts.set(place, { endpoint, outcome: kind, calls: (counts.get(place)?.calls ?? 0) + 1 })
    },
    drain() {
      const drained = [...counts.values()]
      counts = new Map()
      return drained
    },
  }
}
