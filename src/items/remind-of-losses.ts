// An hourly alarm while the circuit breaker prevents items from being marked as lost. An operator has to find the
// cause.
import type { Ctx } from '../context.ts'
import { areLossesStopped } from '../db/operations/safety-switches.ts'

/** Logs an error while the circuit breaker is open. */
export async function remindOfLosses(ctx: Ctx): Promise<void> {
  if (await areLossesStopped(ctx.services.jobs)) ctx.log.error('item_losses_stopped')
}
