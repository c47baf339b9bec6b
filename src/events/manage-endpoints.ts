// Endpoints of events, for their owners: each is a URL that gets signed events once it has answered a challenge.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { encodeBase64Url } from '../crypto/encoding.ts'
import { newWebhookSecret, openWebhookSecret, sealWebhookSecret } from '../custody/webhook-secret.ts'
import { registerUser } from '../db/core/scope.ts'
import {
  deleteEndpoint,
  type Endpoint,
  type EndpointChange,
  findEndpoint,
  insertEndpoint,
  insertPing,
  replaceSecret,
  updateEndpoint,
  verifyEndpoint,
} from '../db/events/endpoints.ts'
import type { EndpointOwner } from '../db/events/owner.ts'
import { AppError } from '../errors.ts'
import { parseDestination } from './destination.ts'
import { destinationRules } from './rules.ts'
import { isSuccess, send } from './send.ts'
import type { EventBody } from './types.ts'

/** Endpoints of a user, of an application, and of all administrators together. */
export const mostEndpoints = { user: 5, application: 10, everyone: 20 } as const
/** How long the old secret also signs. */
export const overlapHours = 24

const challengeBytes = 24

/**
 * The owner of a request: administrators manage the endpoints for the events of every user, and a key of an application that
 * names no user those for the events of all users of the application.
 */
export function ownerOf({
  services: { api, jobs },
  actor: { isAdministering, apiKey, identity },
}: Ctx<User>): EndpointOwner {
  if (isAdministering === true) return { kind: 'everyone', jobs }
  return apiKey?.actsAs === 'application'
    ? { kind: 'application', api, applicationId: apiKey.applicationId }
    : { kind: 'user', api, identity }
}

const noEndpoint = (): AppError => new AppError('not_found', 'There is no such endpoint.')

/** An endpoint and its secret, which is shown once. */
export interface WithSecret {
  readonly endpoint: Endpoint
  readonly secret: string
}

/**
 * Stores an endpoint and sends it a challenge. It gets events as soon as it has answered one.
 * @throws AppError `validation_failed` for a URL that may not be called; `conflict` beyond the limit
 */
export async function createEndpoint(
  ctx: Ctx<User>,
  { url, events }: { readonly url: string; readonly events: readonly string[] | null },
): Promise<WithSecret> {
  const { services, actor } = ctx
  const owner = ownerOf(ctx)
  const target = await requireDestination(ctx, url)
  const id = services.newId()
  const userId = owner.kind === 'user' ? await registerUser(services.api, actor.identity) : null
  const secret = newWebhookSecret()
  const applicationId = owner.kind === 'application' ? owner.applicationId : null
  const place = { ownerId: userId ?? applicationId, endpointId: id }
  const secretSealed = await sealWebhookSecret(services.keyring, secret, place)
  const row = await audit(ctx, { action: 'webhook_endpoint_created', target: id })
  const most = mostEndpoints[owner.kind]
  const created = await insertEndpoint(
    owner,
    { id, userId, applicationId, url: target, events, secretSealed },
    most,
    row,
  )
  if (created === null) throw new AppError('conflict', `There are ${most} endpoints already, which is the limit.`)
  return { endpoint: await challenge(ctx, created), secret }
}

/**
 * Changes an endpoint. With another URL, or when it is enabled again, it gets a challenge first.
 * @throws AppError `not_found`; `validation_failed` for a URL that may not be called
 */
export async function changeEndpoint(ctx: Ctx<User>, id: string, change: EndpointChange): Promise<Endpoint> {
  const url = change.url === undefined ? undefined : await requireDestination(ctx, change.url)
  const row = await audit(ctx, { action: 'webhook_endpoint_changed', target: id })
  const changed = await updateEndpoint(ownerOf(ctx), id, { ...change, url }, row)
  if (changed === null) throw noEndpoint()
  return await challenge(ctx, changed)
}

/**
 * Replaces the secret of an endpoint. The old one also signs for a day.
 * @throws AppError `not_found`; `conflict` if it was replaced at the same time
 */
