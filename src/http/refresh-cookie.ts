// The refresh token, and the device token of sign-ins, as a browser keeps them: out of scripts' reach, sent to this site alone. A cookie comes along
// whoever made the page ask, so only pages of configured origins may ask with one.
import * as z from 'zod'
import { AppError } from '../errors.ts'
import { isAllowedOrigin, type OriginConfig } from './origins.ts'

/** The headers of a route that takes or sets the cookie. */
export const cookieHeaders = z.object({
  origin: z.string().max(400).optional().describe('Set by browsers. With a cookie, it must be a configured origin.'),
  cookie: z.string().max(8192).optional(),
  'sec-fetch-site': z
    .string()
    .max(40)
    .optional()
    .describe('Set by browsers. With a cookie, it must not be `cross-site`.'),
})

type CookieHeaders = Pick<z.output<typeof cookieHeaders>, 'origin' | 'sec-fetch-site'>

const crossSiteDetail =
  'The page and this API are on different sites, so the browser drops the cookie. Serve both under one registrable domain (locally: under one host name), or use "transport": "body".'

type CookieName = 'refresh_token' | 'device_token'

/** `__Host-` makes browsers insist on https, this host and no other; a laptop's http could not set it. */
const nameOf = ({ strict }: OriginConfig, name: CookieName): string => (strict ? `__Host-${name}` : name)

function setCookie(config: OriginConfig, name: CookieName, value: string, maxAgeSeconds: number): string {
  const attributes = ['HttpOnly', 'SameSite=Strict', 'Path=/', `Max-Age=${maxAgeSeconds}`]
  return [`${nameOf(config, name)}=${value}`, ...attributes, ...(config.strict ? ['Secure'] : [])].join('; ')
}

/** The value in a Cookie header; null where there is none. One that is given twice is somebody's trick, and none. */
function readCookie(config: OriginConfig, name: CookieName, header: string | undefined): string | null {
  const prefix = `${nameOf(config, name)}=`
  const found = (header ?? '').split(/; */).filter((pair) => pair.startsWith(prefix))
  const [only] = found
  return only !== undefined && found.length === 1 && only.length > prefix.length ? only.slice(prefix.length) : null
}

/** Set-Cookie for a token; gone after `maxAgeSeconds`, at once for 0. */
export const refreshCookie = (config: OriginConfig, token: string, maxAgeSeconds: number): string =>
  setCookie(config, 'refresh_token', token, maxAgeSeconds)
export const readRefreshCookie = (config: OriginConfig, header: string | undefined): string | null =>
  readCookie(config, 'refresh_token', header)

/** Set-Cookie for a token by which a later sign-in knows the device. Signing out leaves it. */
export const deviceCookie = (config: OriginConfig, token: string, maxAgeSeconds: number): string =>
  setCookie(config, 'device_token', token, maxAgeSeconds)
export const readDeviceCookie = (config: OriginConfig, header: string | undefined): string | null =>
  readCookie(config, 'device_token', header)

/**
 * Refuses to set or take the cookie for a page that may not have it. Browsers name the page's origin with every request
 * that is no GET, and no script can change it. They drop this cookie between sites (SameSite=Strict), so a sign-in from
 * another site would answer 200 and leave its user without a refresh token.
 * @throws AppError `forbidden` for any but the allowed origins, for none, and for a page of another site
 */
export function requireCookiePage(config: OriginConfig, headers: CookieHeaders): void {
  const { origin, 'sec-fetch-site': site } = headers
  if (origin === undefined || !isAllowedOrigin(config, origin))
    throw new AppError('forbidden', 'Cookies are accepted from configured origins only.', { reason: 'origin' })
  if (site === 'cross-site') throw new AppError('forbidden', crossSiteDetail, { reason: 'another site' })
}
