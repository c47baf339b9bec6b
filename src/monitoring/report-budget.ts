// Limits the reports of an isolate per minute. Each costs the operator's quota at Sentry, and anyone can cause
// thousands of failures during an outage.

const minuteMs = 60_000
const mostOfAKind = 10
const mostOfAll = 60

/**
 * Counts a report of a kind. Returns how many were withheld since the last one that was sent, or null to withhold this
 * one.
 */
export type ReportBudget = (kind: string, nowMs: number) => number | null

export function createReportBudget(): ReportBudget {
  let endsAtMs = Number.NEGATIVE_INFINITY
  let sent = 0
  let withheld = 0
  const sentByKind = new Map<string, number>()
  return (kind, nowMs) => {
    if (nowMs >= endsAtMs) {
      endsAtMs = nowMs + minuteMs
      sent = 0
      sentByKind.clear()
    }
    const ofKind = sentByKind.get(kind) ?? 0
    if (ofKind >= mostOfAKind || sent >= mostOfAll) {
      withheld += 1
      return null
    }
    sent += 1
    sentByKind.set(kind, ofKind + 1)
    const before = withheld
    withheld = 0
    return before
  }
}
