// Cross-origin access for the allowed origins. No wildcard, no `null`. Credentials only for the routes of built-in accounts, which
// use the refresh cookie; other tokens are sent in a header that the page sets.
import type { Context } from 'hono'
import { AppError } from '../../errors.ts'
import { isAllowedOrigin } from '../origins.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'
import { createUnmeteredLimit } from './rate-limit.ts'

const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
// Not WN-User: an application's key never belongs into a browser.
const allowedHeaders = 'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id'
const exposedHeaders = 'ETag, X-Request-Id, RateLimit, RateLimit-Policy, Retry-After'
const preflightMaxAgeSeconds = '600'

/** The origin of the request if it is allowed, else null. */
function allowedOrigin(context: Context<HttpEnvironment>): string | null {
  const services = context.get('services')
  const origin = context.req.header('origin')
  if (origin === undefined || services instanceof AppError) return null
  return isAllowedOrigin(services.config, origin) ? origin : null
}

/** Whether a page may send the cookies of the browser. */
function takesCookies(context: Context<HttpEnvironment>): boolean {
  const services = context.get('services')
  const isOfAccounts = context.req.path.startsWith('/api/v1/auth/')
  return isOfAccounts && !(services instanceof AppError) && services.identity !== null
}

/** Whether a request is a preflight (Fetch standard, CORS-preflight request) and not an ordinary OPTIONS. */
function isPreflight({ req }: Context<HttpEnvironment>): boolean {
  const asked = req.header('origin') !== undefined && req.header('access-control-request-method') !== undefined
  return req.method === 'OPTIONS' && asked
}

function preflight(origin: string | null, mayTakeCookies: boolean): Response {
  const headers = new Headers({ vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' })
  if (origin !== null) {
    headers.set('access-control-allow-origin', origin)
    headers.set('access-control-allow-methods', allowedMethods)
    headers.set('access-control-allow-headers', allowedHeaders)
    headers.set('access-control-max-age', preflightMaxAgeSeconds)
    if (mayTakeCookies) headers.set('access-control-allow-credentials', 'true')
  }
  return new Response(null, { status: 204, headers })
}

/** Responds to preflights and adds CORS headers to other responses, for allowed origins only. */
export function cors(): Middleware {
  const limit = createUnmeteredLimit()
  return async (context, next) => {
    const origin = allowedOrigin(context)
    if (isPreflight(context)) {
      context.set('route', 'preflight')
      limit(context)
      return preflight(origin, takesCookies(context))
    }
    await next()
    context.header('Vary', 'Origin', { append: true })
    if (origin !== null) {
      context.header('Access-Control-Allow-Origin', origin)
      context.header('Access-Control-Expose-Headers', exposedHeaders)
      if (takesCookies(context)) context.header('Access-Control-Allow-Credentials', 'true')
    }
    return undefined
  }
}
