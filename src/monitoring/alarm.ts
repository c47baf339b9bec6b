// Raises one alarm for many failures of a kind, so that an attacker cannot use up alarms.

const minuteMs = 60_000

/**
 * Counts failures of one kind. Returns how many happened since the last alarm if one is due now, at most once in
 * `everyMs`; else null.
 */
export function createAlarm(everyMs: number = minuteMs): (nowMs: number) => number | null {
  let count = 0
  let dueAtMs = Number.NEGATIVE_INFINITY
  return (nowMs) => {
    count += 1
    if (nowMs < dueAtMs) return null
    dueAtMs = nowMs + everyMs
    const reported = count
    count = 0
    return reported
  }
}
