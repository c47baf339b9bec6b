// Refuses requests over a limit: anonymous ones by address (strict), authenticated ones by address (generous) and by user, webhooks
// by failures. The Durable Objects count.
import type { Context } from 'hono'
import { sha256 } from '../../crypto/digest.ts'
import { encodeHex, utf8 } from '../../crypto/encoding.ts'
import type { Identity } from '../../db/core/scope.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import type { Limiter, LimitStanding, Outcome } from '../../ratelimit/limiter.ts'
import { createLocalLimit } from '../../ratelimit/local.ts'
import { policyOf, type RoutePolicy, type Target } from '../../ratelimit/policies.ts'
import { clientIn } from '../client.ts'
import { servicesOf } from '../mount.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'
import { seconds } from './rate-limit-headers.ts'

export type RequestContext = Context<HttpEnvironment>

/** Routes that are refused while requests cannot be counted: an attacker could guess, or calls cost money. */
const closedWithoutLimits: ReadonlySet<RoutePolicy | null> = new Set(['auth', 'link', 'sensitive', 'sync'])
const retryAfterFailureSeconds = 5

const routePolicy = (context: RequestContext): RoutePolicy | null => policyOf(context.get('limit'))

function tooMany(standings: readonly LimitStanding[]): AppError {
  const policies = [...new Set(standings.map(({ policy }) => policy))]
  return new AppError('rate_limited', 'Too many requests. Try again later.', {
    reason: `limit ${policies.join(', ')}`,
    retryAfterSeconds: seconds(Math.max(...standings.map(({ waitMs }) => waitMs))),
    // The member that draft-ietf-httpapi-ratelimit-headers-11, §5.1, defines.
    extensions: { 'violated-policies': policies },
  })
}

/** Alarms the operator once a minute, with the number of requests, even if they continue. */
function raiseAlarm(context: RequestContext, limiter: Limiter, error: unknown): void {
  const count = limiter.failureAlarm()
  if (count === null) return
  const route = context.get('route')
  context.get('log').error('rate_limiter_failed', { route, count, error })
  const { reporter } = servicesOf(context)
  reporter(context.executionCtx).captureError(error, { route, count, request_id: context.get('requestId') })
}

/** @throws AppError `unavailable` if the route is closed without limits, or too many requests continue without them */
function withoutLimits(context: RequestContext, limiter: Limiter, error: unknown): void {
  const isClosed = closedWithoutLimits.has(routePolicy(context))
  if (isClosed || !limiter.mayGoOnUncounted())
    throw new AppError('unavailable', 'The service is temporarily unavailable. Try again later.', {
      reason: 'the rate limiter failed',
      cause: error,
      retryAfterSeconds: retryAfterFailureSeconds,
    })
  raiseAlarm(context, limiter, error)
}

/** @throws AppError `rate_limited`; `unavailable` if limits are unknown and the route is closed without them */
function apply(context: RequestContext, limiter: Limiter, outcomes: readonly Outcome[]): void {
  context.get('limitOutcomes').push(...outcomes)
  const refusals = outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? outcome.standings : []))
  if (refusals.length > 0) throw tooMany(refusals)
  const failed = outcomes.find((outcome) => outcome.kind === 'failed')
  if (failed !== undefined) withoutLimits(context, limiter, failed.error)
}

async function enforce(context: RequestContext, choose: (limiter: Limiter) => Target): Promise<void> {
  const { limiter } = servicesOf(context)
  if (limiter) apply(context, limiter, [await limiter.check(choose(limiter))])
}

/** The limit of /health and preflights, which use no object. Far more than monitors and browsers send. */
const unmeteredQuota = 600
const unmeteredWindowMs = 60_000

/** Counts in this isolate only, by address, without the services. @throws AppError `rate_limited` */
export function createUnmeteredLimit(): (context: RequestContext) => void {
  const limit = createLocalLimit({ quota: unmeteredQuota, windowMs: unmeteredWindowMs })
  return (context) => {
    const services = context.get('services')
    if (!(services instanceof AppError) && services.limiter === null) return
    const waitMs = limit(clientIn(context).place, Date.now())
    if (waitMs > 0)
      throw new AppError('rate_limited', 'Too many requests. Try again later.', {
        reason: 'limit of the isolate',
        retryAfterSeconds: seconds(waitMs),
      })
  }
}

