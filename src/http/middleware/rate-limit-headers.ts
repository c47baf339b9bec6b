// The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, structured fields). Reports decisions
// and makes none.
import type { LimitStanding, Outcome } from '../../ratelimit/limiter.ts'
import type { Limit } from '../../ratelimit/window.ts'
import type { Middleware } from '../request-state.ts'

/** Rounds up to whole seconds. */
export const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

/** §3: each policy once; address and user have the same policies. The names need no escaping. */
function policyField(limits: readonly Limit[]): string {
  const byName = new Map(limits.map((limit) => [limit.policy, limit]))
  return [...byName.values()]
    .map(({ policy, quota, windowMs }) => `"${policy}";q=${quota};w=${seconds(windowMs)}`)
    .join(', ')
}

const isTighter = (one: LimitStanding, other: LimitStanding): boolean =>
  one.remaining < other.remaining || (one.remaining === other.remaining && one.resetMs > other.resetMs)

/** §4: for each policy, the tighter one of address and user. */
function standingField(standings: readonly LimitStanding[]): string {
  const tightest = new Map<string, LimitStanding>()
  for (const standing of standings) {
    const other = tightest.get(standing.policy)
    if (other === undefined || isTighter(standing, other)) tightest.set(standing.policy, standing)
  }
  return [...tightest.values()]
    .map(({ policy, remaining, resetMs }) => `"${policy}";r=${remaining};t=${seconds(resetMs)}`)
    .join(', ')
}

/** After a refusal, only the limits that refused: `Retry-After` must not be earlier than any of them (§6). */
function toReport(outcomes: readonly Outcome[]): readonly LimitStanding[] {
  const known = outcomes.filter((outcome) => outcome.kind !== 'failed')
  const refused = known.filter(({ kind }) => kind === 'refused')
  return (refused.length > 0 ? refused : known).flatMap(({ standings }) => standings)
}

/** Mount it before the limits. */
export function rateLimitHeaders(): Middleware {
  return async (context, next) => {
    await next()
    const outcomes = context.get('limitOutcomes')
    const limits = outcomes.flatMap((outcome) => outcome.limits)
    const standings = toReport(outcomes)
    if (limits.length > 0) context.header('RateLimit-Policy', policyField(limits))
    if (standings.length > 0) context.header('RateLimit', standingField(standings))
  }
}
