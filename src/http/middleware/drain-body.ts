// Drains the unread part of a request body before the response: a connection with unread bytes is reset, and a client that is
// still sending loses the response (RFC 9112 §9.6). Keeps none of it.
import { withTimeout } from '../../timeout.ts'
import type { Middleware } from '../request-state.ts'

/** Beyond any of them, the connection may be closed; for a client over its limit, almost nothing is read. */
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

/** Reads and discards the rest of the body, within the time limit. */
export function drainBody(): Middleware {
  return async (context, next) => {
    await next()
    const { body } = context.req.raw
    if (body === null || body.locked) return
    // A client that disconnected needs no response.
    await withTimeout(
      maxDrainMs,
      drain(body, context.res.status === 429 ? maxDrainedOverLimitBytes : maxDrainedBytes).catch(() => undefined),
      () => undefined,
    )
  }
}