export function limitUnmetered(): Middleware {
  const limit = createUnmeteredLimit()
  return async (context, next) => {
    limit(context)
    await next()
  }
}

/** By address, before anything else: `open` routes ignore bearer tokens. */
export function limitByAddress(): Middleware {
  return async (context, next) => {
    await limitAnonymous(context)
    await next()
  }
}

/** Counts a request without a valid token. @throws AppError as `apply` */
export async function limitAnonymous(context: RequestContext): Promise<void> {
  await enforce(context, ({ policies }) => policies.ofRequest(clientIn(context), routePolicy(context)))
}

/** Counts a request by its address only, within the generous limit of valid tokens. @throws AppError as `apply` */
export async function limitAddress(context: RequestContext): Promise<void> {
  await enforce(context, ({ policies }) => policies.ofLogin(clientIn(context)))
}

/** @throws AppError `rate_limited` if the address is known to be over the limit of failed requests; counts nothing */
export function refuseOverLimit(context: RequestContext): void {
  const { limiter } = servicesOf(context)
  if (limiter === null) return
  const remembered = limiter.recall(limiter.policies.ofRequest(clientIn(context), routePolicy(context)))
  if (remembered !== null) apply(context, limiter, [remembered])
}

/** A digest, because the name of the object outlives the request and a subject can be an e-mail address. */
async function digestOf({ issuer, subject }: Identity): Promise<string> {
  return encodeHex(await sha256(utf8(JSON.stringify([issuer, subject]))))
}

/**
 * Counts a request with a verified token by its address and its user, concurrently. The first refusal of one costs the other
 * one admission; until it ends, this isolate refuses without checking either.
 * @param byAddress false if the request was counted by address already
 * @param keyId the API key of the request, which is counted too
 * @throws AppError as `apply`
 */
export async function limitLogin(
  context: RequestContext,
  identity: Identity,
  byAddress: boolean,
  keyId: string | null = null,
): Promise<void> {
  const { limiter } = servicesOf(context)
  if (limiter === null) return
  const { policies } = limiter
  const ofUser = policies.ofUser(await digestOf(identity), routePolicy(context))
  const ofAddress = byAddress ? [policies.ofLogin(clientIn(context))] : []
  const ofKey = keyId === null ? [] : [policies.ofApiKey(keyId)]
  apply(context, limiter, await limiter.checkAll([...ofAddress, ofUser, ...ofKey]))
}

/** Counts a failed request: an error of `count` replaces the failure. */
async function countFailure(context: RequestContext, count: () => Promise<void>): Promise<void> {
  const answer = context.res
  // Hono would keep the headers of the old response.
  context.res = undefined
  await count()
  context.res = answer
}

const failures: ReadonlySet<ErrorCode> = new Set(['webhook_refused', 'webhook_unverified'])

/**
 * Counts only webhooks that fail verification or cannot be verified; over the limit, 429 replaces the failure. Every webhook is
 * verified, even from an address over its limit: nothing cheaper identifies Plaid, and it costs less than a call of the object.
 */
export function limitFailedWebhooks(): Middleware {
  return async (context, next) => {
    await next()
    const { error } = context
    if (!(error instanceof AppError) || !failures.has(error.code)) return
    await countFailure(context, () => enforce(context, ({ policies }) => policies.ofFailedWebhook(clientIn(context))))
  }
}

/**
 * For refreshes: the generous limit of the address, because many users can share one. A refused token counts as an anonymous
 * request; over that limit, 429 replaces the refusal.
 */
export function limitRefreshes(): Middleware {
  return async (context, next) => {
    if (context.get('limit') !== 'refresh') return await limitByAddress()(context, next)
    await limitAddress(context)
    await next()
    const { error } = context
    if (!(error instanceof AppError) || error.code !== 'unauthorized') return
    await countFailure(context, () => limitAnonymous(context))
  }
}
