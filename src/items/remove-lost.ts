// Removes items that need a new link and did not get one for two years (16 CFR 314.4(c)(6)(i)). The API shows the day before.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { isLostForGood, listLostItems } from '../db/items/removal.ts'
import { queueRemoval } from './queue-removal.ts'

/** Items of one step. */
const stepItems = 50

/** Returns how many, and whether there may be more. The reconciler removes them at Plaid and deletes their rows. */
export async function removeLostItems(ctx: Ctx): Promise<{ readonly removed: number; readonly isDone: boolean }> {
  const { jobs, config } = ctx.services
  const items = await listLostItems(jobs, stepItems)
  for (const item of items) {
    const row = await audit(ctx, { action: 'item_removed', target: item.id, owner: { userId: item.userId } })
    await queueRemoval(ctx, item, { keepDays: config.retention.removedDays, onlyIf: isLostForGood }, row)
    ctx.log.info('item_removed', { item_id: item.id, user_id: item.userId, reason: 'lost' })
  }
  return { removed: items.length, isDone: items.length < stepItems }
}
