// The cookies of the console's sign-in with an identity provider. Values are sealed; the names say which browser and which
// sign-in they belong to.
import type { Config } from '../config/config.ts'
import { cookieNames, readCookie, setCookie } from './cookies.ts'

type CookieConfig = Pick<Config, 'strict'>

/** Browsers keep 4,096 bytes of a cookie with its name and attributes. */
const partLength = 3800
/** As many as the longest envelope needs. */
const parts = [0, 1, 2] as const
/** Sign-ins that a browser has begun and not ended. */
const mostAttempts = 5
const sessionPath = '/console/session'

/** `__Host-` and `__Secure-` need https; http in development cannot set them. */
const attemptPrefix = ({ strict }: CookieConfig): string => `${strict ? '__Host-' : ''}console_sign_in_`
const browserName = ({ strict }: CookieConfig): string => `${strict ? '__Host-' : ''}console_browser`
/** The path is narrow, so that only the routes that need the session receive it; `__Host-` would need the path `/`. */
const partName = ({ strict }: CookieConfig, part: number): string =>
  `${strict ? '__Secure-' : ''}console_session_${part}`

/** `Lax`, because the provider's page leads back here. */
function attemptCookie(config: CookieConfig, name: string, value: string, maxAgeSeconds: number): string {
  return setCookie(name, { value, maxAgeSeconds, sameSite: 'Lax', path: '/', secure: config.strict })
}

/** Set-Cookie for a sign-in that begins. Where there are too many, the earlier ones end. */
export function beginCookies(
  config: CookieConfig,
  { id, sealed, maxAgeSeconds }: { readonly id: string; readonly sealed: string; readonly maxAgeSeconds: number },
  header: string | undefined,
): string[] {
  const prefix = attemptPrefix(config)
  const earlier = cookieNames(prefix, header).filter((name) => /^[\w-]+$/.test(name))
  const removed = earlier.length < mostAttempts ? [] : earlier.map((name) => attemptCookie(config, name, '', 0))
  return [...removed, attemptCookie(config, `${prefix}${id}`, sealed, maxAgeSeconds)]
}

export const readAttempt = (config: CookieConfig, id: string, header: string | undefined): string | null =>
  readCookie(`${attemptPrefix(config)}${id}`, header)

/** Set-Cookie that ends a sign-in. `id` is a digest. */
export const endAttempt = (config: CookieConfig, id: string): string =>
  attemptCookie(config, `${attemptPrefix(config)}${id}`, '', 0)

function partCookies(config: CookieConfig, sealed: string, maxAgeSeconds: number): string[] {
  return parts.map((part) => {
    const value = sealed.slice(part * partLength, (part + 1) * partLength)
    const options = { value, maxAgeSeconds: value === '' ? 0 : maxAgeSeconds, secure: config.strict }
    return setCookie(partName(config, part), { ...options, sameSite: 'Strict', path: sessionPath })
  })
}

/** Set-Cookie for a session of a browser; empty values and 0 delete it. */
export function sessionCookies(
  config: CookieConfig,
  {
    sealed,
    browser,
    maxAgeSeconds,
  }: { readonly sealed: string; readonly browser: string; readonly maxAgeSeconds: number },
): string[] {
  // No other host of the domain can set this cookie, so that none can place its own session here.
  const options = { value: browser, maxAgeSeconds, secure: config.strict }
  return [
    ...partCookies(config, sealed, maxAgeSeconds),
    setCookie(browserName(config), { ...options, sameSite: 'Strict', path: '/' }),
  ]
}

/** The cookies of a session, or null. */
export function readSession(
  config: CookieConfig,
  header: string | undefined,
): { readonly sealed: string; readonly browser: string } | null {
  const browser = readCookie(browserName(config), header)
  const sealed = parts.map((part) => readCookie(partName(config, part), header) ?? '').join('')
  return browser === null || sealed === '' ? null : { sealed, browser }
}
