// Reads /transactions/recurring/get, a full snapshot of the streams that Plaid finds in an item's transactions. The
// response has account ids only, so /accounts/get is read too: a stream may belong to an account that is not stored
// yet.
import { type Direction, mergeRecurring, type PlaidStreamRow } from '../db/records/recurring.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import type { PlaidStream } from '../plaid/schemas.ts'
import { lastOfEach } from './repeated-rows.ts'
import { recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'
import { settleAccounts } from './settle-accounts.ts'

export async function readRecurring(run: Run): Promise<ReadResult> {
  const { plaid } = run
  const result = await plaid.getRecurring(run.token)
  recordResponse(run.stats, result)
  if (!result.ok) return { kind: 'failed', failure: asAddOn(result.failure) }
  const accounts = await plaid.getAccounts(run.token)
  recordResponse(run.stats, accounts)
  if (!accounts.ok) return { kind: 'failed', failure: accounts.failure }
  const { inflow_streams: inflow, outflow_streams: outflow } = result.value
  const settled = await settleAccounts(run, accounts.value, false)
  if (settled.kind === 'instead') return settled.answer
  const streams = lastOfEach([...inflow.map(streamRow('inflow')), ...outflow.map(streamRow('outflow'))], nameOf)
  const setAside = [...result.value.set_aside, ...accounts.value.set_aside, ...streams.setAside]
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [...settled.statements, mergeRecurring(run.lease, streams.rows, setAside)],
    setAside,
    markDirty: null,
  }
}

/** Recurring transactions are an add-on of Plaid's. Without it, the product is absent, which is not an error. */
function asAddOn(failure: PlaidFailure): PlaidFailure {
  return failure.errorCode === 'INVALID_PRODUCT' ? { ...failure, class: 'product_absent' } : failure
}

const nameOf = ({ direction, plaid_account_id: accountId, plaid_stream_id: rowId }: PlaidStreamRow) =>
  ({ kind: `${direction}_stream`, list: `${direction}_streams`, accountId, rowId }) as const

const streamRow =
  (direction: Direction) =>
  ({
    stream_id: id,
    account_id: accountId,
    personal_finance_category: category,
    average_amount: average,
    last_amount: { amount, ...currency },
    transaction_ids: transactionIds,
    ...stream
  }: PlaidStream): PlaidStreamRow => ({
    ...stream,
    plaid_stream_id: id,
    plaid_account_id: accountId,
    direction,
    category_primary: category?.primary ?? null,
    category_detailed: category?.detailed ?? null,
    average_amount: average.amount,
    last_amount: amount,
    ...currency,
    plaid_transaction_ids: transactionIds,
  })
