// Raises one alarm for all webhooks that could not be verified: from Plaid while its keys are unavailable, or from attackers with
// invented key ids.
import { AppError } from '../../errors.ts'
import { createAlarm } from '../../monitoring/alarm.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'

/** Mount it before the limit, whose 429 needs no alarm. */
export function reportUnverifiedWebhooks(): Middleware {
  const alarm = createAlarm()
  return async (context, next) => {
    await next()
    const { error } = context
    if (!(error instanceof AppError) || error.code !== 'webhook_unverified') return
    const count = alarm(Date.now())
    if (count === null) return
    context.get('log').warn('webhooks_unverified', { count })
    servicesOf(context).reporter(context.executionCtx).captureMessage('webhooks_unverified', { count })
  }
}
