// Keeps a request that may change something running when its client goes away. The platform cancels a request with its
// connection, between any two calls, unless its work was given to `waitUntil`; with that it has 30 seconds more.
import type { Middleware } from '../request-state.ts'

/** Methods that change nothing (RFC 9110 §9.2.1): their work may end with their client. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Goes before everything else, so that the log line of a request without a client is written too. */
export function outliveClient(): Middleware {
  return async (context, next) => {
    const work = next()
    if (!safeMethods.has(context.req.method)) context.executionCtx.waitUntil(settled(work))
    await work
  }
}

/** For `waitUntil`: a failure is the response's to tell. */
export async function settled(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work])
}
