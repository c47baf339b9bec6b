// Writes down what a request called of Plaid's API, after its answer. Nobody waits for it, and nothing fails by it.
import { AppError } from '../../errors.ts'
import type { Middleware } from '../request-state.ts'

export function flushUsage(): Middleware {
  return async (context, next) => {
    await next()
    const services = context.get('services')
    if (!(services instanceof AppError)) context.executionCtx.waitUntil(services.flushUsage(context.get('log')))
  }
}
