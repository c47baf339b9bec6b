// Counts the operations of one request, message or cron run, for its log event and its trace.
import type { LogFields } from './logger.ts'
import type { Operation, OperationKind, OperationObserver } from './operation.ts'

/** A backup makes thousands of calls; a trace shows the first ones. */
const mostKept = 100

export interface OperationTotals {
  readonly observe: OperationObserver
  /** Calls and milliseconds by kind, and the newest request to Plaid; nothing about kinds without a call. */
  readonly fields: () => LogFields
  /** The first operations, in the order of their ends. */
  readonly operations: () => readonly Operation[]
}

export function createOperationTotals(): OperationTotals {
  const sums = new Map<OperationKind, { calls: number; ms: number }>()
  const kept: Operation[] = []
  let plaidRequestId: string | undefined
  let plaidErrorCode: string | undefined
  return {
    observe: (operation) => {
      const { calls, ms } = sums.get(operation.kind) ?? { calls: 0, ms: 0 }
      sums.set(operation.kind, { calls: calls + 1, ms: ms + operation.durationMs })
      if (operation.kind === 'plaid') {
        plaidRequestId = operation.plaidRequestId ?? plaidRequestId
        plaidErrorCode = operation.code ?? plaidErrorCode
      }
      if (kept.length < mostKept) kept.push(operation)
    },
    fields: () => {
      const of = (kind: OperationKind) => sums.get(kind)
      const [database, plaid, crypto] = [of('database'), of('plaid'), of('crypto')]
      return {
        ...(database && { database_calls: database.calls, database_ms: Math.round(database.ms) }),
        ...(plaid && { plaid_calls: plaid.calls, plaid_ms: Math.round(plaid.ms) }),
        ...(crypto && { crypto_calls: crypto.calls, crypto_ms: Math.round(crypto.ms) }),
        ...(plaidRequestId !== undefined && { plaid_request_id: plaidRequestId }),
        ...(plaidErrorCode !== undefined && { plaid_error_code: plaidErrorCode }),
      }
    },
    operations: () => kept,
  }
}
