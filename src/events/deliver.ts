// Delivers the due events of one endpoint: a few at a time, under a lease. A failure ends the batch, so that an endpoint
// that hangs holds a consumer for one timeout and not for one of each event.
import { audit } from '../audit/audit.ts'
import { aboutUser, type Ctx } from '../context.ts'
import type { Secret } from '../crypto/secret.ts'
import { openWebhookSecret } from '../custody/webhook-secret.ts'
import {
  type Attempt,
  type Attempted,
  claimEndpoint,
  type ClaimedEndpoint,
  recordAttempts,
  type Settled,
  type StoredEvent,
} from '../db/events/work.ts'
import { failingAttempts, failingDays, pauseSeconds, retrySeconds } from './backoff.ts'
import { trailOf } from './trail.ts'
import { eventBody } from './compose.ts'
import { destinationRules } from './rules.ts'
import { parseDestination } from './destination.ts'
import { isSuccess, send } from './send.ts'

/** Deliveries of one message. */
const batchSize = 20
/** One batch in so many deletes the oldest deliveries of an endpoint of a user or application, beyond those that are kept. */
const trimEvery = 32
const keptDeliveries = { user: 10_000, application: 100_000 }
/** Requests at the same time: workerd allows six connections, and the database needs one. */
const concurrency = 4
/** How long an endpoint rests when its host name could not be looked up, or its application has no access. */
const unavailableSeconds = 60
/** When its secret cannot be opened. */
const unreadableSeconds = 3600

/** The endpoint has asked to get nothing any more. */
const goneStatus = 410

type Results = Pick<Attempted, 'attempts' | 'outcome' | 'pauseSeconds'>

/** Delivers one batch and enqueues the next. */
export async function deliverEvents(given: Ctx, endpointId: string): Promise<void> {
  const { jobs, newId, enqueueDeliveries } = given.services
  const lease = newId()
  const claim = await claimEndpoint(jobs, endpointId, lease, batchSize)
  if (claim === null) return
  const { endpoint, due } = claim
  const ctx = endpoint.userId === null ? given : aboutUser(given, endpoint.userId)
  const results = await attemptAll(ctx, endpoint, due)
  const row = await audit(ctx, {
    action: 'webhook_endpoint_disabled',
    target: endpointId,
    ...trailOf(endpoint),
  })
  const attempted = {
    ...results,
    endpointId,
    lease,
    keep: ctx.services.random() < 1 / trimEvery ? keptOf(endpoint) : null,
  }
  const settled = await recordAttempts(jobs, attempted, { failingDays, failingAttempts }, row)
  report(ctx, endpointId, results, settled)
  if (settled?.hasMore === true) await enqueueDeliveries([endpointId])
}

function keptOf({ userId, applicationId }: ClaimedEndpoint): number | null {
  if (userId !== null) return keptDeliveries.user
  return applicationId === null ? null : keptDeliveries.application
}

async function attemptAll(ctx: Ctx, endpoint: ClaimedEndpoint, due: readonly StoredEvent[]): Promise<Results> {
  const nothing: Results = { attempts: [], outcome: 'none', pauseSeconds: 0 }
  if (due.length === 0) return nothing
  // While keys are refused, so is what they made.
  const isRefused = endpoint.applicationId !== null && ctx.services.config.apiKeys === null
  if (isRefused) return { ...nothing, pauseSeconds: unavailableSeconds }
  const place = await placeOf(ctx, endpoint)
  if (place === 'unsafe') return { ...nothing, outcome: 'unsafe' }
  if (place === 'unavailable') return { ...nothing, pauseSeconds: unavailableSeconds }
  const secrets = await secretsOf(ctx, endpoint)
  if (secrets === null) return { ...nothing, pauseSeconds: unreadableSeconds }
  const attempts = await sendEach(ctx, endpoint, secrets, due)
  if (attempts.some(({ status }) => status === goneStatus)) return { attempts, outcome: 'gone', pauseSeconds: 0 }
  if (attempts.some(({ outcome }) => outcome === 'delivered')) return { attempts, outcome: 'ok', pauseSeconds: 0 }
  if (attempts.every(({ outcome }) => outcome === 'malformed')) return { ...nothing, attempts }
  const pause = pauseSeconds(endpoint.failures + 1, ctx.services.random())
  return { attempts, outcome: 'failed', pauseSeconds: pause }
}

