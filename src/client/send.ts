// Sends a request: with a token, again with a new token when it is refused, again after `Retry-After`, and again after a lost
// connection where that is safe.
import { ConnectionError } from './problem.ts'
import type { Tokens } from './tokens.ts'
import { abortReason, backoffMs, orAborted, retryAfterSeconds, throwIfAborted, wait } from './wait.ts'

export interface SendOptions {
  readonly fetch: (request: Request) => Promise<Response>
  /** Null for routes that need none. */
  readonly tokens: Tokens | null
  /** Attempts in all. */
  readonly tries: number
  /** A longer `Retry-After` is not waited for: its response is returned. */
  readonly longestWaitMs: number
}

const idempotencyHeader = 'idempotency-key'
const repeatableMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])

/** Whether the request may be sent again although it may have had its effect. */
const isRepeatable = (request: Request): boolean =>
  repeatableMethods.has(request.method) || request.headers.has(idempotencyHeader)

/**
 * 429 refuses before anything is done. 502 to 504 may come in the middle of it. 409 with a time to wait says that the first
 * request with this Idempotency-Key is in progress.
 */
function isWorthAnotherTry(request: Request, { status, headers }: Response): boolean {
  if (status === 429) return true
  if (status === 409) return request.headers.has(idempotencyHeader) && headers.has('retry-after')
  return (status === 502 || status === 503 || status === 504) && isRepeatable(request)
}

/** 401 with another code is about a password or a code, not about the token. */
async function refusesToken(response: Response): Promise<boolean> {
  if (response.status !== 401) return false
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null)
  return typeof body === 'object' && body !== null && 'code' in body && body.code === 'unauthorized'
}

// oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- in the types of Workers, a clone has another type
const cloneOf = (request: Request): Request => request.clone() as unknown as Request

async function attempt(
  request: Request,
  token: string | null,
  options: SendOptions,
): Promise<Response | ConnectionError> {
  const copy = cloneOf(request)
  if (token !== null) copy.headers.set('authorization', `Bearer ${token}`)
  try {
    return await options.fetch(copy)
  } catch (error) {
    if (request.signal?.aborted) throw abortReason(request.signal)
    return new ConnectionError('The API did not respond.', { cause: error })
  }
}

/** Frees the connection of an unread response. React Native's responses have no stream. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}

/** How long to wait for the next attempt, or null when there is none. */
function waitBeforeNext(
  request: Request,
  result: Response | ConnectionError,
  tried: number,
  { tries, longestWaitMs }: SendOptions,
): number | null {
  if (tried >= tries) return null
  if (result instanceof ConnectionError) return isRepeatable(request) ? backoffMs(tried) : null
  if (!isWorthAnotherTry(request, result)) return null
  const seconds = retryAfterSeconds(result.headers, Date.now())
  const ms = seconds === null ? backoffMs(tried) : seconds * 1000
  return ms <= longestWaitMs ? ms : null
}

/** @throws ConnectionError, the reason of the request's signal, or what the token's callback throws */
export async function send(request: Request, options: SendOptions): Promise<Response> {
  const { tokens } = options
  const { signal } = request
  let token = tokens === null ? null : await orAborted(tokens.get(), signal)
  let isRenewed = false
  for (let tried = 1; ; tried += 1) {
    throwIfAborted(signal)
    let result = await attempt(request, token, options)
    if (tokens !== null && token !== null && !isRenewed && !(result instanceof ConnectionError)) {
      if (await refusesToken(result)) {
        isRenewed = true
        const renewed = await orAborted(tokens.replace(token), signal)
        // There is no other API key.
        if (renewed !== token) {
          discard(result)
          token = renewed
          result = await attempt(request, token, options)
        }
      }
    }
    const ms = waitBeforeNext(request, result, tried, options)
    if (ms === null) {
      if (result instanceof ConnectionError) throw result
      return result
    }
    if (!(result instanceof ConnectionError)) discard(result)
    await wait(ms, signal)
  }
}

/** A new `Idempotency-Key`, with which a change can be repeated safely. React Native has no `crypto`. */
export function newIdempotencyKey(): string {
  if (typeof crypto !== 'undefined' && typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const part = (): string => Math.random().toString(36).slice(2)
  return `${Date.now().toString(36)}-${part()}${part()}`
}
