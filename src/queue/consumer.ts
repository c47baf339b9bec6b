// Consumes messages of the queues of syncs and of events. Acknowledges or retries each message separately and never throws: an exception
// would retry the whole batch.
import type { Ctx } from '../context.ts'
import { rotatingMinutes } from '../db/items/rotations.ts'
import { AppError } from '../errors.ts'
import { deliverEvents } from '../events/deliver.ts'
import { pauseSeconds, rewrapBatch } from '../keys/rotate-keys.ts'
import { rotateAccessToken } from '../items/rotate-access-token.ts'
import { rotateTokensStep } from '../items/rotate-all-tokens.ts'
import { checkUsers } from '../link/check-users.ts'
import { finishLinkSession } from '../link/finish-session.ts'
import { syncProduct } from '../sync/engine.ts'
import { continueErasure } from '../privacy/erase.ts'
import { backoffSeconds, isOperators, syncFailure } from '../sync/failure.ts'
import {
  type ProductMessage,
  type RewrapMessage,
  type SyncMessage,
  syncMessageSchema,
  type TokensMessage,
} from '../messages/message.ts'
import type { RequestedRotation } from '../messages/producer.ts'
import { type Delivery, deliver } from './delivery.ts'

/** Longer delays are left to the sweep, which finds the row when it is due. */
const longestRetrySeconds = 900
const busyRetrySeconds = 60
/**
 * A message that this version does not know may be one of a newer version, which runs during a deployment too. It
 * is tried until the newer version receives it, and is a dead letter after the last attempt.
 */
const unknownRetrySeconds = 120
/** How often a message that is stored nowhere else looks whether a freeze has ended. */
const frozenRetrySeconds = 900

const isFrozen = (error: unknown): boolean => error instanceof AppError && error.code === 'frozen'

/** Handles the messages one after the other: each may need several of the invocation's six connections. */
export async function consumeSync(ctx: Ctx, batch: MessageBatch): Promise<void> {
  for (const message of batch.messages) {
    const parsed = syncMessageSchema.safeParse(message.body)
    const body = parsed.success ? parsed.data : null
    await deliver(ctx, { message, body, queue: batch.queue }, (given, delivery) => consumeOne(given, delivery, body))
  }
}

async function consumeOne(ctx: Ctx, message: Delivery, body: SyncMessage | null): Promise<void> {
  if (body === null) {
    ctx.log.error('message_malformed', { message_id: message.id, attempt: message.attempts })
    message.fail(new AppError('internal', 'A message is malformed.', { reason: 'message_malformed' }))
    return message.retry({ delaySeconds: unknownRetrySeconds })
  }
  if ('link_session_id' in body) return await consumeLinkSession(ctx, message, body.link_session_id)
  if ('rotate_item_id' in body)
    return await consumeRotation(ctx, message, {
      itemId: body.rotate_item_id,
      tokenDigest: body.token_digest,
      isBackground: body.background === true,
    })
  if ('rotate_tokens_before' in body) return await consumeTokens(ctx, message, body)
  if ('rewrap' in body) return await consumeRewrap(ctx, message, body)
  if ('erasure_id' in body) return await consumeErasure(ctx, message, body.erasure_id)
  if ('deliver_endpoint_id' in body) return await consumeEvents(ctx, message, body.deliver_endpoint_id)
  if ('check_user_ids' in body) return await consumeUserChecks(ctx, message, body.check_user_ids)
  await consumeProduct(ctx, message, body)
}

async function consumeProduct(
  ctx: Ctx,
  message: Delivery,
  { item_product_id: itemProductId, reason }: ProductMessage,
): Promise<void> {
  try {
    const outcome = await syncProduct(ctx, itemProductId, reason, { isRetry: message.attempts > 1 })
    if (outcome.kind === 'later' && isOperators(outcome.failure)) message.fail(syncFailure(outcome.failure))
    // The sweep enqueues its rows again. Retrying its messages too would multiply messages during an outage.
    if (outcome.kind === 'later' && reason !== 'sweep' && isWorthRetrying(outcome.afterSeconds, outcome.failure.class))
      message.retry({ delaySeconds: outcome.afterSeconds })
    // The lease may belong to the first delivery of this message, which crashed.
    else if (outcome.kind === 'idle' && outcome.why === 'busy' && message.attempts > 1)
      message.retry({ delaySeconds: busyRetrySeconds })
    else message.ack()
  } catch (error) {
    // The product stays dirty: the first sweep after the freeze enqueues it again.
    if (isFrozen(error)) return leave(ctx, message)
    message.fail(error)
    ctx.log.error('message_failed', {
      message_id: message.id,
      item_product_id: itemProductId,
      attempt: message.attempts,
      error,
    })
    const transient = error instanceof AppError && error.code === 'unavailable'
    message.retry({
      delaySeconds: backoffSeconds(message.attempts, ctx.services.random(), transient ? 5 : 30, longestRetrySeconds),
    })
  }
}

