// Lets pages on this machine call the simulator from a browser, so that a page can play Link. Refuses other origins.
import type { MiddlewareHandler } from 'hono'

/** Responds to preflights, and allows the page's origin in each response to a page of this machine. */
export const loopbackCors: MiddlewareHandler = async (context, next) => {
  const origin = context.req.header('origin')
  if (origin === undefined || !isLoopback(origin)) return await next()
  const headers = { 'access-control-allow-origin': origin, vary: 'Origin' }
  if (context.req.method === 'OPTIONS') return preflight(context.req.header('access-control-request-headers'), headers)
  await next()
  for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value)
  return undefined
}

function preflight(wanted: string | undefined, headers: Readonly<Record<string, string>>): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': wanted ?? 'content-type',
      'access-control-max-age': '600',
    },
  })
}

/** Whether the origin is one of this machine. */
export function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  const local = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]'
  return (protocol === 'http:' || protocol === 'https:') && (local || /^127(\.\d+){3}$/.test(hostname))
}
