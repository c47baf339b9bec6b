// Raises an alarm where a deployed Worker does not see its clients' addresses: all of them then share one rate limit.
// Cloudflare's managed transform "Remove visitor IP headers" does that.
import { AppError } from '../../errors.ts'
import { isUnknown } from '../../ratelimit/address.ts'
import { clientIn } from '../client.ts'
import type { Middleware } from '../request-state.ts'

/** Once an isolate: one line says all there is to say. */
export function reportUnknownAddress(): Middleware {
  let isReported = false
  return async (context, next) => {
    await next()
    const services = context.get('services')
    if (isReported || services instanceof AppError || !services.config.strict) return
    if (!isUnknown(clientIn(context))) return
    isReported = true
    context.get('log').error('client_address_unknown', { route: context.get('route') })
    services.reporter(context.executionCtx).captureMessage('client_address_unknown')
  }
}
