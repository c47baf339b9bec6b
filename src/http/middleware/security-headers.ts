// The security headers of every response: successes, problems, preflights, unknown paths.
import { AppError } from '../../errors.ts'
import { everyResponse, strictTransport } from '../../response-headers.ts'
import type { Middleware } from '../request-state.ts'
import { isPlain } from './require-https.ts'

/** Of the console's pages: their own scripts, styles and requests, and nothing inline. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** Sets them last, so no handler can remove one. Keeps the `Cache-Control` of public responses. */
export function securityHeaders(): Middleware {
  return async (context, next) => {
    await next()
    for (const [name, value] of everyResponse) context.header(name, value)
    if (context.get('page')) context.header('Content-Security-Policy', pagePolicy)
    const services = context.get('services')
    // An invalid configuration may be that of production. RFC 6797 §7.2 forbids the header over plain http.
    const isStrict = services instanceof AppError || services.config.strict
    if (isStrict && !isPlain(context.req.url)) context.header('Strict-Transport-Security', strictTransport)
    if (!context.res.headers.has('cache-control')) context.header('Cache-Control', 'no-store')
  }
}
