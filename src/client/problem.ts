// Errors of the API as RFC 9457 problems, and what else a call can fail with.
import { type Problem, problemCodes } from './schema.ts'

/** The codes that this version of the client knows. A newer deployment may have others: those are `unknown`. */
export type ProblemCode = (typeof problemCodes)[number] | 'unknown'

/** A field or a parameter of the request that is wrong. */
export type ProblemField = NonNullable<Problem['errors']>[number]

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const isField = (value: unknown): value is ProblemField => isRecord(value) && typeof value['detail'] === 'string'

/** A response with an error status. `message` is the problem's `detail`, which is fit to be shown. */
export class ProblemError extends Error {
  override readonly name: string = 'ProblemError'
  readonly status: number
  readonly code: ProblemCode
  /** The fields of the request that are wrong. */
  readonly errors: readonly ProblemField[]
  /** The id of the request, for support: it is in the log of the deployment. */
  readonly requestId: string | null
  /** Seconds to wait before another attempt, where the response has them. */
  readonly retryAfterSeconds: number | null
  /** Every member of the problem, also those of a newer deployment. Empty if the response is not a problem. */
  readonly problem: Readonly<Record<string, unknown>>

  constructor(response: Response, body: unknown, retryAfterSeconds: number | null) {
    const problem = isRecord(body) ? body : {}
    super(textOf(problem['detail']) || textOf(problem['title']) || `The API responded with status ${response.status}.`)
    const code = problemCodes.find((known) => known === problem['code'])
    this.status = response.status
    this.code = code ?? 'unknown'
    this.errors = Array.isArray(problem['errors']) ? problem['errors'].filter(isField) : []
    this.requestId = response.headers.get('x-request-id')
    this.retryAfterSeconds = retryAfterSeconds
    this.problem = problem
  }
}

/** The feed no longer lists what the copy has not read. Discard the copy and read again from `beginAt`. */
export class FeedExpiredError extends ProblemError {
  override readonly name = 'FeedExpiredError'
  /** The place to begin again: pass it as `since`. */
  get beginAt(): string {
    const { next_since: since } = this.problem
    return typeof since === 'string' ? since : '0'
  }
}

/** No response arrived, also after the attempts that are safe. Whether the API acted on the request is not known. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/** The typed error of a response with an error status. */
export function problemOf(response: Response, body: unknown, retryAfterSeconds: number | null): ProblemError {
  return response.status === 410 && isRecord(body) && body['code'] === 'feed_expired'
    ? new FeedExpiredError(response, body, retryAfterSeconds)
    : new ProblemError(response, body, retryAfterSeconds)
}
