// Error reports, traces and check-ins to Sentry; the only module that imports toucan-js. Everything is scrubbed before it
// is sent. A report never contains request headers, bodies, cookies, query strings or addresses, and never makes a
// request fail or wait.

import { Toucan } from 'toucan-js'
import { AppError } from '../errors.ts'
import { type Redact, redact } from './redact.ts'
import { createReportBudget } from './report-budget.ts'
import { isTraced, newSpanId, scrub, type Transaction, traceIdOf, transactionEvent } from './sentry-event.ts'
import { createIngest } from './sentry-ingest.ts'

export interface ReporterOptions {
  /** `SENTRY_DSN`; null reports nothing. */
  readonly dsn: string | null
  readonly environment: string
  /** The version that serves; null where the platform names none. */
  readonly release?: string | null
  /** The share of the traces that are sent, 0 to 1. */
  readonly tracesSampleRate?: number
  readonly redactText?: Redact
  readonly now?: () => number
  readonly wait?: (milliseconds: number) => Promise<void>
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Called if a report could not be sent. Must not report that. */
  readonly onFailure?: (error: unknown) => void
}

/** Allows sending a report after the response; the handler's own context. */
export interface ReportContext {
  waitUntil(promise: Promise<unknown>): void
}

/** What the reports of a request, message or cron run have in common. */
export interface ReportSubject {
  /** The id of the request or run; it becomes a tag. Absent where nothing may lead to the person. */
  readonly requestId?: string
  /** The id of the request that caused it, whose trace it continues. */
  readonly causeId?: string
  /** The pseudonym of the user. */
  readonly user?: string
  /** Whether the count of a storm may be sent by a timer, which keeps the invocation open. */
  readonly mayLinger?: boolean
}

/** Labels of a report: ids and names, no personal data. */
export type ReportTags = Readonly<Record<string, string | number | boolean>>

/** Sentry's description of a cron, which the check-in creates or updates. */
export interface Monitor {
  readonly name: string
  readonly cron: string
  readonly longestMinutes: number
}

export interface Reporter {
  /**
   * Sends the first of a kind at once, and one with the tag `count` for all that follow within a minute and isolate;
   * sixty in all.
   */
  captureError(error: unknown, tags?: ReportTags): void
  /** Within the same limits, by message. */
  captureMessage(message: string, tags?: ReportTags): void
  /** Whether Sentry gets no error and no message now: it refused one, or did not respond. */
  isPaused(): boolean
  /** Sends it if its trace is in the sample. */
  captureOperation(transaction: Transaction): void
  /** A cron's heartbeat for Sentry's monitor of that name. */
  captureCheckIn(monitor: Monitor, status: 'ok' | 'error', durationMs: number): void
}

export type ReporterFactory = (context: ReportContext, subject?: ReportSubject) => Reporter

const silent: Reporter = {
  captureError: () => {},
  captureMessage: () => {},
  isPaused: () => false,
  captureOperation: () => {},
  captureCheckIn: () => {},
}

/** Below the 30 s that Cloudflare gives a request after its response. */
const stormCountMs = 20_000
/** Minutes after which a missing check-in is a failure. */
const checkInMargin = 5

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A reporter factory for one isolate. Call the result once for each request, message or run. */
export function createReporter(options: ReporterOptions): ReporterFactory {
  const { dsn, environment, release, tracesSampleRate = 0, redactText = redact } = options
  const { now = Date.now, wait = pause, onFailure = () => {} } = options
  if (dsn === null || dsn === '') return () => silent
  const budget = createReportBudget<ReportContext>()
  const ingest = createIngest({ fetch: options.fetch ?? ((url, init) => fetch(url, init)), now, onFailure })

  const clientFor = (context: ReportContext, { requestId, causeId, user }: ReportSubject): Toucan => {
    const client = new Toucan({
      dsn,
      environment,
      ...(release === undefined || release === null ? {} : { release }),
      // A promise that rejects in `waitUntil` would count as the request's failure. The ingest reports it.
      context: { waitUntil: (sending) => context.waitUntil(sending.catch(() => undefined)) },
      transportOptions: {
        fetcher: (request, init) => ingest.fetch(typeof request === 'string' ? request : '', init ?? {}),
      },
      beforeSend: (event) => scrub(event, redactText),
      beforeSendTransaction: (event) => scrub(event, redactText),
      beforeBreadcrumb: () => null,
    })
    const traced = causeId ?? requestId
    if (traced !== undefined) client.setPropagationContext({ traceId: traceIdOf(traced), spanId: newSpanId() })
    if (requestId !== undefined) client.setTag('request_id', requestId)
    if (causeId !== undefined) client.setTag('cause_id', causeId)
    if (user !== undefined) client.setUser({ id: user })
    return client
  }

  return (context, subject = {}) => {
    const send = (kind: string, tags: ReportTags, capture: (scope: Toucan) => void): void => {
      if (ingest.isPaused('event')) return
      // The request that failed may have ended when the count is sent.
      const isCounted = budget.report(kind, now(), context, (count, by) =>
        clientFor(by, subject).withScope((scope) => {
          scope.setTags({ ...tags, ...(count === 1 ? {} : { count }) })
          capture(scope)
        }),
      )
      if (isCounted && subject.mayLinger === true)
        context.waitUntil(wait(stormCountMs).then(() => budget.flush(now(), context, 'all')))
    }
    budget.flush(now(), context)
    return {
      captureError: (error, tags = {}) =>
        send(kindOf(error), { ...errorTags(error), ...tags }, (scope) => void scope.captureException(asError(error))),
      captureMessage: (message, tags = {}) =>
        send(message, tags, (scope) => void scope.captureMessage(message, 'warning')),
      isPaused: () => ingest.isPaused('event'),
      captureOperation: (transaction) => {
        const traced = subject.causeId ?? subject.requestId ?? crypto.randomUUID()
        if (!isTraced(traced, tracesSampleRate) || ingest.isPaused('transaction')) return
        clientFor(context, subject).captureEvent(transactionEvent(transaction, traceIdOf(traced)))
      },
      captureCheckIn: ({ name, cron, longestMinutes }, status, durationMs) => {
        if (ingest.isPaused('check_in')) return
        clientFor(context, subject).captureCheckIn(
          { monitorSlug: name, status, duration: durationMs / 1000 },
          {
            schedule: { type: 'crontab', value: cron },
            checkinMargin: checkInMargin,
            maxRuntime: longestMinutes,
            timezone: 'Etc/UTC',
          },
        )
      },
    }
  }
}

/** Reports only Errors: for other thrown values, the client would serialise the members. */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`a value of type ${typeof error} was thrown`)
}

/** Errors of one kind have one cause; the text of an unknown one can differ each time. */
function kindOf(error: unknown): string {
  if (error instanceof AppError) return `${error.code} ${error.reason ?? ''}`
  return error instanceof Error ? error.name : typeof error
}

function errorTags(error: unknown): ReportTags {
  if (!(error instanceof AppError)) return {}
  return { code: error.code, ...(error.reason === undefined ? {} : { reason: error.reason }) }
}
