// After the response: saves the counts of Plaid calls, and starts the delivery of events that a change has written. A failure
// is logged and does not fail the request.
import { AppError } from '../../errors.ts'
import type { Middleware } from '../request-state.ts'

export function flushUsage(): Middleware {
  return async (context, next) => {
    await next()
    const services = context.get('services')
    if (services instanceof AppError) return
    context.executionCtx.waitUntil(services.flushUsage(context.get('log')))
    if (context.req.method !== 'GET' && context.res.ok)
      context.executionCtx.waitUntil(services.enqueueEvents(context.get('log')))
  }
}
