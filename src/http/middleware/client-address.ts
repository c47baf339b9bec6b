// Raises an alarm if a deployed Worker does not receive the addresses of clients, who then share one rate limit. Cloudflare's
// managed transform "Remove visitor IP headers" has this effect.
import { AppError } from '../../errors.ts'
import { isUnknown } from '../../ratelimit/address.ts'
import { clientIn } from '../client.ts'
import type { Middleware } from '../request-state.ts'

/** Once per isolate. */
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
