// Counts and times what operation.ts reports: database calls, calls of Plaid, encryption.
import type { Operation, OperationObserver } from '../operation.ts'
import type { Metrics } from './collector.ts'

export function operationMetrics(metrics: Metrics): OperationObserver {
  const observe: Readonly<Record<Operation['kind'], OperationObserver>> = {
    database: ({ name, durationMs, ok, code = 'none' }) => {
      metrics.observe('wn_database_duration_seconds', durationMs, { statement: name })
      if (!ok) metrics.count('wn_database_errors_total', { code })
    },
    plaid: ({ name, durationMs, ok, code = 'none' }) => {
      metrics.observe('wn_plaid_duration_seconds', durationMs, { endpoint: name })
      metrics.count('wn_plaid_calls_total', { endpoint: name, code: ok ? 'ok' : code })
    },
    crypto: ({ name, durationMs, ok }) => {
      metrics.observe('wn_encryption_duration_seconds', durationMs, { operation: name })
      if (!ok) metrics.count('wn_encryption_errors_total', { operation: name })
    },
  }
  return (operation) => observe[operation.kind](operation)
}
