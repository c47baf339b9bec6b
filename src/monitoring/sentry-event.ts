// The form of what Sentry gets: transactions and their spans, and the removal of everything that is not on the list.
import type { Toucan } from 'toucan-js'
import { encodeHex } from '../crypto/encoding.ts'
import { quotingErrors, WITHHELD } from './describe-error.ts'
import type { Operation, OperationKind } from './operation.ts'
import { type Redact, redactValue } from './redact.ts'

export type SentryEvent = Parameters<Toucan['captureEvent']>[0]

/** A finished request, message or cron run. Times are milliseconds since 1970. */
export interface Transaction {
  /** A route or job name, never a path with ids. */
  readonly name: string
  /** Sentry's operation: `http.server`, `queue.process`, `cron`. */
  readonly op: string
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly ok: boolean
  readonly operations?: readonly Operation[]
}

const randomHex = (bytes: number): string => encodeHex(crypto.getRandomValues(new Uint8Array(bytes)))
export const newSpanId = (): string => randomHex(8)

/** Sentry's names of operations: https://develop.sentry.dev/sdk/performance/span-operations/ */
const spanOperations: Readonly<Record<OperationKind, string>> = {
  database: 'db.query',
  plaid: 'http.client',
  crypto: 'crypto',
}

/** Every request has a trace, which its messages continue: the UUID of the request without its dashes. */
export const traceIdOf = (id: string): string => id.replaceAll('-', '').toLowerCase()

/**
 * Whether a trace is in the sample. Decided by the id, which is random, so that a request and its messages are sent
 * together or not at all.
 */
export function isTraced(id: string, sampleRate: number): boolean {
  const drawn = Number.parseInt(traceIdOf(id).slice(0, 8), 16)
  return drawn / 0x1_0000_0000 < sampleRate
}

/** A transaction with a span for each operation (https://develop.sentry.dev/sdk/data-model/event-payloads/transaction/). */
export function transactionEvent(transaction: Transaction, traceId: string): SentryEvent {
  const { name, op, startedAtMs, endedAtMs, ok, operations = [] } = transaction
  const spanId = newSpanId()
  const spans = operations.map((operation) => ({
    trace_id: traceId,
    span_id: newSpanId(),
    parent_span_id: spanId,
    op: spanOperations[operation.kind],
    description: operation.name,
    start_timestamp: operation.startedAtMs / 1000,
    timestamp: (operation.startedAtMs + operation.durationMs) / 1000,
    status: operation.ok ? 'ok' : 'internal_error',
    data: {
      ...(operation.code === undefined ? {} : { code: operation.code }),
      ...(operation.plaidRequestId === undefined ? {} : { plaid_request_id: operation.plaidRequestId }),
    },
  }))
  return Object.assign<SentryEvent, object>(
    {
      type: 'transaction',
      transaction: name,
      transaction_info: { source: 'route' },
      start_timestamp: startedAtMs / 1000,
      timestamp: endedAtMs / 1000,
      contexts: { trace: { trace_id: traceId, span_id: spanId, op, status: ok ? 'ok' : 'internal_error' } },
    },
    { spans },
  )
}

/** The members of an event that are sent. Others, such as `request`, `extra` and `breadcrumbs`, are removed. */
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
  'user',
])

/** Runs last, after the client and its integrations have added their data. */
export function scrub<E extends SentryEvent>(event: E, redactText: Redact): E {
  for (const exception of event.exception?.values ?? []) {
    if (quotingErrors.has(exception.type ?? '')) exception.value = WITHHELD
  }
  // A user is a pseudonym and nothing else.
  if (event.user !== undefined) event.user = { id: String(event.user.id ?? '') }
  for (const [name, member] of Object.entries(event)) {
    if (allowedMembers.has(name)) Reflect.set(event, name, redactValue(member, redactText))
    else Reflect.deleteProperty(event, name)
  }
  return event
}
