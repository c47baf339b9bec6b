// Alarms about requests: what users notice.
import { hour, onEvents, percentOf, wasFrozen, pageWindow } from '../builders.ts'
import type { Rule } from '../rule.ts'

const httpMetric = 'wn_http_request_duration_seconds'
/** Fewer failed requests of a quiet night are no outage. */
const leastFailures = 5
const fewRequests = 'a deployment without users has no requests; npm run probe measures availability from outside'

/** Requests: what users notice. */
export const requests: readonly Rule[] = [
  {
    name: 'errors_5xx',
    severity: 'page',
    summary: 'Many requests fail.',
    unit: 'percent',
    reads: [httpMetric, 'wn_safety_switch'],
    measure: (readings) => {
      const failed = readings.count(httpMetric, 5, { status: '5xx' }) ?? 0
      if (failed < leastFailures || wasFrozen(readings, 5)) return null
      return percentOf(failed, readings.count(httpMetric, 5), 20)
    },
    windowMinutes: 5,
    firesAt: 5,
    clearsBelow: 1,
    afterMinutes: 2,
    clearAfterMinutes: 5,
    absence: { kind: 'quiet', why: fewRequests },
    heldBy: ['database_failing'],
  },
  {
    name: 'responses_slow',
    severity: 'ticket',
    summary: 'One of twenty requests takes longer than two seconds.',
    unit: 'seconds',
    reads: [httpMetric],
    measure: (readings) =>
      (readings.count(httpMetric, 15) ?? 0) < 20 ? null : readings.percentile(httpMetric, 15, 0.95),
    windowMinutes: 15,
    // A percentile is the upper bound of its bucket: the next one after 2 is 5.
    firesAt: 2.001,
    clearsBelow: 2.001,
    afterMinutes: 5,
    clearAfterMinutes: 10,
    absence: { kind: 'quiet', why: fewRequests },
  },
  onEvents(
    { name: 'rate_limiter_failing', severity: 'page', summary: 'Requests cannot be counted, so limits do not apply.' },
    10,
  ),
  onEvents(
    {
      name: 'client_address_unknown',
      severity: 'page',
      summary: 'Requests arrive without the address of their client.',
    },
    10,
  ),
  onEvents(
    { name: 'audit_missing', severity: 'page', summary: 'An audited request left no row in the audit trail.' },
    pageWindow,
  ),
  onEvents(
    {
      name: 'password_hashes_spent',
      severity: 'ticket',
      summary: 'Sign-ins are refused: the budget of password hashes is spent.',
    },
    30,
  ),
  onEvents(
    {
      name: 'refresh_tokens_reused',
      severity: 'ticket',
      summary: 'Refresh tokens were used twice: they may be stolen.',
    },
    hour,
    5,
  ),
]
