// Takes in what nobody read of a request's body before the answer goes: a connection with unread bytes is reset, and
// with it the answer is lost to a client that is still sending (RFC 9112 §9.6). Holds none of it.
import { withTimeout } from '../../timeout.ts'
import type { Middleware } from '../request-state.ts'

/** Beyond any of them, the connection may be cut; of a client over its limit hardly anything is taken in. */
const maxDrainedBytes = 16_777_216
const maxDrainedOverLimitBytes = 131_072
const maxDrainMs = 2000

async function drain(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<void> {
  let drained = 0
  for await (const chunk of body) {
    drained += chunk.length
    if (drained > maxBytes) return
  }
}

/** Reads what is left of the body and throws it away; waits no longer than the time for it. */
export function drainBody(): Middleware {
  return async (context, next) => {
    await next()
    const { body } = context.req.raw
    if (body === null || body.locked) return
    // A client that has gone needs no answer.
    await withTimeout(
      maxDrainMs,
      drain(body, context.res.status === 429 ? maxDrainedOverLimitBytes : maxDrainedBytes).catch(() => undefined),
      () => undefined,
    )
  }
}