/** Whether the URL may be called now. The rules may be stricter than when it was stored, and its name may lead elsewhere. */
async function placeOf(
  { services, log }: Ctx,
  { id, url }: ClaimedEndpoint,
): Promise<'safe' | 'unsafe' | 'unavailable'> {
  const destination = parseDestination(url, destinationRules(services.config))
  if (!destination.ok) return 'unsafe'
  if (services.resolveHost === null || destination.isLoopback) return 'safe'
  try {
    // A name without an address is the endpoint's failure: the request finds it out.
    return (await services.resolveHost(destination.url.hostname)) === 'not_public' ? 'unsafe' : 'safe'
  } catch (error) {
    log.warn('event_host_not_resolved', { target_id: id, error })
    return 'unavailable'
  }
}

async function secretsOf(
  { services: { keyring }, log }: Ctx,
  { id: endpointId, userId, applicationId, secretSealed, previousSealed }: ClaimedEndpoint,
): Promise<readonly Secret[] | null> {
  const place = { ownerId: userId ?? applicationId, endpointId }
  const sealed = previousSealed === null ? [secretSealed] : [secretSealed, previousSealed]
  try {
    return await Promise.all(sealed.map((each) => openWebhookSecret(keyring, each, place)))
  } catch (error) {
    log.error('event_secret_unreadable', { target_id: endpointId, error })
    return null
  }
}

async function sendEach(
  ctx: Ctx,
  endpoint: ClaimedEndpoint,
  secrets: readonly Secret[],
  due: readonly StoredEvent[],
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = []
  const waiting = due.values()
  let hasFailed = false
  const work = async (): Promise<void> => {
    while (!hasFailed) {
      const next = waiting.next()
      if (next.done === true) return
      const attempt = await attemptOne(ctx, endpoint, secrets, next.value)
      attempts.push(attempt)
      hasFailed ||= attempt.outcome === 'failed'
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return attempts
}

async function attemptOne(
  { services, now, log }: Ctx,
  { url }: ClaimedEndpoint,
  secrets: readonly Secret[],
  event: StoredEvent,
): Promise<Attempt> {
  const { id, eventId, attempts } = event
  const retry = retrySeconds(attempts + 1, services.random())
  let body: string
  try {
    body = JSON.stringify(eventBody(event))
  } catch (error) {
    log.error('event_malformed', { target_id: id, error })
    return { id, outcome: 'malformed', status: null, durationMs: 0, error: 'malformed', retrySeconds: retry }
  }
  const clock = (): number => now().getTime()
  const outgoing = { url, id: eventId, body, secrets, nowMs: clock() }
  const result = await send(outgoing, { fetch: services.callEndpoint, now: clock })
  const { status, durationMs, error } = result
  const outcome = isSuccess(result) ? 'delivered' : 'failed'
  return {
    id,
    outcome,
    status,
    durationMs,
    error: error ?? (outcome === 'failed' ? 'status' : null),
    retrySeconds: retry,
  }
}

function report({ services, log }: Ctx, endpointId: string, results: Results, settled: Settled | null): void {
  for (const { outcome } of results.attempts) services.metrics.count('wn_event_deliveries_total', { outcome })
  log.info('events_delivered', {
    target_id: endpointId,
    outcome: results.outcome,
    count: results.attempts.filter(({ outcome }) => outcome === 'delivered').length,
    failed: results.attempts.filter(({ outcome }) => outcome !== 'delivered').length,
  })
  const reason = settled?.disabledReason ?? null
  if (reason !== null) log.warn('event_endpoint_disabled', { target_id: endpointId, reason })
}
