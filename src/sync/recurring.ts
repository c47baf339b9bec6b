// Reads /transactions/recurring/get, a full snapshot of the streams that Plaid finds in an item's transactions. The
// response has account ids only, so /accounts/get is read too: a stream may belong to an account that is not stored
// yet.
import { type Direction, mergeRecurring, type RecurringFacts } from '../db/records/recurring.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import type { PlaidStream } from '../plaid/schemas.ts'
import { lastOfEach } from './repeated-rows.ts'
import { recordResponse, type ReadAnswer, type Run, snapshotEnd } from './run.ts'
import { settleAccounts } from './settle-accounts.ts'

export async function readRecurring(run: Run): Promise<ReadAnswer> {
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
  const streams = lastOfEach([...factsOf('inflow', inflow), ...factsOf('outflow', outflow)], nameOf)
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

const nameOf = ({ direction, plaidAccountId: accountId, plaidStreamId: rowId }: RecurringFacts) =>
  ({ kind: `${direction}_stream`, list: `${direction}_streams`, accountId, rowId }) as const

function factsOf(direction: Direction, streams: readonly PlaidStream[]): RecurringFacts[] {
  return streams.map((stream) => ({
    plaidStreamId: stream.stream_id,
    plaidAccountId: stream.account_id,
    direction,
    description: stream.description,
    merchantName: stream.merchant_name,
    categoryPrimary: stream.personal_finance_category?.primary ?? null,
    categoryDetailed: stream.personal_finance_category?.detailed ?? null,
    firstDate: stream.first_date,
    lastDate: stream.last_date,
    predictedNextDate: stream.predicted_next_date,
    frequency: stream.frequency,
    averageAmount: stream.average_amount.amount,
    lastAmount: stream.last_amount.amount,
    isoCurrencyCode: stream.last_amount.iso_currency_code,
    unofficialCurrencyCode: stream.last_amount.unofficial_currency_code,
    isActive: stream.is_active,
    status: stream.status,
    plaidTransactionIds: stream.transaction_ids,
  }))
}
