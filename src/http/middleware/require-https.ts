// Keeps plain http away from strict environments. Cloudflare's *Always Use HTTPS* is a setting of the zone that anyone with
// its console can turn off; this is not. On Cloudflare, the URL of a request has the scheme that the client used, also
// behind a custom domain.
import { AppError } from '../../errors.ts'
import type { Middleware } from '../request-state.ts'
import { createUnmeteredLimit } from './rate-limit.ts'

/**
 * The hosts of a machine itself, which no network is in between. Cloudflare passes no request for them to a Worker, so a
 * client gains nothing by naming one.
 */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a request came over a network without encryption. */
export function isPlain(address: string): boolean {
  const url = new URL(address)
  return url.protocol === 'http:' && !loopback.has(url.hostname)
}

const redirected: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** A secret was sent in plaintext: a redirect would hide that from the person who configured the client. */
const secretHeaders = ['authorization', 'cookie', 'plaid-verification', 'x-webhook-signature']

/**
 * Redirects reads without secrets to https, and refuses all other requests over http. Mount it before anything that reads a
 * token or a body.
 */
export function requireHttps(): Middleware {
  const limit = createUnmeteredLimit()
  return async (context, next) => {
    const services = context.get('services')
    // Without a configuration, nothing is served but /health.
    if (services instanceof AppError || !services.config.strict) return await next()
    if (!isPlain(context.req.url)) return await next()
    context.set('route', 'plain_http')
    limit(context)
    const hasSecret = secretHeaders.some((name) => context.req.header(name) !== undefined)
    if (hasSecret || !redirected.has(context.req.method))
      throw new AppError('https_required', 'Use https. A secret that was sent over http must be replaced.')
    const url = new URL(context.req.url)
    url.protocol = 'https:'
    url.port = ''
    return new Response(null, { status: 308, headers: { location: url.href } })
  }
}