export async function rotateSecret(ctx: Ctx<User>, id: string): Promise<WithSecret> {
  const owner = ownerOf(ctx)
  const found = await findEndpoint(owner, id)
  if (found === null) throw noEndpoint()
  const secret = newWebhookSecret()
  const place = { ownerId: found.userId ?? found.applicationId, endpointId: id }
  const sealed = await sealWebhookSecret(ctx.services.keyring, secret, place)
  const row = await audit(ctx, { action: 'webhook_secret_rotated', target: id })
  const endpoint = await replaceSecret(owner, found, sealed, overlapHours, row)
  if (endpoint === null)
    throw new AppError('conflict', 'The endpoint has changed. Try again.', { retryAfterSeconds: 1 })
  return { endpoint, secret }
}

/** @throws AppError `not_found` */
export async function removeEndpoint(ctx: Ctx<User>, id: string): Promise<void> {
  const row = await audit(ctx, { action: 'webhook_endpoint_deleted', target: id })
  if (!(await deleteEndpoint(ownerOf(ctx), id, row))) throw noEndpoint()
}

/**
 * Tests an endpoint: sends a challenge to one that has answered none, and an event `ping` to one that gets events.
 * @throws AppError `not_found`; `conflict` for one that is disabled
 */
export async function pingEndpoint(ctx: Ctx<User>, id: string): Promise<Endpoint> {
  const owner = ownerOf(ctx)
  const found = await findEndpoint(owner, id)
  if (found === null) throw noEndpoint()
  if (found.state === 'disabled') throw new AppError('conflict', 'The endpoint is disabled. Enable it first.')
  if (found.state === 'unverified') return await challenge(ctx, found)
  const row = await audit(ctx, { action: 'webhook_endpoint_tested', target: id })
  if (!(await insertPing(owner, id, row))) throw noEndpoint()
  return found
}

/** Sends a challenge to an endpoint that waits for one, and returns its new state. Any other is returned as it is. */
async function challenge(ctx: Ctx<User>, endpoint: Endpoint): Promise<Endpoint> {
  if (endpoint.state !== 'unverified') return endpoint
  const { services, now } = ctx
  const { id: endpointId, userId, applicationId, url, secretSealed } = endpoint
  const secret = await openWebhookSecret(services.keyring, secretSealed, {
    ownerId: userId ?? applicationId,
    endpointId,
  })
  const expected = encodeBase64Url(crypto.getRandomValues(new Uint8Array(challengeBytes)))
  const body: EventBody = {
    type: 'endpoint.verification',
    timestamp: now().toISOString(),
    data: { challenge: expected },
  }
  const clock = (): number => now().getTime()
  const outgoing = { url, id: services.newId(), body: JSON.stringify(body), secrets: [secret], nowMs: clock() }
  const result = await send(outgoing, { fetch: services.callEndpoint, now: clock, readsAnswer: true })
  const isVerified = isSuccess(result) && isAnswer(result.answer, expected)
  ctx.log.info('event_endpoint_challenged', {
    target_id: endpointId,
    ok: isVerified,
    reason: String(result.status ?? result.error),
  })
  if (!isVerified) return endpoint
  const row = await audit(ctx, { action: 'webhook_endpoint_verified', target: endpointId })
  const verified = await verifyEndpoint(ownerOf(ctx), endpoint, row)
  services.expectEvents()
  return verified ?? endpoint
}

/** `{"challenge": "…"}`. It is not signed: the owner of the URL decides what it gets. */
function isAnswer(answer: string | null, expected: string): boolean {
  try {
    const parsed: unknown = JSON.parse(answer ?? '')
    return typeof parsed === 'object' && parsed !== null && 'challenge' in parsed && parsed.challenge === expected
  } catch {
    return false
  }
}

/**
 * The URL in its canonical form.
 * @throws AppError `validation_failed`; `unavailable` if its host name could not be looked up
 */
async function requireDestination({ services }: Ctx, text: string): Promise<string> {
  const destination = parseDestination(text, destinationRules(services.config))
  if (!destination.ok) throw badUrl(destination.problem)
  const { url, isLoopback } = destination
  if (services.resolveHost === null || isLoopback) return url.href
  const resolution = await services.resolveHost(url.hostname).catch((cause: unknown) => {
    throw new AppError('unavailable', 'The host name could not be looked up. Try again shortly.', {
      cause,
      retryAfterSeconds: 5,
      reason: 'the resolver is unavailable',
    })
  })
  if (resolution !== 'public') throw badUrl('Must have a host name that leads to the public internet.')
  return url.href
}

const badUrl = (detail: string): AppError =>
  new AppError('validation_failed', 'The URL of the endpoint is not allowed.', {
    fields: [{ pointer: '#/url', detail }],
  })
