// Makes one report of many of a kind. Each costs the operator's quota at Sentry, and anyone can cause thousands of
// failures during an outage.

const minuteMs = 60_000
/** Reports of an isolate in a minute, of all kinds. */
const mostOfAll = 60
/** The most kinds that are counted apart. */
const mostKinds = 500
const otherKinds = 'other'

/** Sends a report by an invocation that is open. `count` is the number of failures that it stands for. */
type Send<Invocation> = (count: number, by: Invocation) => void

interface Kind<Invocation> {
  /** Until then, further reports of the kind are counted. */
  endsAtMs: number
  withheld: number
  /** Sends the newest of those that were withheld. */
  send: Send<Invocation>
}

export interface ReportBudget<Invocation> {
  /**
   * Sends the first report of a kind at once and counts those of the next minute. Returns whether this is the first one
   * that is counted: `flush` must be called for it.
   */
  readonly report: (kind: string, nowMs: number, by: Invocation, send: Send<Invocation>) => boolean
  /** Sends one report for all that were withheld of each kind whose minute has ended; of every kind with `all`. */
  readonly flush: (nowMs: number, by: Invocation, all?: 'all') => void
}

export function createReportBudget<Invocation>(): ReportBudget<Invocation> {
  const kinds = new Map<string, Kind<Invocation>>()
  let [endsAtMs, sent] = [Number.NEGATIVE_INFINITY, 0]

  const maySpend = (nowMs: number): boolean => {
    if (nowMs >= endsAtMs) [endsAtMs, sent] = [nowMs + minuteMs, 0]
    if (sent >= mostOfAll) return false
    sent += 1
    return true
  }
  const spend = (kind: Kind<Invocation>, nowMs: number, by: Invocation, count: number): void => {
    kind.endsAtMs = nowMs + minuteMs
    kind.withheld = 0
    kind.send(count, by)
  }
  /** Forgets kinds that have nothing to send, the oldest first. */
  const makeRoom = (): void => {
    for (const [name, { withheld }] of kinds) {
      if (kinds.size < mostKinds) return
      if (withheld === 0) kinds.delete(name)
    }
  }

  return {
    report: (name, nowMs, by, send) => {
      if (!kinds.has(name)) makeRoom()
      const kindName = kinds.has(name) || kinds.size < mostKinds ? name : otherKinds
      const kind = kinds.get(kindName) ?? { endsAtMs: Number.NEGATIVE_INFINITY, withheld: 0, send }
      kinds.set(kindName, kind)
      kind.send = send
      if (nowMs >= kind.endsAtMs && maySpend(nowMs)) {
        spend(kind, nowMs, by, kind.withheld + 1)
        return false
      }
      kind.withheld += 1
      return kind.withheld === 1
    },
    flush: (nowMs, by, all) => {
      for (const kind of kinds.values())
        if (kind.withheld > 0 && (all === 'all' || nowMs >= kind.endsAtMs) && maySpend(nowMs))
          spend(kind, nowMs, by, kind.withheld)
    },
  }
}
