// Notifies a user's live sockets that something has changed, or ends them. Neither fails the work that it follows.
import type { Ctx, User } from '../context.ts'
import type { Identity } from '../db/core/scope.ts'
import { findWatchedIdentity, findWatchedSelf, type Watched } from '../db/operations/live.ts'
import type { Closing } from './object-types.ts'

async function whereWatched(
  { services: { live }, log }: Ctx,
  find: () => Promise<Watched | null>,
  tell: (watched: Watched) => Promise<void>,
): Promise<void> {
  if (live === null) return
  try {
    const watched = await find()
    if (watched !== null) await tell(watched)
  } catch (error) {
    log.warn('live_not_notified', { error })
  }
}

/** Announces a committed change that the user made. `items` are those whose rows changed; none if any may have. */
export const announceOwn = async (ctx: Ctx<User>, items: readonly string[]): Promise<void> =>
  await whereWatched(
    ctx,
    async () => await findWatchedSelf(ctx.services.api, ctx.actor.identity),
    async ({ userId, seq }) => await ctx.services.live?.notify(userId, { seq, items }),
  )

/** Ends the sockets of a person. */
export const closeSockets = async (ctx: Ctx, identity: Identity, reason: Closing): Promise<void> =>
  await whereWatched(
    ctx,
    async () => await findWatchedIdentity(ctx.services.jobs, identity),
    async ({ userId }) => await ctx.services.live?.close(userId, reason),
  )
