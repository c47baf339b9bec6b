// The only module that calls Plaid and reveals secrets. Responses are parsed with exact amounts, and failures are
// values. Neither errors nor log lines contain a token, a request body or Plaid's error text. Every call is counted and
// needs the rate limiter's admission. A paid call must be declared as one. No call is made during a freeze.
import type * as z from 'zod'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { readText } from '../body.ts'
import { withDeadline } from '../timeout.ts'
import { parseExactJson } from '../exact-json.ts'
import { AppError } from '../errors.ts'
import { measured, type Outcome as OperationOutcome } from '../monitoring/operation.ts'
import { classify, foreignTokenCode, frozenCode, type PlaidFailure, plaidErrorSchema } from './errors.ts'
import type { FreezeGate, GateAnswer } from './freeze-gate.ts'
import type { UsageCounter } from './usage-counter.ts'
import { isPaidPath, type PaidPath } from './rate-limit/limits.ts'
import type { Caller, Outcome, PlaidLimiter } from './rate-limit/limiter.ts'

export type PlaidResult<Value> =
  | { readonly ok: true; readonly value: Value; readonly requestId: string }
  | { readonly ok: false; readonly failure: PlaidFailure }

export interface PlaidCall<Schema extends z.ZodType> {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly answer: Schema
  readonly accessToken?: Secret
  readonly publicToken?: Secret
  readonly linkToken?: Secret
  /** Whether the call may be repeated: after a 5xx or a lost connection, it is retried once. */
  readonly idempotent: boolean
  /** In milliseconds; by default the client's timeout. */
  readonly timeoutMs?: number
}

export interface PlaidClientOptions {
  readonly baseUrl: string
  /** Plaid's environment. Access tokens of another one are not sent. */
  readonly environment: 'sandbox' | 'production'
  readonly clientId: string
  readonly secret: Secret
  readonly fetch: (request: Request) => Promise<Response>
  /** In milliseconds. Plaid may take long while it waits for the bank. */
  readonly timeoutMs?: number
  readonly wait: (milliseconds: number) => Promise<void>
  readonly random: () => number
  /** The caller that the rate limiter counts. */
  readonly caller: Caller
  readonly freeze: Pick<FreezeGate, 'check'>
  /** Null disables rate limiting, for tests and local development. Paid calls are then refused. */
  readonly limiter: PlaidLimiter | null
  readonly usage: UsageCounter
}

/** Excludes paths that are billed by the call. */
type FreePath<Path extends string> = Path extends PaidPath ? never : Path

export interface PlaidClient {
  /** @throws AppError `internal` for a paid path, which needs `callPaid` */
  call<Schema extends z.ZodType, const Path extends string>(
    call: PlaidCall<Schema> & { readonly path: Path & FreePath<Path> },
  ): Promise<PlaidResult<z.output<Schema>>>
  /** A call that Plaid bills: within the item's daily budget, and never retried. */
  callPaid<Schema extends z.ZodType>(
    call: PlaidCall<Schema> & { readonly path: PaidPath; readonly idempotent: false },
  ): Promise<PlaidResult<z.output<Schema>>>
}

const version = '2020-09-14'
/** Identifies our calls for Plaid's support. */
const userAgent = 'WealthNavigator-Edge'
const defaultTimeoutMs = 90_000
const maxAnswerBytes = 32 * 1024 * 1024

function noResponse(errorCode: string): PlaidFailure {
  return { class: 'retry', errorType: 'NETWORK', errorCode, status: 0, requestId: null, retryAfterSeconds: null }
}

/** Plaid responds 201 to a creation. */
const isSuccess = (status: number): boolean => status >= 200 && status < 300

/**
 * Plaid always responds in JSON. Anything else comes from the network in between and says nothing about the request.
 */
function unreadable(status: number): PlaidFailure {
  return { ...noResponse('UNREADABLE_ANSWER'), class: status === 429 ? 'rate_limited' : 'retry', status }
}

function notAdmitted({ kind, afterSeconds }: Exclude<Outcome, { kind: 'admitted' }>): PlaidFailure {
  const errorCode = kind === 'refused' ? 'QUOTA_SPENT' : 'QUOTA_UNAVAILABLE'
  const failure = noResponse(errorCode)
  return { ...failure, class: 'deferred', errorType: 'QUOTA', retryAfterSeconds: afterSeconds }
}

/** How long calls wait that a freeze refused, or whose switch could not be read. */
const gateSeconds: Readonly<Record<Exclude<GateAnswer, 'open'>, number>> = { frozen: 300, unknown: 30 }

function refusedByGate(state: Exclude<GateAnswer, 'open'>): PlaidFailure {
  const failure = noResponse(state === 'frozen' ? frozenCode : 'FREEZE_UNKNOWN')
  return { ...failure, class: 'deferred', errorType: 'FREEZE', retryAfterSeconds: gateSeconds[state] }
}

/** Whether the token is of another environment (`access-sandbox-…`). Tokens of another form are sent. */
function isForeign(accessToken: Secret | undefined, environment: string): boolean {
  const [, named] = /^access-(sandbox|development|production)-/.exec(accessToken?.reveal() ?? '') ?? []
  return named !== undefined && named !== environment
}

/** Not sent, because Plaid's response would be the same as for an item that is gone. */
const foreignToken: PlaidFailure = { ...noResponse(foreignTokenCode), class: 'ours', errorType: 'LOCAL' }

interface RawAnswer {
  readonly status: number
  readonly retryAfter: string | null
  /** Null if it was too long. */
  readonly text: string | null
}

const unreadableText = Symbol('no JSON')

function parsedText(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch (error) {
    if (error instanceof AppError) return unreadableText
    throw error
  }
}

