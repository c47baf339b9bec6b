// Stops a request that is over a limit: by its address before anything is read, by its user once that is known, and by
// its failures where only a failure tells an attacker from a sender. Counts nothing by itself.
import type { Context } from 'hono'
import { parseBearer } from '../../auth/bearer.ts'
import { encodeHex, utf8 } from '../../crypto/encoding.ts'
import type { Identity } from '../../db/scope.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { type Client, clientOf } from '../../ratelimit/address.ts'
import type { Limiter, LimitStanding, Outcome } from '../../ratelimit/limiter.ts'
import type { RoutePolicy, Target } from '../../ratelimit/policies.ts'
import { servicesOf } from '../mount.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'
import { seconds } from './rate-limit-headers.ts'

type RequestContext = Context<HttpEnvironment>

/** Routes that are not answered while nobody can count them: guessing there is worth an attacker's while. */
const closedWithoutLimits: ReadonlySet<RoutePolicy | null> = new Set(['auth', 'link', 'sensitive'])
const retryAfterFailureSeconds = 5

function clientIn({ req }: RequestContext): Client {
  return clientOf(req.header('cf-connecting-ip') ?? null, req.header('cf-worker') ?? null)
}

function bringsLogin({ req }: RequestContext): boolean {
  return parseBearer(req.header('authorization') ?? null) !== null
}

function routePolicy(context: RequestContext): RoutePolicy | null {
  const limit = context.get('limit')
  return limit === 'webhook' ? null : limit
}

function tooMany(standings: readonly LimitStanding[]): AppError {
  const policies = [...new Set(standings.map(({ policy }) => policy))]
  return new AppError('rate_limited', 'There were too many requests. Try again later.', {
    reason: `limit ${policies.join(', ')}`,
    retryAfterSeconds: seconds(Math.max(...standings.map(({ waitMs }) => waitMs))),
    // The member that draft-ietf-httpapi-ratelimit-headers-11, §5.1, defines.
    extensions: { 'violated-policies': policies },
  })
}

/** An operator must hear of it also where the request goes on. */
function raiseAlarm(context: RequestContext, error: unknown): void {
  const route = context.get('route')
  context.get('log').error('rate_limiter_failed', { route, error })
  const { reporter } = servicesOf(context)
  reporter(context.executionCtx).captureError(error, { route, request_id: context.get('requestId') })
}

/** @throws AppError `rate_limited`; `unavailable` where limits cannot be told and the route is not for guessing at */
function apply(context: RequestContext, outcome: Outcome): void {
  context.get('limitOutcomes').push(outcome)
  if (outcome.kind === 'refused') throw tooMany(outcome.standings)
  if (outcome.kind !== 'failed') return
  if (closedWithoutLimits.has(routePolicy(context)))
    throw new AppError('unavailable', 'The service cannot count requests now.', {
      reason: 'the rate limiter failed',
      cause: outcome.error,
      retryAfterSeconds: retryAfterFailureSeconds,
    })
  raiseAlarm(context, outcome.error)
}

async function enforce(context: RequestContext, choose: (limiter: Limiter) => Target | null): Promise<void> {
  const { limiter } = servicesOf(context)
  const target = limiter && choose(limiter)
  if (limiter && target) apply(context, await limiter.check(target))
}

/** Before authentication. `open`: nobody is asked who he is, so a login that is brought along changes nothing. */
export function limitByAddress(access: 'open' | 'private'): Middleware {
  return async (context, next) => {
    const isAnonymous = access === 'open' || !bringsLogin(context)
    await enforce(context, ({ policies }) => policies.ofRequest(clientIn(context), routePolicy(context), isAnonymous))
    await next()
  }
}

/** A digest: the object's name outlives the request, and a subject can be an e-mail address. */
async function digestOf({ issuer, subject }: Identity): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', utf8(JSON.stringify([issuer, subject])))
  return encodeHex(new Uint8Array(digest))
}

/** After authentication. */
export function limitByUser(): Middleware {
  return async (context, next) => {
    const actor = context.get('actor')
    if (servicesOf(context).limiter !== null && actor.kind === 'user') {
      const key = await digestOf(actor.identity)
      await enforce(context, ({ policies }) => policies.ofUser(key, routePolicy(context)))
    }
    await next()
  }
}

/** Runs the rest and counts it when it fails with that code; over the limit, 429 takes the failure's place. */
async function countFailure(
  context: RequestContext,
  code: ErrorCode,
  next: () => Promise<void>,
  choose: (limiter: Limiter) => Target | null,
): Promise<void> {
  await next()
  const { error } = context
  if (!(error instanceof AppError) || error.code !== code) return
  const answer = context.res
  // Hono would carry the old answer's headers over.
  context.res = undefined
  await enforce(context, choose)
  context.res = answer
}

/**
 * Counts webhooks that fail verification, and those alone. Verification runs for every one, also of an address that is
 * over its limit: nothing cheaper tells Plaid's from others, and it costs less than a call of the object would.
 */
export function limitFailedWebhooks(): Middleware {
  return (context, next) =>
    countFailure(context, 'webhook_refused', next, ({ policies }) => policies.ofFailedWebhook(clientIn(context)))
}

/** Counts tokens that fail verification against the whole network; one that brought none was counted before. */
export function limitFailedLogins(): Middleware {
  return (context, next) =>
    countFailure(context, 'unauthorized', next, ({ policies }) =>
      bringsLogin(context) ? policies.ofFailedLogin(clientIn(context)) : null,
    )
}
