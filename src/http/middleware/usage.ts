// Saves the counts of Plaid calls after the response. A failure is logged and does not fail the request.
import { AppError } from '../../errors.ts'
import type { Middleware } from '../request-state.ts'

export function flushUsage(): Middleware {
  return async (context, next) => {
    await next()
    const services = context.get('services')
    if (!(services instanceof AppError)) context.executionCtx.waitUntil(services.flushUsage(context.get('log')))
  }
}
