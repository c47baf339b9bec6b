// Refuses the requests of other sites. The simulator has no login, so neither a page of another site nor one whose host name was
// pointed to this address (DNS rebinding) may change or read anything.
import { isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import { isLoopback } from './loopback-cors.ts'

/**
 * Whether a public name server could point this host to the simulator's address. It cannot do so for an address, a name without a
 * dot, or the domains that are reserved for private networks.
 */
function isPublicName(host: string): boolean {
  const address = host.startsWith('[') ? host.slice(1, -1) : host
  return isIP(address) === 0 && host.includes('.') && !/\.(?:localhost|internal)$/.test(host)
}

const nameOf = (host: string): string => URL.parse(`http://${host}`)?.hostname ?? ''

/** `ownName` is the name or address on which the simulator listens. */
export function refuseOtherSites(ownName: string): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header('host') ?? ''
    const name = nameOf(host)
    if (name === '' || (name !== ownName && isPublicName(name)))
      return context.json({ error: 'forbidden', message: `the host ${host} is not this machine` }, 403)
    const { origin, 'sec-fetch-site': site } = context.req.header()
    const isForeign = origin !== undefined && origin !== `http://${host}` && !isLoopback(origin)
    const mayChange = context.req.method !== 'GET' && context.req.method !== 'HEAD'
    if (isForeign || (mayChange && origin === undefined && site === 'cross-site'))
      return context.json({ error: 'forbidden', message: 'a page of another site may not call the simulator' }, 403)
    return await next()
  }
}
