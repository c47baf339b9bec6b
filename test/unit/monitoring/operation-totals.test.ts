import { expect, test } from 'vitest'
import type { Operation } from '../../../src/monitoring/operation.ts'
import { createOperationTotals } from '../../../src/monitoring/operation-totals.ts'

const operation = (change: Partial<Operation>): Operation => ({
  kind: 'database',
  name: 'select items',
  startedAtMs: 1,
  durationMs: 10.4,
  ok: true,
  ...change,
})

test('the totals count calls and whole milliseconds by kind, and name the newest request to Plaid', () => {
  const { observe, fields } = createOperationTotals()
  expect(fields()).toEqual({})
  observe(operation({}))
  observe(operation({}))
  observe(operation({ kind: 'plaid', plaidRequestId: 'first', ok: false, code: 'INTERNAL_SERVER_ERROR' }))
  observe(operation({ kind: 'plaid', plaidRequestId: 'second' }))
  expect(fields()).toEqual({
    database_calls: 2,
    database_ms: 21,
    plaid_calls: 2,
    plaid_ms: 21,
    plaid_request_id: 'second',
    plaid_error_code: 'INTERNAL_SERVER_ERROR',
  })
})

test('the totals keep a hundred operations for a trace', () => {
  const { observe, fields, operations } = createOperationTotals()
  for (let index = 0; index < 5000; index += 1) observe(operation({ kind: 'crypto' }))
  expect(operations()).toHaveLength(100)
  expect(fields()).toMatchObject({ crypto_calls: 5000 })
})
