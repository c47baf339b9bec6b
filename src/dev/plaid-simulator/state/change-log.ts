// What Plaid has pulled of an item's transactions: an append-only log of changes that sync cursors point into.
// A cursor is a position; a page is what differs between two positions. Nothing is ever rewritten.
import type { Transaction } from '../bank/model.ts'

export interface Removal {
  transaction_id: string
  account_id: string
}

interface Entry {
  accountId: string
  transactionId: string
  /** Null where the transaction was removed. */
  transaction: Transaction | null
}

/** What a client that stands at one position must apply to stand at a later one. */
export interface Delta {
  added: Transaction[]
  modified: Transaction[]
  removed: Removal[]
}

export interface Ledger {
  /** How many changes there were: the position of a client that has seen everything. */
  head(): number
  /** The newest state of a transaction that is there, or null. */
  current(transactionId: string): Transaction | null
  /** Every transaction that is there. */
  all(): Transaction[]
  put(transaction: Transaction): void
  remove(transactionId: string): void
  delta(from: number, to: number): Delta
}

export function openLedger(): Ledger {
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
 * Plaid's rules (API reference, /transactions/sync): each id at most once and in its newest state; `modified` only where the
 * client could have seen it. A client that starts from nothing gets no removals; a later one may get removals of ids that came
 * and went unseen, as it may from Plaid.
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
