// The request of a person to be erased. Tokens of the person are refused from then on; a repeated request returns the same erasure.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { registerUser } from '../db/core/scope.ts'
import { beginErasure, type Erasure, findErasureOf, getErasure } from '../db/privacy/erasures.ts'
import { AppError } from '../errors.ts'
import { withTimeout } from '../timeout.ts'
import { continueErasure } from './erase.ts'

/** How long the request waits for the erasure; the message and the cron continue it. */
const responseTimeoutMs = 20_000
const messageDelaySeconds = 60

/**
 * Begins the erasure and waits for a while.
 * @param password of a built-in account
 * @throws AppError `invalid_credentials`, `validation_failed` (a built-in account without a password), `unauthorized`
 */
export async function requestErasure(ctx: Ctx<User>, password: string | null): Promise<Erasure> {
  const { services, actor } = ctx
  const earlier = await findErasureOf(services.jobs, actor.identity)
  if (earlier !== null) {
    // The first request has written the row.
    ctx.audited?.('erasure_begun')
    return await waitFor(ctx, earlier.id)
  }
  await authenticateAgain(ctx, password)
  const userId = await registerUser(services.api, actor.identity)
  const newId = services.newId()
  const row = await audit(ctx, { action: 'erasure_begun', target: newId })
  const id = await beginErasure(services.jobs, userId, newId, row)
  ctx.log.info('erasure_begun', { user_id: userId })
  await services.enqueueErasure(id, messageDelaySeconds)
  return await waitFor(ctx, id)
}

/** A token without a session belongs to no built-in account. */
async function authenticateAgain(ctx: Ctx<User>, password: string | null): Promise<void> {
  if (ctx.services.identity === null || ctx.actor.sessionId === undefined) return
  if (password === null)
    throw new AppError('validation_failed', 'The password is required.', {
      fields: [{ pointer: '#/password', detail: 'Is required.' }],
    })
  const { reauthenticate } = await import('../identity/reauthenticate.ts')
  await reauthenticate(ctx, password)
}

async function waitFor(ctx: Ctx, id: string): Promise<Erasure> {
  try {
    await withTimeout(responseTimeoutMs, continueErasure(ctx, id), () => false)
  } catch (error) {
    ctx.log.error('erasure_failed', { error })
  }
  const erasure = await getErasure(ctx.services.jobs, id)
  if (erasure === null) throw new TypeError('the erasure is unknown')
  return erasure
}
