// Limits password hashes of the whole deployment, the most expensive work that an unknown client can cause. Counted
// after all cheaper checks. Known devices and live sessions are exempt. A network from which someone has signed in has
// a second budget of the same size.
import { createAlarm } from '../monitoring/alarm.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { LimitStanding } from '../ratelimit/limiter.ts'
import { identityServices } from './services.ts'

const alarm = createAlarm()
const retryAfterFailureSeconds = 5

function tooMany(standings: readonly LimitStanding[]): AppError {
  return new AppError('rate_limited', 'Too many sign-ins at the moment. Try again later.', {
    reason: `limit ${standings.map(({ policy }) => policy).join(', ')}`,
    retryAfterSeconds: Math.ceil(Math.max(...standings.map(({ waitMs }) => waitMs)) / 1000),
  })
}

const uncounted = (cause: unknown): AppError =>
  new AppError('unavailable', 'The service is temporarily unavailable. Try again later.', {
    reason: 'the rate limiter failed',
    cause,
    retryAfterSeconds: retryAfterFailureSeconds,
  })

/**
 * Counts one hash of an unknown client.
 * @throws AppError `rate_limited` if the budget is used up, `unavailable` if the rate limiter fails
 */
export async function spendHash({ services, client, log, now }: Ctx): Promise<void> {
  const { limiter } = services
  if (limiter === null || client === undefined) return
  const { hashesPerMinute } = await identityServices(services)
  const { policies } = limiter
  const first = await limiter.check(policies.ofHash(client, hashesPerMinute))
  if (first.kind === 'admitted') return
  if (first.kind === 'failed') throw uncounted(first.error)
  const isKnownNetwork = await limiter.hasCounted(policies.ofSignedIn(client)).catch((error: unknown) => {
    throw uncounted(error)
  })
  if (isKnownNetwork) {
    const second = await limiter.check(policies.ofHashForKnown(hashesPerMinute))
    if (second.kind === 'admitted') return
    if (second.kind === 'failed') throw uncounted(second.error)
  }
  const count = alarm(now().getTime())
  if (count !== null)
    log.error('password_hashes_spent', {
      count,
      limit: hashesPerMinute,
      policy: first.standings.map(({ policy }) => policy).join(', '),
    })
  throw tooMany(first.standings)
}

/** Records that someone signed in from the client's network. A failure does not affect the sign-in. */
export async function rememberNetwork({ services: { limiter }, client }: Ctx): Promise<void> {
  if (limiter !== null && client !== undefined) await limiter.check(limiter.policies.ofSignedIn(client))
}
