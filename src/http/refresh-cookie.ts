// The refresh token as a browser keeps it: out of scripts' reach, sent to this site alone. A cookie comes along
// whoever made the page ask, so only pages of configured origins may ask with one.
import * as z from 'zod'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'

type CookieConfig = Pick<Config, 'strict' | 'corsOrigins'>

/** The headers of a route that takes or sets the cookie. */
export const cookieHeaders = z.object({
  origin: z.string().max(400).optional().describe('Needed with a cookie: one of the configured origins.'),
  cookie: z.string().max(8192).optional(),
})

/** `__Host-` makes browsers insist on https, this host and no other; a laptop's http could not set it. */
const nameOf = ({ strict }: CookieConfig): string => (strict ? '__Host-refresh_token' : 'refresh_token')

/** Set-Cookie for a token; gone after `maxAgeSeconds`, at once for 0. */
export function refreshCookie(config: CookieConfig, token: string, maxAgeSeconds: number): string {
  const attributes = ['HttpOnly', 'SameSite=Strict', 'Path=/', `Max-Age=${maxAgeSeconds}`]
  return [`${nameOf(config)}=${token}`, ...attributes, ...(config.strict ? ['Secure'] : [])].join('; ')
}

/** The token in a Cookie header; null where there is none. One that is given twice is somebody's trick, and none. */
export function readRefreshCookie(config: CookieConfig, header: string | undefined): string | null {
  const prefix = `${nameOf(config)}=`
  const found = (header ?? '').split(/; */).filter((pair) => pair.startsWith(prefix))
  const [only] = found
  return only !== undefined && found.length === 1 && only.length > prefix.length ? only.slice(prefix.length) : null
}

/**
 * Browsers name the page's origin with every request that is no GET, and no script can change it.
 * @throws AppError `forbidden` for any but the configured origins, and for none
 */
export function requireOwnOrigin({ corsOrigins }: CookieConfig, origin: string | undefined): void {
  if (origin === undefined || !corsOrigins.includes(origin))
    throw new AppError('forbidden', 'Cookies are for pages of the configured origins.', { reason: 'origin' })
}
