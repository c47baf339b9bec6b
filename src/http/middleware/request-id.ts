// Gives each request a new id: a client that could choose it could forge log lines of another request.
import type { Middleware } from '../request-state.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The text in lower case if it is a UUID, else null: other text must not reach the log. */
export const uuidIn = (text: string | undefined): string | null =>
  text !== undefined && uuid.test(text) ? text.toLowerCase() : null

/** Sets `X-Request-Id` on the response. The id from the client is only logged. */
export function requestId(newId: () => string = () => crypto.randomUUID()): Middleware {
  return async (context, next) => {
    const id = newId()
    context.set('requestId', id)
    context.set('clientRequestId', uuidIn(context.req.header('x-request-id')))
    await next()
    context.header('X-Request-Id', id)
  }
}
