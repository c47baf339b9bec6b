// Gives each request an id of its own: a client that could choose it could make its log lines look like another's.
import type { Middleware } from '../request-state.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The text in lower case where it is a UUID, else null: any other text could be anything, and would reach the log. */
export const uuidIn = (text: string | undefined): string | null =>
  text !== undefined && uuid.test(text) ? text.toLowerCase() : null

/** Sets `X-Request-Id` on the answer. The client's own id is kept for the log alone. */
export function requestId(newId: () => string = () => crypto.randomUUID()): Middleware {
  return async (context, next) => {
    const id = newId()
    context.set('requestId', id)
    context.set('clientRequestId', uuidIn(context.req.header('x-request-id')))
    await next()
    context.header('X-Request-Id', id)
  }
}
