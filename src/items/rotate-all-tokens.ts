// Rotates the access tokens of all items: each step enqueues the rotations of a few items, spread over time, and the next
// step. A token is replaced once, however often a step is repeated, because its rotation names it.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { recordAudit } from '../db/audit/record.ts'
import { execute } from '../db/core/client.ts'
import { countOldTokens, listOldTokens, type TokenCounts } from '../db/items/old-tokens.ts'
import { AppError } from '../errors.ts'
import type { TokensMessage } from '../messages/message.ts'

/** A quarter of the limit that rotations share with links (`other` in src/plaid/rate-limit/limits.ts). */
const perSecond = 2
/** Items of a step: one batch of the queue. */
const stepItems = 100
/** After its last step, a pass waits for its rotations; then the next one tries again those that Plaid refused. */
const passPauseSeconds = 300
const mostPasses = 5
/** How often a step looks whether a freeze has ended. */
const frozenPauseSeconds = 900

/**
 * Enqueues the first step for tokens that are older than `before`. Safe while such a rotation runs.
 * @throws AppError `unavailable` when the queue does not take the message
 */
export async function startTokenRotation(ctx: Ctx, before: Date): Promise<void> {
  const { services, log } = ctx
  const first: TokensMessage = { rotate_tokens_before: before.toISOString(), after: null, pass: 1 }
  // As with a rotation of the keys: a row without its rotation can be, a rotation without its row cannot.
  const row = await audit(ctx, { action: 'token_rotation_started', target: first.rotate_tokens_before })
  await execute(services.jobs, [recordAudit(row)])
  if (!(await services.enqueueTokens(first, 0)))
    throw new AppError('unavailable', 'The rotation could not be queued. Try again shortly.', { retryAfterSeconds: 5 })
  log.info('token_rotation_started', { reason: first.rotate_tokens_before })
}

export const tokenRotationProgress = ({ services }: Ctx, before: Date): Promise<TokenCounts> =>
  countOldTokens(services.jobs, before.toISOString())

interface NextStep {
  readonly message: TokensMessage
  readonly delaySeconds: number
}

/**
 * Enqueues the rotations of the next items. Returns the next step; null after the last one.
 * @throws AppError `unavailable` if the database does not respond
 */
export async function rotateTokensStep(ctx: Ctx, message: TokensMessage): Promise<NextStep | null> {
  const { jobs, enqueueRotations, freeze } = ctx.services
  if ((await freeze.check('/item/access_token/invalidate')) !== 'open') {
    ctx.log.info('token_rotation_frozen', { reason: message.rotate_tokens_before })
    return { message, delaySeconds: frozenPauseSeconds }
  }
  const { rotate_tokens_before: before, after, pass } = message
  if (pass > mostPasses) return await reportEnd(ctx, before)
  const items = await listOldTokens(jobs, { before, after, limit: stepItems })
  const queued = await enqueueRotations(items, perSecond)
  ctx.log.info('tokens_queued', { queued, count: items.length })
  const last = items.length < stepItems ? undefined : items.at(-1)
  if (last !== undefined)
    return { message: { ...message, after: last.itemId }, delaySeconds: Math.ceil(stepItems / perSecond) }
  return await nextPass(ctx, message, items.length)
}

/** The next pass, or, after the last one, the step that only counts what its rotations have left. */
async function nextPass(ctx: Ctx, message: TokensMessage, queued: number): Promise<NextStep | null> {
  const { rotate_tokens_before: before, pass } = message
  const { remaining } = await countOldTokens(ctx.services.jobs, before)
  if (remaining === 0) {
    ctx.log.info('token_rotation_finished', { reason: before })
    return null
  }
  return {
    message: { rotate_tokens_before: before, after: null, pass: pass + 1 },
    delaySeconds: Math.ceil(queued / perSecond) + passPauseSeconds,
  }
}

async function reportEnd({ services, log }: Ctx, before: string): Promise<null> {
  const { remaining } = await countOldTokens(services.jobs, before)
  if (remaining > 0) log.error('token_rotation_incomplete', { reason: before, count: remaining })
  else log.info('token_rotation_finished', { reason: before })
  return null
}
