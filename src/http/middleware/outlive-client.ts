// Keeps a request that may change something running after its client disconnects. The platform cancels a request with its
// connection, between any two calls, unless its work was passed to `waitUntil`; then it has 30 more seconds.
import type { Middleware } from '../request-state.ts'

/** Safe methods (RFC 9110 §9.2.1): their work may end with the client. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Mount it first, so that the log line of a disconnected client is written too. */
export function outliveClient(): Middleware {
  return async (context, next) => {
    const work = next()
    if (!safeMethods.has(context.req.method)) context.executionCtx.waitUntil(settled(work))
    await work
  }
}

/** For `waitUntil`: the response reports a failure. */
export async function settled(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work])
}
