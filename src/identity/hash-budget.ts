// One budget of password hashes for the whole deployment: hashing is what an unknown client can make it spend most CPU
// on. Spent after every cheaper check. Known devices and live sessions do not draw on it, so that its end never refuses
// them; a network from which somebody has signed in gets a second budget of the same size.
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
 * Takes one hash for a client of whom nothing is known.
 * @throws AppError `rate_limited` where the budget is spent, `unavailable` where it cannot be counted
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

/** Remembers that somebody signed in from the client's network. A failure costs nobody their sign-in. */
export async function rememberNetwork({ services: { limiter }, client }: Ctx): Promise<void> {
  if (limiter !== null && client !== undefined) await limiter.check(limiter.policies.ofSignedIn(client))
}
