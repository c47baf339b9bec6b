// Error reports to Sentry; the only module that imports toucan-js. Everything is scrubbed before it is sent. A report
// never contains request headers, bodies, cookies, query strings or addresses, and never makes a request fail.

import { Toucan } from 'toucan-js'
import { encodeHex } from '../crypto/encoding.ts'
import { AppError } from '../errors.ts'
import { quotingErrors, WITHHELD } from './describe-error.ts'
import { type Redact, redact, redactValue } from './redact.ts'
import { createReportBudget } from './report-budget.ts'

export interface ReporterOptions {
  /** `SENTRY_DSN`; null reports nothing. */
  readonly dsn: string | null
  readonly environment: string
  readonly release?: string
  /** The share of the traced operations that are sent, 0 to 1. */
  readonly tracesSampleRate?: number
  readonly redactText?: Redact
  readonly now?: () => number
  /** Called if a report could not be sent. Must not report that. */
  readonly onFailure?: (error: unknown) => void
}

/** Allows sending a report after the response; the handler's own context. */
export interface ReportContext {
  waitUntil(promise: Promise<unknown>): void
}

/** Labels of a report: ids and names, no personal data. */
export type ReportTags = Readonly<Record<string, string | number | boolean>>

/** A finished operation, for tracing. Times are milliseconds since 1970. */
export interface Operation {
  /** A route or job name, never a path with ids. */
  readonly name: string
  /** Sentry's operation: `http.server`, `queue.process`, `cron`. */
  readonly op: string
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly ok: boolean
}

export interface Reporter {
  /**
   * Sends at most ten of a kind, and sixty in all, in a minute and isolate. The tag `withheld` of the next one contains
   * the number that was not sent.
   */
  captureError(error: unknown, tags?: ReportTags): void
  /** Within the same limits, by message. */
  captureMessage(message: string, tags?: ReportTags): void
  captureOperation(operation: Operation): void
  /** A cron's heartbeat for Sentry's monitor of that name. */
  captureCheckIn(monitor: string, status: 'ok' | 'error'): void
}

const silent: Reporter = {
  captureError: () => {},
  captureMessage: () => {},
  captureOperation: () => {},
  captureCheckIn: () => {},
}

/** A reporter factory for one isolate. Call the result once for each request, message or run. */
export function createReporter(options: ReporterOptions): (context: ReportContext, random?: () => number) => Reporter {
  const { dsn, environment, release, tracesSampleRate = 0, redactText = redact, onFailure, now = Date.now } = options
  if (dsn === null || dsn === '') return () => silent
  const budget = createReportBudget()

  return (context, random = Math.random) => {
    const client = new Toucan({
      dsn,
      environment,
      ...(release === undefined ? {} : { release }),
      // A promise that rejects in `waitUntil` would count as the request's failure.
      context: { waitUntil: (sending) => context.waitUntil(sending.catch((error: unknown) => onFailure?.(error))) },
      beforeSend: (event) => scrub(event, redactText),
      beforeSendTransaction: (event) => scrub(event, redactText),
      beforeBreadcrumb: () => null,
    })
    return {
      captureError: (error, tags = {}) => {
        const withheld = budget(kindOf(error), now())
        if (withheld === null) return
        const all = { ...errorTags(error), ...tags, ...withheldTag(withheld) }
        client.withScope((scope) => scope.setTags(all).captureException(asError(error)))
      },
      captureMessage: (message, tags = {}) => {
        const withheld = budget(message, now())
        if (withheld === null) return
        const all = { ...tags, ...withheldTag(withheld) }
        client.withScope((scope) => scope.setTags(all).captureMessage(message, 'warning'))
      },
      captureOperation: (operation) => {
        if (random() < tracesSampleRate) client.captureEvent(transactionEvent(operation))
      },
      captureCheckIn: (monitorSlug, status) => {
        client.captureCheckIn({ monitorSlug, status })
      },
    }
  }
}

type SentryEvent = Parameters<Toucan['captureEvent']>[0]

/** The members of an event that are sent. Others, such as `request`, `user`, `extra` and `breadcrumbs`, are removed. */
const allowedMembers: ReadonlySet<string> = new Set([
  'contexts',
  'environment',
  'event_id',
  'exception',
  'level',
  'message',
  'platform',
  'release',
  'sdk',
  'spans',
  'start_timestamp',
  'tags',
  'timestamp',
  'transaction',
  'transaction_info',
  'type',
])

/** Runs last, after the client and its integrations have added their data. */
function scrub<E extends SentryEvent>(event: E, redactText: Redact): E {
  for (const exception of event.exception?.values ?? []) {
    if (quotingErrors.has(exception.type ?? '')) exception.value = WITHHELD
  }
  for (const [name, member] of Object.entries(event)) {
    if (allowedMembers.has(name)) Reflect.set(event, name, redactValue(member, redactText))
    else Reflect.deleteProperty(event, name)
  }
  return event
}

/** Reports only Errors: for other thrown values, the client would serialise the members. */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`a value of type ${typeof error} was thrown`)
}

const withheldTag = (withheld: number): ReportTags => (withheld === 0 ? {} : { withheld })

/** Errors of one kind have one cause; the text of an unknown one can differ each time. */
function kindOf(error: unknown): string {
  if (error instanceof AppError) return `${error.code} ${error.reason ?? ''}`
  return error instanceof Error ? error.name : typeof error
}

function errorTags(error: unknown): ReportTags {
  if (!(error instanceof AppError)) return {}
  return { code: error.code, ...(error.reason === undefined ? {} : { reason: error.reason }) }
}

/** A span tree of one node (Sentry's transaction event). */
function transactionEvent({ name, op, startedAtMs, endedAtMs, ok }: Operation): SentryEvent {
  const randomHex = (bytes: number): string => encodeHex(crypto.getRandomValues(new Uint8Array(bytes)))
  return {
    type: 'transaction',
    transaction: name,
    transaction_info: { source: 'route' },
    start_timestamp: startedAtMs / 1000,
    timestamp: endedAtMs / 1000,
    contexts: { trace: { trace_id: randomHex(16), span_id: randomHex(8), op, status: ok ? 'ok' : 'internal_error' } },
    spans: [],
  }
}
