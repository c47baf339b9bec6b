// What Plaid has pulled of an item's transactions: an append-only log of changes that sync cursors refer to. A cursor
// is a position; a page is the difference between two positions. Entries are never rewritten.
import type { Transaction } from '../bank/model.ts'

export interface Removal {
  transaction_id: string
  account_id: string
}

interface Entry {
  accountId: string
  transactionId: string
  /** Null if the transaction was removed. */
  transaction: Transaction | null
}

/** The changes that a client at one position must apply to reach a later one. */
export interface Delta {
  added: Transaction[]
  modified: Transaction[]
  removed: Removal[]
}

export interface ChangeLog {
  /** The number of changes so far: the position of a client that has all of them. */
  head(): number
  /** The newest state of an existing transaction, or null. */
  current(transactionId: string): Transaction | null
  /** Every existing transaction. */
  all(): Transaction[]
  put(transaction: Transaction): void
  remove(transactionId: string): void
  delta(from: number, to: number): Delta
}

export function openChangeLog(): ChangeLog {
  const log: Entry[] = []
  const present = new Map<string, Transaction>()
  return {
    head: () => log.length,
    current: (id) => present.get(id) ?? null,
    all: () => [...present.values()],
    put(transaction) {
      present.set(transaction.transaction_id, transaction)
      log.push({ accountId: transaction.account_id, transactionId: transaction.transaction_id, transaction })
    },
    remove(transactionId) {
      const last = present.get(transactionId)
      if (last === undefined) return
      present.delete(transactionId)
      log.push({ accountId: last.account_id, transactionId, transaction: null })
    },
    delta: (from, to) => deltaBetween(log, from, to),
  }
}

/**
 * Plaid's rules (API reference, /transactions/sync): each id at most once and in its newest state; `modified` only if
 * the client can have the transaction. A client that starts from the beginning gets no removals. A later one can get
 * removals of ids that it never received, as at Plaid.
 */
function deltaBetween(log: readonly Entry[], from: number, to: number): Delta {
  const seen = new Set<string>()
  for (const { transactionId, transaction } of log.slice(0, from)) {
    if (transaction === null) seen.delete(transactionId)
    else seen.add(transactionId)
  }
  const newest = new Map<string, Entry>()
  for (const entry of log.slice(from, to)) newest.set(entry.transactionId, entry)
  const delta: Delta = { added: [], modified: [], removed: [] }
  for (const { transactionId, accountId, transaction } of newest.values()) {
    if (transaction === null) delta.removed.push({ transaction_id: transactionId, account_id: accountId })
    else if (seen.has(transactionId)) delta.modified.push(transaction)
    else delta.added.push(transaction)
  }
  return from === 0 ? { ...delta, removed: [] } : delta
}
