// Cookies for the refresh token and the device token: not readable by scripts, sent to this site only. Browsers send a cookie with
// requests of any page, so requests with a cookie are accepted from configured origins only.
import * as z from 'zod'
import { AppError } from '../errors.ts'
import { readCookie, setCookie } from './cookies.ts'
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
  'The page and this API are on different sites, so the browser drops the cookie. Serve both under one ' +
  'registrable domain (locally: under one host name), or use "transport": "body".'

type CookieName = 'refresh_token' | 'device_token'

/** `__Host-` restricts the cookie to https and this host; http in development cannot set it. */
const nameOf = ({ strict }: OriginConfig, name: CookieName): string => (strict ? `__Host-${name}` : name)

const cookieOf = (config: OriginConfig, name: CookieName, value: string, maxAgeSeconds: number): string =>
  setCookie(nameOf(config, name), { value, maxAgeSeconds, sameSite: 'Strict', path: '/', secure: config.strict })

/** Set-Cookie for a token, valid for `maxAgeSeconds`; 0 deletes it. */
export const refreshCookie = (config: OriginConfig, token: string, maxAgeSeconds: number): string =>
  cookieOf(config, 'refresh_token', token, maxAgeSeconds)
export const readRefreshCookie = (config: OriginConfig, header: string | undefined): string | null =>
  readCookie(nameOf(config, 'refresh_token'), header)

/** Set-Cookie for the token that identifies the device at a later sign-in. Signing out keeps it. */
export const deviceCookie = (config: OriginConfig, token: string, maxAgeSeconds: number): string =>
  cookieOf(config, 'device_token', token, maxAgeSeconds)
export const readDeviceCookie = (config: OriginConfig, header: string | undefined): string | null =>
  readCookie(nameOf(config, 'device_token'), header)

/**
 * Refuses to set or accept the cookie for other pages. Browsers send the origin of the page with every request except GET,
 * and scripts cannot change it. They drop this cookie between sites (SameSite=Strict), so a sign-in from another site would
 * return 200 and leave its user without a refresh token.
 * @throws AppError `forbidden` for other origins, for a missing origin, and for a page of another site
 */
export function requireCookiePage(config: OriginConfig, headers: CookieHeaders): void {
  const { origin, 'sec-fetch-site': site } = headers
  if (origin === undefined || !isAllowedOrigin(config, origin))
    throw new AppError('forbidden', 'Cookies are accepted from configured origins only.', { reason: 'origin' })
  if (site === 'cross-site') throw new AppError('forbidden', crossSiteDetail, { reason: 'another site' })
}
