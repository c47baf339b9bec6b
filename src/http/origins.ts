// Which pages may call the API from a browser: those of configured origins, and in development every loopback page.
import type { Config } from '../config/config.ts'

export type OriginConfig = Pick<Config, 'strict' | 'corsOrigins'>

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** A page on a loopback address, on any port. */
function isLoopback(origin: string): boolean {
  const url = URL.parse(origin)
  return url !== null && url.origin === origin && url.protocol === 'http:' && loopbackHosts.has(url.hostname)
}

/** Whether a page of `origin` may call. Configured origins are compared exactly. */
export function isAllowedOrigin({ strict, corsOrigins }: OriginConfig, origin: string): boolean {
  return corsOrigins.includes(origin) || (!strict && isLoopback(origin))
}
