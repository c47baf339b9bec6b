// Which pages may call this API from a browser: those of the configured origins, and on a laptop every loopback page.
import type { Config } from '../config/config.ts'

export type OriginConfig = Pick<Config, 'strict' | 'corsOrigins'>

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** A page that this machine serves, on any port. */
function isLoopback(origin: string): boolean {
  const url = URL.parse(origin)
  return url !== null && url.origin === origin && url.protocol === 'http:' && loopbackHosts.has(url.hostname)
}

/** Whether a page of `origin` may call. Configured origins are compared whole. */
export function isAllowedOrigin({ strict, corsOrigins }: OriginConfig, origin: string): boolean {
  return corsOrigins.includes(origin) || (!strict && isLoopback(origin))
}
