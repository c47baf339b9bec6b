// A user requests a new access token. A queue consumer requests it from Plaid, because only Plaid's response contains
// the token and a client's disconnect could cancel a request.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { beginRotation, readRotation, type RotatedItem, withdrawRotation } from '../db/items/rotations.ts'
import { withTimeout } from '../timeout.ts'
import { AppError } from '../errors.ts'
import { openAccessToken } from '../custody/access-token.ts'

/** A rotation takes about a second. After ten seconds the client gets 202 and the rotation continues. */
const maxWaitMs = 10_000
const pollMs = 250

/**
 * Stores the intent and sends the message.
 * @throws AppError `not_found`; `conflict` while another rotation of the item is in progress; `token_undecryptable`;
 *   `unavailable` if the queue does not accept the message
 */
export async function requestRotation(ctx: Ctx<User>, id: string): Promise<RotatedItem> {
  const { api, jobs, keyring, enqueueRotation } = ctx.services
  const row = await audit(ctx, { action: 'token_rotation_requested', target: id })
  const item = await beginRotation(api, ctx.actor.identity, id, row)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  if (item === 'busy')
    throw new AppError('conflict', 'The access token is being rotated. Try again shortly.', { retryAfterSeconds: 60 })
  try {
    await openAccessToken(keyring, item.sealed, item)
    if (!(await enqueueRotation(item)))
      throw new AppError('unavailable', 'The rotation could not be queued. Try again shortly.', {
        retryAfterSeconds: 5,
      })
  } catch (error) {
    await withdrawRotation(jobs, item)
    throw error
  }
  return item
}

/**
 * Waits up to ten seconds for a rotation. Returns whether it has finished.
 * @throws AppError `plaid_unavailable` if the item keeps its old token; `not_found` if it was removed meanwhile
 */
export async function waitForRotation(ctx: Ctx<User>, item: RotatedItem): Promise<'rotated' | 'running'> {
  const { api, wait } = ctx.services
  const endMs = ctx.now().getTime() + maxWaitMs
  for (;;) {
    await wait(pollMs)
    const leftMs = endMs - ctx.now().getTime()
    if (leftMs <= 0) return 'running'
    const state = await withTimeout(leftMs, readRotation(api, ctx.actor.identity, item), () => 'running')
    if (state === 'rotated') return 'rotated'
    if (state === 'gone') throw new AppError('not_found', 'There is no such item.')
    if (state === 'kept')
      throw new AppError('plaid_unavailable', 'Plaid did not rotate the access token. The old one stays in use.')
  }
}
