// Sends deliveries again, at the request of their endpoint's owner.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { type Delivery, replayDelivery, replayFailed } from '../db/events/deliveries.ts'
import { AppError } from '../errors.ts'
import { ownerOf } from './manage-endpoints.ts'

/** Deliveries of one request. */
const most = 1000

/** @throws AppError `not_found` */
export async function replayOne(ctx: Ctx<User>, id: string): Promise<Delivery> {
  const row = await audit(ctx, { action: 'webhook_deliveries_replayed', target: id })
  const delivery = await replayDelivery(ownerOf(ctx), id, row)
  if (delivery === null) throw new AppError('not_found', 'There is no such delivery.')
  return delivery
}

/** The oldest failed ones since a time. Returns how many. */
export async function replayAllFailed(
  ctx: Ctx<User>,
  { since, endpointId }: { readonly since: Date; readonly endpointId: string | null },
): Promise<number> {
  const row = await audit(ctx, { action: 'webhook_deliveries_replayed', target: null })
  return await replayFailed(ownerOf(ctx), { since, endpointId, limit: most }, row)
}
