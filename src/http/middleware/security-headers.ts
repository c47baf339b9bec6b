// The security headers of every response: successes, problems, preflights, unknown paths.
import { AppError } from '../../errors.ts'
import type { Middleware } from '../request-state.ts'
import { isPlain } from './require-https.ts'

/** Browser features, all denied, in case a response is rendered. */
const deniedFeatures = [
  'accelerometer',
  'autoplay',
  'browsing-topics',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'sync-xhr',
  'usb',
  'xr-spatial-tracking',
]

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

const always: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['X-XSS-Protection', '1; mode=block'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"],
  ['Referrer-Policy', 'no-referrer'],
  ['Permissions-Policy', deniedFeatures.map((feature) => `${feature}=()`).join(', ')],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Embedder-Policy', 'require-corp'],
  // Affects no-cors embedding only, not CORS.
  ['Cross-Origin-Resource-Policy', 'same-origin'],
]

/** Applies to the host of the API and its subdomains (ASVS 3.4.1): use a separate host, see docs/browsers.md. */
const strictTransport = 'max-age=31536000; includeSubDomains'

/** Sets them last, so no handler can remove one. Keeps the `Cache-Control` of public responses. */
export function securityHeaders(): Middleware {
  return async (context, next) => {
    await next()
    for (const [name, value] of always) context.header(name, value)
    if (context.get('page')) context.header('Content-Security-Policy', pagePolicy)
    const services = context.get('services')
    // An invalid configuration may be that of production. RFC 6797 §7.2 forbids the header over plain http.
    const isStrict = services instanceof AppError || services.config.strict
    if (isStrict && !isPlain(context.req.url)) context.header('Strict-Transport-Security', strictTransport)
    if (!context.res.headers.has('cache-control')) context.header('Cache-Control', 'no-store')
  }
}
