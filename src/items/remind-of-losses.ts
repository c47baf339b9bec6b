// An hourly alarm for as long as the breaker keeps items from being lost: an operator has to find the cause.
import type { Ctx } from '../context.ts'
import { areLossesStopped } from '../db/operations/safety-switches.ts'

/** Logs an error while the breaker has tripped. */
export async function remindOfLosses(ctx: Ctx): Promise<void> {
  if (await areLossesStopped(ctx.services.jobs)) ctx.log.error('item_losses_stopped')
}
