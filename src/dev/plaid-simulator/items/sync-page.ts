// One page of /transactions/sync: reads cursors and cuts updates into pages. Independent of HTTP and items.
import * as z from 'zod'
import type { Transaction } from '../bank/model.ts'
import { failure } from '../lib/failure.ts'
import type { Delta, ChangeLog, Removal } from '../state/change-log.ts'

/**
 * Between two updates `from` equals `to`. Within one, the client has received `offset` changes of the update from
 * `from` to `to`.
 */
interface Position {
  from: number
  to: number
  offset: number
}

export interface SyncPage extends Delta {
  next_cursor: string
  has_more: boolean
}

export interface PageRequest {
  changeLog: ChangeLog
  itemId: string
  /** Empty starts at the beginning; `now` skips all existing changes. */
  cursor: string
  count: number
  /** Only this account's changes. */
  accountId: string | null
}

/**
 * The page for a cursor. Fails with INVALID_FIELD for a cursor of another item, and with
 * TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION if the change log grew since the update's first page.
 */
export function syncPage({ changeLog, itemId, cursor, count, accountId }: PageRequest): SyncPage {
  const head = changeLog.head()
  const position = positionOf(cursor, itemId, head)
  if (position.offset > 0 && position.to !== head) throw failure('TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION')
  const { from, offset } = position
  const delta = ofAccount(changeLog.delta(from, head), accountId)
  const cut = cutOf(delta, offset, count)
  const has_more = cut.end < cut.total
  const next = has_more ? { from, to: head, offset: cut.end } : { from: head, to: head, offset: 0 }
  return { ...cut.page, has_more, next_cursor: writeCursor(itemId, next) }
}

/** Whether the cursor stands between two pages of one update. */
export function isMidUpdate(cursor: string, itemId: string): boolean {
  const position = readCursor(cursor, itemId)
  return position !== null && position.offset > 0
}

/**
 * Additions, then modifications, then removals. An update that does not fit a page, or that posts a pending
 * transaction, has its removals on separate pages. Plaid does not promise that they share a page, and clients that rely
 * on it are wrong.
 */
function cutOf(delta: Delta, offset: number, count: number): { page: Delta; end: number; total: number } {
  const upserts = delta.added.length + delta.modified.length
  const total = upserts + delta.removed.length
  const split = offset > 0 || total > count || postsPending(delta)
  const limit = split && offset < upserts ? upserts : total
  const end = Math.min(offset + count, limit)
  const slice = <Row>(rows: readonly Row[], start: number): Row[] =>
    rows.slice(Math.max(0, offset - start), Math.max(0, end - start))
  return {
    page: {
      added: slice(delta.added, 0),
      modified: slice(delta.modified, delta.added.length),
      removed: slice(delta.removed, upserts),
    },
    end,
    total,
  }
}

function postsPending({ added, modified, removed }: Delta): boolean {
  const gone = new Set(removed.map(({ transaction_id }) => transaction_id))
  const posts = ({ pending_transaction_id }: Transaction): boolean =>
    pending_transaction_id !== null && gone.has(pending_transaction_id)
  return added.some(posts) || modified.some(posts)
}

function ofAccount(delta: Delta, accountId: string | null): Delta {
  if (accountId === null) return delta
  const own = (row: Transaction | Removal): boolean => row.account_id === accountId
  return { added: delta.added.filter(own), modified: delta.modified.filter(own), removed: delta.removed.filter(own) }
}

function positionOf(cursor: string, itemId: string, head: number): Position {
  if (cursor === '') return { from: 0, to: head, offset: 0 }
  if (cursor === 'now') return { from: head, to: head, offset: 0 }
  const position = readCursor(cursor, itemId)
  if (position === null || position.to > head) throw failure('INVALID_FIELD', 'cursor is not one of this item')
  return position
}

const cursorShape = z.tuple([z.literal(1), z.string(), z.int().min(0), z.int().min(0), z.int().min(0)])

function writeCursor(itemId: string, { from, to, offset }: Position): string {
  return Buffer.from(JSON.stringify([1, itemId, from, to, offset])).toString('base64')
}

function readCursor(cursor: string, itemId: string): Position | null {
  const text = Buffer.from(cursor, 'base64').toString('utf8')
  if (!text.startsWith('[1,') || Buffer.from(text).toString('base64') !== cursor) return null
  const parsed = cursorShape.safeParse(parseOrNull(text))
  if (!parsed.success || parsed.data[1] !== itemId) return null
  const [, , from, to, offset] = parsed.data
  return from <= to ? { from, to, offset } : null
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
