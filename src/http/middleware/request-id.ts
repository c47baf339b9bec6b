// Gives each request its id: the caller's where it is a UUID, else a new one.
import type { Middleware } from '../request-state.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Sets `X-Request-Id` on the answer. Any other text in the request's header is dropped: it would reach the log. */
export function requestId(newId: () => string = () => crypto.randomUUID()): Middleware {
  return async (context, next) => {
    const given = context.req.header('x-request-id') ?? ''
    const id = uuid.test(given) ? given.toLowerCase() : newId()
    context.set('requestId', id)
    await next()
    context.header('X-Request-Id', id)
  }
}
