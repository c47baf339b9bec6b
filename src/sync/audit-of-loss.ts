// The row of the audit trail about an item that a sync finds lost.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import type { AuditRow } from '../db/audit/record.ts'
import type { Lease } from '../db/sync/work.ts'
import { lostStatuses } from '../item-status.ts'

/** Null for a status that syncs and update mode can end: the trail has the person's own repairs. */
export async function auditOfLoss(
  ctx: Ctx,
  { itemId, userId }: Lease,
  status: string | undefined,
): Promise<AuditRow | null> {
  if (!lostStatuses.some((lost) => lost === status)) return null
  const action = status === 'revoked' ? 'item_revoked' : 'item_lost'
  return await audit(ctx, { action, target: itemId, owner: { userId } })
}
