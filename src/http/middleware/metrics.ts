// Measures each request by route and class of status, and sends the metrics of the isolate after the response.
import type { Context } from 'hono'
import { AppError } from '../../errors.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'
import { methodIn } from './log.ts'

/**
 * Whether a route has the request's method. The others share a label: clients choose among all methods and paths, and
 * the store keeps a bounded number of series.
 */
const isDeclared = ({ error, req }: Context<HttpEnvironment>): boolean =>
  req.method !== 'OPTIONS' && !(error instanceof AppError && error.code === 'method_not_allowed')

/** Mount it outside everything that can change the status. */
export function metrics(): Middleware {
  return async (context, next) => {
    const startedAtMs = Date.now()
    await next()
    const services = context.get('services')
    if (services instanceof AppError) return
    const status = `${Math.floor(context.res.status / 100)}xx`
    services.metrics.observe('wn_http_request_duration_seconds', Date.now() - startedAtMs, {
      method: isDeclared(context) ? methodIn(context) : 'other',
      route: context.get('route'),
      status,
    })
    for (const outcome of context.get('limitOutcomes')) {
      if (outcome.kind === 'failed') services.metrics.count('wn_rate_limiter_failures_total')
      if (outcome.kind === 'refused')
        for (const { policy } of outcome.standings) services.metrics.count('wn_rate_limit_refusals_total', { policy })
    }
    context.executionCtx.waitUntil(services.metrics.flushWhenDue())
  }
}
