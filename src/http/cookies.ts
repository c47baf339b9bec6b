// Reads and writes cookies. No script can read those that the Worker sets.

export interface CookieOptions {
  readonly value: string
  /** 0 deletes the cookie. */
  readonly maxAgeSeconds: number
  readonly sameSite: 'Strict' | 'Lax'
  readonly path: string
  readonly secure: boolean
}

export function setCookie(name: string, { value, maxAgeSeconds, sameSite, path, secure }: CookieOptions): string {
  const attributes = ['HttpOnly', `SameSite=${sameSite}`, `Path=${path}`, `Max-Age=${maxAgeSeconds}`]
  return [`${name}=${value}`, ...attributes, ...(secure ? ['Secure'] : [])].join('; ')
}

/** The names and values of a Cookie header. */
const pairs = (header: string | undefined): string[] => (header ?? '').split(/; */)

/** The value in a Cookie header, or null. A cookie that is sent twice may be injected and counts as absent. */
export function readCookie(name: string, header: string | undefined): string | null {
  const prefix = `${name}=`
  const found = pairs(header).filter((pair) => pair.startsWith(prefix))
  const [only] = found
  return only !== undefined && found.length === 1 && only.length > prefix.length ? only.slice(prefix.length) : null
}

/** The names of the cookies that begin with a prefix. */
export const cookieNames = (prefix: string, header: string | undefined): string[] =>
  pairs(header)
    .map((pair) => pair.split('=')[0] ?? '')
    .filter((name) => name.startsWith(prefix))
