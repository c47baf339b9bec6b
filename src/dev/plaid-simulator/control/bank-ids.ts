// Translates the ids of a control request: requests use an item's ids, the bank has its own.
import type { Rekey } from '../state/rekey.ts'
import { type BankChange, isPlace } from './requests.ts'

interface Ids {
  transaction_id?: string | null | undefined
  account_id?: string | null | undefined
  pending_transaction_id?: string | null | undefined
}

/** The same change with the bank's ids. */
export function inBankIds({ toBank }: Rekey, wanted: BankChange): BankChange {
  const sideOf = (name: string): string => (isPlace(name) ? name : toBank(name))
  const { add, move, modify, remove, post_pending, close_account, revoke, revoke_account } = wanted
  const { trade, cancel_trade, liability_payment } = wanted
  return {
    ...wanted,
    ...(Array.isArray(add) && { add: add.map((row) => renamed(row, toBank)) }),
    ...(move !== undefined && { move: move.map((row) => ({ ...row, from: sideOf(row.from), to: sideOf(row.to) })) }),
    ...(Array.isArray(modify) && { modify: modify.map((row) => renamed(row, toBank)) }),
    ...(Array.isArray(remove) && { remove: remove.map(toBank) }),
    ...(typeof post_pending === 'object' &&
      post_pending.transaction_ids !== undefined && {
        post_pending: { ...post_pending, transaction_ids: post_pending.transaction_ids.map(toBank) },
      }),
    ...(typeof close_account === 'string' && { close_account: toBank(close_account) }),
    ...(typeof close_account === 'object' && { close_account: { account_id: toBank(close_account.account_id) } }),
    ...(typeof revoke === 'object' && { revoke: { account_id: toBank(revoke.account_id) } }),
    ...(typeof revoke_account === 'string' && { revoke_account: toBank(revoke_account) }),
    ...(trade !== undefined && { trade: trade.map((row) => ({ ...row, account_id: toBank(row.account_id) })) }),
    ...(cancel_trade !== undefined && { cancel_trade: cancel_trade.map(toBank) }),
    ...(liability_payment !== undefined && {
      liability_payment: liability_payment.map((row) => ({ ...row, account_id: toBank(row.account_id) })),
    }),
  }
}

function renamed<Row extends Ids>(row: Row, toBank: (id: string) => string): Row {
  const names: Ids = {}
  for (const key of ['transaction_id', 'account_id', 'pending_transaction_id'] as const) {
    const id = row[key]
    if (typeof id === 'string') names[key] = toBank(id)
  }
  return Object.assign({}, row, names)
}