/** Wraps secrets that Plaid returns, such as a new access token. */
export const secretText = (text: string): Secret => createSecret(text)

/** A client for one set of API keys and one caller. */
export function createPlaidClient(options: PlaidClientOptions): PlaidClient {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const { caller, limiter, usage } = options

  const exchange = async (call: PlaidCall<z.ZodType>, signal: AbortSignal): Promise<RawAnswer> => {
    const tokens = {
      access_token: call.accessToken?.reveal(),
      public_token: call.publicToken?.reveal(),
      link_token: call.linkToken?.reveal(),
    }
    const response = await options.fetch(
      new Request(`${options.baseUrl}${call.path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'plaid-version': version,
          'plaid-client-id': options.clientId,
          'plaid-secret': options.secret.reveal(),
          'user-agent': userAgent,
        },
        body: JSON.stringify({ ...call.body, ...tokens }),
        redirect: 'manual',
        signal,
      }),
    )
    const { status, headers } = response
    return { status, retryAfter: headers.get('retry-after'), text: await readText(response.body, maxAnswerBytes) }
  }

  const ask = async <Schema extends z.ZodType>(call: PlaidCall<Schema>): Promise<PlaidResult<z.output<Schema>>> => {
    let raw: RawAnswer
    try {
      raw = await withDeadline(Math.min(timeoutMs, call.timeoutMs ?? timeoutMs), (signal) => exchange(call, signal))
    } catch (error) {
      // A timeout or a lost connection. Their messages can quote the request, so they are dropped.
      const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
      return { ok: false, failure: noResponse(timedOut ? 'TIMEOUT' : 'NO_ANSWER') }
    }
    const { status, retryAfter, text } = raw
    const answer = text === null ? unreadableText : parsedText(text)
    if (answer === unreadableText) return { ok: false, failure: unreadable(status) }
    return isSuccess(status)
      ? readAnswer(call, answer, status)
      : { ok: false, failure: readFailure(answer, status, retryAfter) }
  }

  const attempt = async <Schema extends z.ZodType>(call: PlaidCall<Schema>): Promise<PlaidResult<z.output<Schema>>> => {
    if (isForeign(call.accessToken, options.environment)) return { ok: false, failure: foreignToken }
    const gate = await options.freeze.check(call.path)
    if (gate !== 'open') return { ok: false, failure: refusedByGate(gate) }
    const outcome: Outcome = (await limiter?.check(call.path, caller)) ?? { kind: 'admitted' }
    if (outcome.kind !== 'admitted') return { ok: false, failure: notAdmitted(outcome) }
    const result = await measured({ kind: 'plaid', name: call.path, outcomeOf }, () => ask(call))
    usage.count(call.path, result.ok ? 'ok' : result.failure.errorCode)
    if (!result.ok && result.failure.class === 'rate_limited')
      await limiter?.recordRejection(call.path, caller, result.failure.errorCode, result.failure.retryAfterSeconds)
    return result
  }

  return {
    call: async (call) => {
      if (isPaidPath(call.path)) throw unpaid(call.path)
      const first = await attempt(call)
      if (first.ok || !call.idempotent || first.failure.class !== 'retry') return first
      // A second timeout would outlast the run's lease.
      if (first.failure.errorCode === 'TIMEOUT') return first
      await options.wait(250 + options.random() * 500)
      return await attempt(call)
    },
    callPaid: async (call) => {
      if (limiter === null || caller.itemId === null) throw unpaid(call.path)
      return await attempt(call)
    },
  }
}

/** Plaid's code without what follows it: paths of fields. */
function outcomeOf(result: PlaidResult<unknown>): OperationOutcome {
  if (result.ok) return { ok: true, plaidRequestId: result.requestId }
  const { errorCode, requestId } = result.failure
  const [code = errorCode] = errorCode.split(' ', 1)
  return { ok: false, code, ...(requestId === null ? {} : { plaidRequestId: requestId }) }
}

/** The error of a bug: a paid call that was not declared as one, or that would not be counted. */
function unpaid(path: string): AppError {
  return new AppError('internal', 'A paid call was refused.', { reason: `${path} costs money by the call` })
}

function readAnswer<Schema extends z.ZodType>(
  call: PlaidCall<Schema>,
  answer: unknown,
  status: number,
): PlaidResult<z.output<Schema>> {
  const parsed = call.answer.safeParse(answer)
  const id = requestIdOf(answer)
  if (parsed.success) return { ok: true, value: parsed.data, requestId: id ?? '' }
  // Field paths and zod's codes only: the values are the user's data.
  const where = parsed.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')} ${issue.code}`)
  const errorCode = `UNEXPECTED_ANSWER ${call.path} ${where.join(', ')}`
  return {
    ok: false,
    failure: { ...noResponse(errorCode), class: 'ours', errorType: 'CONTRACT', status, requestId: id },
  }
}

function readFailure(answer: unknown, status: number, retryAfter: string | null): PlaidFailure {
  const parsed = plaidErrorSchema.safeParse(answer)
  if (!parsed.success) return unreadable(status)
  const { error_type: errorType, error_code: errorCode, request_id: requestId } = parsed.data
  const seconds = retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null
  return {
    class: classify(errorType, errorCode, status),
    errorType: plainName(errorType),
    errorCode: plainName(errorCode),
    status,
    requestId: requestId ?? null,
    retryAfterSeconds: seconds,
  }
}

/** Codes are upper-case names. Other text is not copied into rows and logs. */
function plainName(name: string): string {
  return /^[A-Z0-9_]{1,100}$/.test(name) ? name : 'UNNAMED'
}

function requestIdOf(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null || !('request_id' in answer)) return null
  return typeof answer.request_id === 'string' ? answer.request_id.slice(0, 64) : null
}