function leave(ctx: Ctx, message: Delivery): void {
  ctx.log.info('message_left_frozen', { message_id: message.id })
  message.ack()
}

async function consumeLinkSession(ctx: Ctx, message: Delivery, sessionId: string): Promise<void> {
  try {
    await finishLinkSession(ctx, sessionId)
    message.ack()
  } catch (error) {
    // The session stays due: the reconciler checks it after the freeze.
    if (isFrozen(error)) return leave(ctx, message)
    message.fail(error)
    ctx.log.error('message_failed', { message_id: message.id, attempt: message.attempts, error })
    message.retry({ delaySeconds: backoffSeconds(message.attempts, ctx.services.random(), 5, longestRetrySeconds) })
  }
}

/**
 * A rotation that Plaid refused is not retried: the user sees the error and can request it again. A delivery that finds
 * another one running is retried after the lease of that one has ended. During a freeze the message is sent again as a
 * new one, because a freeze may outlast the retries of a message.
 */
async function consumeRotation(ctx: Ctx, message: Delivery, rotation: RequestedRotation): Promise<void> {
  try {
    const outcome = await rotateAccessToken(
      ctx,
      rotation,
      rotation.isBackground === true ? 'background' : 'interactive',
    )
    if (outcome === 'busy') message.retry({ delaySeconds: rotatingMinutes * 60 })
    else message.ack()
  } catch (error) {
    if (isFrozen(error) && (await ctx.services.enqueueRotation(rotation, frozenRetrySeconds)))
      return leave(ctx, message)
    message.fail(error)
    ctx.log.error('rotation_failed', { item_id: rotation.itemId, attempt: message.attempts, error })
    if (error instanceof AppError && (error.code === 'unavailable' || error.code === 'frozen'))
      message.retry({ delaySeconds: backoffSeconds(message.attempts, ctx.services.random(), 5, longestRetrySeconds) })
    else message.ack()
  }
}

/** A message that fails is not retried: the deliveries stay due, and the cron sends another one. */
async function consumeEvents(ctx: Ctx, message: Delivery, endpointId: string): Promise<void> {
  try {
    await deliverEvents(ctx, endpointId)
  } catch (error) {
    if (isFrozen(error)) return leave(ctx, message)
    message.fail(error)
    ctx.log.error('message_failed', { message_id: message.id, attempt: message.attempts, error })
  }
  message.ack()
}

/** A failed call of Plaid postpones its user and is not an error of the message. */
async function consumeUserChecks(ctx: Ctx, message: Delivery, userIds: readonly string[]): Promise<void> {
  try {
    await checkUsers(ctx, userIds)
    message.ack()
  } catch (error) {
    message.fail(error)
    ctx.log.error('message_failed', { message_id: message.id, attempt: message.attempts, error })
    message.retry({ delaySeconds: backoffSeconds(message.attempts, ctx.services.random(), 30, longestRetrySeconds) })
  }
}

/** Acknowledges a message once its successor is in the queue, so that an interrupted step is repeated. */
async function consumeRewrap(ctx: Ctx, message: Delivery, step: RewrapMessage): Promise<void> {
  try {
    const next = await rewrapBatch(ctx, step)
    if (next === null || (await ctx.services.enqueueRewrap(next, pauseSeconds))) message.ack()
    else message.retry({ delaySeconds: busyRetrySeconds })
  } catch (error) {
    message.fail(error)
    ctx.log.error('rewrap_failed', { phase: step.rewrap, attempt: message.attempts, error })
    message.retry({ delaySeconds: busyRetrySeconds })
  }
}

/** What an erasure waits for can take longer than retries do; the cron continues it then. */
async function consumeErasure(ctx: Ctx, message: Delivery, id: string): Promise<void> {
  try {
    await continueErasure(ctx, id)
    message.ack()
  } catch (error) {
    message.fail(error)
    ctx.log.error('erasure_failed', { attempt: message.attempts, error })
    message.retry({ delaySeconds: backoffSeconds(message.attempts, ctx.services.random(), 30, longestRetrySeconds) })
  }
}

/** The same for a step of a rotation of all access tokens. */
async function consumeTokens(ctx: Ctx, message: Delivery, step: TokensMessage): Promise<void> {
  try {
    const next = await rotateTokensStep(ctx, step)
    if (next === null || (await ctx.services.enqueueTokens(next.message, next.delaySeconds))) message.ack()
    else message.retry({ delaySeconds: busyRetrySeconds })
  } catch (error) {
    message.fail(error)
    ctx.log.error('token_rotation_step_failed', { attempt: message.attempts, error })
    message.retry({ delaySeconds: busyRetrySeconds })
  }
}

const isWorthRetrying = (afterSeconds: number, failureClass: string): boolean =>
  afterSeconds <= longestRetrySeconds && failureClass !== 'ours'
