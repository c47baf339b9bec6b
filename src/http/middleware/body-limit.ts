// Limits the size of a body. Received bytes are counted: Content-Length may be wrong, and a chunked body has none.
import type { Context } from 'hono'
import { readChunks } from '../../body.ts'
import { concat } from '../../crypto/encoding.ts'
import { AppError } from '../../errors.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'

interface BodyLimitOptions {
  readonly maxBytes: number
  /** For a longer body: 413, or only the first `maxBytes` are read. */
  readonly beyond: 'refuse' | 'cut'
  /** Counts a request that is refused by its declared length, before any other limit. */
  readonly count?: (context: Context<HttpEnvironment>) => Promise<void>
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('payload_too_large', `The request body is larger than ${maxBytes} bytes.`)
}

/** Reads a body up to the limit and releases the rest. */
async function readLimited(request: Request, { maxBytes, beyond }: BodyLimitOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  // The rest is drained before the response is sent.
  const isWhole = await readChunks(request.body, maxBytes, (chunk) => chunks.push(chunk), { keepOpen: true })
  if (!isWhole && beyond === 'refuse') throw tooLarge(maxBytes)
  return concat(...chunks).subarray(0, maxBytes)
}

/** Reads nothing until the route needs the body, after authentication. */
export function bodyLimit(options: BodyLimitOptions): Middleware {
  const { maxBytes, beyond, count } = options
  return async (context, next) => {
    const declared = Number(context.req.header('content-length') ?? 0)
    if (beyond === 'refuse' && declared > maxBytes) {
      await count?.(context)
      throw tooLarge(maxBytes)
    }
    context.set('readBody', () => readLimited(context.req.raw, options))
    await next()
  }
}
