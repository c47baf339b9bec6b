// Records that a job uses an access token: one row per item and UTC day. It is stored before Plaid is called, so that a
// job that dies leaves it too.
import type { Ctx } from '../context.ts'
import { audit, recordAlone } from './audit.ts'
import { fixedId } from './fixed-id.ts'

interface TokenOwner {
  readonly itemId: string
  readonly userId: string
}

/**
 * What a user or an administrator does has a separate row. A token cannot be used while its row cannot be stored.
 * @throws AppError `unavailable`
 */
export async function recordTokenUse(ctx: Ctx, { itemId, userId }: TokenOwner): Promise<void> {
  if (ctx.actor.kind !== 'queue' && ctx.actor.kind !== 'cron') return
  const id = await fixedId('token_used', itemId, ctx.now().toISOString().slice(0, 10))
  await recordAlone(ctx, await audit(ctx, { action: 'token_used', target: itemId, id, owner: { userId } }))
}
