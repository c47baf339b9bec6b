// All error codes. Clients see the detail of an AppError and its title, never the message of another error.

interface ErrorRule {
  readonly status: number
  readonly title: string
  /** Whether to report it to the operator. */
  readonly reportable: boolean
}

/** Code → HTTP status, problem title (RFC 9457), and whether it raises an alarm. */
export const errorTable = {
  bad_request: { status: 400, title: 'Bad request', reportable: false },
  validation_failed: { status: 400, title: 'Validation failed', reportable: false },
  user_required: { status: 400, title: 'User required', reportable: false },
  invalid_token: { status: 400, title: 'Invalid code', reportable: false },
  invalid_cursor: { status: 400, title: 'Invalid cursor', reportable: false },
  public_token_refused: { status: 400, title: 'Public token refused', reportable: false },
  link_token_refused: { status: 403, title: 'Link token refused', reportable: false },
  unauthorized: { status: 401, title: 'Unauthorized', reportable: false },
  invalid_credentials: { status: 401, title: 'Unauthorized', reportable: false },
  totp_required: { status: 401, title: 'Second factor required', reportable: false },
  invalid_code: { status: 401, title: 'Unauthorized', reportable: false },
  webhook_refused: { status: 401, title: 'Unauthorized', reportable: false },
  forbidden: { status: 403, title: 'Forbidden', reportable: false },
  https_required: { status: 403, title: 'HTTPS required', reportable: false },
  refresh_off: { status: 403, title: 'Refresh not allowed', reportable: false },
  purpose_not_allowed: { status: 403, title: 'Purpose not allowed', reportable: false },
  not_found: { status: 404, title: 'Not found', reportable: false },
  method_not_allowed: { status: 405, title: 'Method not allowed', reportable: false },
  duplicate_item: { status: 409, title: 'Duplicate item', reportable: false },
  too_many_items: { status: 409, title: 'Too many items', reportable: false },
  idempotency_key_in_use: { status: 409, title: 'Request in progress', reportable: false },
  conflict: { status: 409, title: 'Conflict', reportable: false },
  feed_expired: { status: 410, title: 'Change feed expired', reportable: false },
  payload_too_large: { status: 413, title: 'Payload too large', reportable: false },
  unsupported_media_type: { status: 415, title: 'Unsupported media type', reportable: false },
  item_needs_attention: { status: 409, title: 'Item needs attention', reportable: false },
  idempotency_key_reused: { status: 422, title: 'Idempotency key reused', reportable: false },
  rate_limited: { status: 429, title: 'Too many requests', reportable: false },
  too_many_refreshes: { status: 429, title: 'Too many refreshes', reportable: false },
  too_many_links: { status: 429, title: 'Too many links', reportable: false },
  internal: { status: 500, title: 'Internal error', reportable: true },
  misconfigured: { status: 500, title: 'Misconfigured', reportable: true },
  token_undecryptable: { status: 500, title: 'Internal error', reportable: true },
  plaid_rejected: { status: 502, title: 'Plaid refused the request', reportable: true },
  webhook_unverified: { status: 503, title: 'Service unavailable', reportable: false },
  frozen: { status: 503, title: 'Service frozen', reportable: false },
  plaid_unavailable: { status: 503, title: 'Plaid unavailable', reportable: false },
  unavailable: { status: 503, title: 'Service unavailable', reportable: true },
} as const satisfies Record<string, ErrorRule>

export type ErrorCode = keyof typeof errorTable

/** An invalid field: a JSON pointer or parameter name, and what is wrong. */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}

interface ErrorOptions {
  readonly cause?: unknown
  /** The reason, for the log only. */
  readonly reason?: string
  /** The SQLSTATE with which PostgreSQL rejected a batch. */
  readonly sqlState?: string
  readonly fields?: readonly FieldError[]
  /** Seconds to wait before the next attempt; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Extension members of the problem (RFC 9457 §3.2). Must not contain input. */
  readonly extensions?: Readonly<Record<string, unknown>>
}

/** An error for the client: `detail` is shown, `reason` and `cause` are logged. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly detail: string
  readonly reason: string | undefined
  readonly sqlState: string | null
  readonly fields: readonly FieldError[]
  readonly retryAfterSeconds: number | undefined
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.detail = detail
    this.reason = options.reason
    this.sqlState = options.sqlState ?? null
    this.fields = options.fields ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
    this.extensions = options.extensions ?? {}
  }
}

/** Lets the compiler prove that a union is handled completely. */
export function assertNever(value: never): never {
  throw new AppError('internal', 'An unexpected case was met.', { reason: `unhandled case ${JSON.stringify(value)}` })
}

/** How long a refused client waits before it asks again. When a freeze ends is unknown. */
const frozenRetrySeconds = 300

/** The error of a write, or of a call of Plaid, while an operator has frozen the deployment. */
export const frozenError = (options: Pick<ErrorOptions, 'reason' | 'sqlState'> = {}): AppError =>
  new AppError('frozen', 'Changes are paused while an incident is handled. Reading continues. Try again later.', {
    ...options,
    retryAfterSeconds: frozenRetrySeconds,
  })
