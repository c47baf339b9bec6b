// The headers that every answer carries, whatever it is: successes, problems, preflights, unknown paths.
import { AppError } from '../../errors.ts'
import type { Middleware } from '../request-state.ts'

/** Features that nothing here uses, denied to whatever might be made to render an answer. */
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

const always: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['X-XSS-Protection', '1; mode=block'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"],
  ['Referrer-Policy', 'no-referrer'],
  ['Permissions-Policy', deniedFeatures.map((feature) => `${feature}=()`).join(', ')],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Embedder-Policy', 'require-corp'],
  // No-cors embedding alone; what CORS allows is read all the same.
  ['Cross-Origin-Resource-Policy', 'same-origin'],
]

/** Binds the API's host and the names under it (ASVS 3.4.1). An API has a host of its own: docs/browsers.md. */
const strictTransport = 'max-age=31536000; includeSubDomains'

/** Sets them last, so that no handler can take one away. `Cache-Control` stays where a public answer has its own. */
export function securityHeaders(): Middleware {
  return async (context, next) => {
    await next()
    for (const [name, value] of always) context.header(name, value)
    const services = context.get('services')
    // A configuration that could not be read may be production's.
    if (services instanceof AppError || services.config.strict)
      context.header('Strict-Transport-Security', strictTransport)
    if (!context.res.headers.has('cache-control')) context.header('Cache-Control', 'no-store')
  }
}
