// The guarantees of cursors and pages, for every sequence of changes, page size and age of cursor.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inventTransaction } from '../../../../src/dev/plaid-simulator/bank/invent.ts'
import type { Transaction } from '../../../../src/dev/plaid-simulator/bank/model.ts'
import { openBank } from '../../../../src/dev/plaid-simulator/bank/open.ts'
import { randomFrom } from '../../../../src/dev/plaid-simulator/bank/random.ts'
import { isMidUpdate, type SyncPage, syncPage } from '../../../../src/dev/plaid-simulator/items/sync-page.ts'
import { PlaidFailure } from '../../../../src/dev/plaid-simulator/lib/failure.ts'
import { seededIds } from '../../../../src/dev/plaid-simulator/lib/ids.ts'
import { type ChangeLog, openChangeLog } from '../../../../src/dev/plaid-simulator/state/change-log.ts'

const template = sampleTransaction()

function sampleTransaction(): Transaction {
  const today = '2026-03-01'
  const ids = (kind: string): string => seededIds('template').next(kind)
  const bank = openBank({
    seed: 's',
    institutionId: 'ins_109509',
    username: 'user_good',
    customUser: null,
    historyDays: 730,
    today,
    ids,
  })
  return inventTransaction({ bank, random: randomFrom('template'), today, ids })
}

function transaction(id: number, version: number, pendingId: number | null = null): Transaction {
  return {
    ...template,
    transaction_id: `t${id}`,
    name: `version ${version}`,
    pending_transaction_id: pendingId === null ? null : `t${pendingId}`,
  }
}

/** Few ids, so that the same one is added, changed, removed and added again. */
const idNumber = fc.integer({ min: 0, max: 12 })
const change = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), id: idNumber }),
  fc.record({ kind: fc.constant('remove' as const), id: idNumber }),
  fc.record({ kind: fc.constant('post' as const), id: idNumber, from: idNumber }),
)
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

/** Applies changes to the change log and, independently, to a plain map: the model. */
function play(changeLog: ChangeLog, model: Map<string, Transaction>, changes: readonly Change[], from: number): void {
  for (const [index, step] of changes.entries()) {
    const version = from + index
    if (step.kind === 'remove') {
      changeLog.remove(`t${step.id}`)
      model.delete(`t${step.id}`)
      continue
    }
    const pending = step.kind === 'post' && step.from !== step.id ? step.from : null
    const row = transaction(step.id, version, pending)
    changeLog.put(row)
    model.set(row.transaction_id, row)
    if (pending !== null) {
      changeLog.remove(`t${pending}`)
      model.delete(`t${pending}`)
    }
  }
}

function readAll(changeLog: ChangeLog, cursor: string, counts: readonly number[]): SyncPage[] {
  const pages: SyncPage[] = []
  let next = cursor
  for (let index = 0; ; index += 1) {
    const count = counts[index % counts.length] ?? 1
    const page = syncPage({ changeLog, itemId: 'item', cursor: next, count, accountId: null })
    expect(page.added.length + page.modified.length + page.removed.length).toBeLessThanOrEqual(count)
    pages.push(page)
    next = page.next_cursor
    if (!page.has_more) return pages
  }
}

function apply(held: Map<string, Transaction>, pages: readonly SyncPage[]): void {
  for (const { added, modified } of pages) {
    for (const row of [...added, ...modified]) held.set(row.transaction_id, row)
  }
  for (const { removed } of pages) for (const { transaction_id } of removed) held.delete(transaction_id)
}

const counts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 })
const rounds = fc.array(fc.record({ changes: fc.array(change, { maxLength: 25 }), counts, skip: fc.boolean() }), {
  maxLength: 6,
})

test('a client that follows Plaid’s rules reaches the current state after any events, with any page size and cursor', () => {
  fc.assert(
    fc.property(rounds, (played) => {
      const [changeLog, model, held] = [openChangeLog(), new Map<string, Transaction>(), new Map<string, Transaction>()]
      let cursor = ''
      let version = 0
      for (const round of [...played, { changes: [], counts: [3], skip: false }]) {
        play(changeLog, model, round.changes, version)
        version += round.changes.length
        if (round.skip) continue
        const pages = readAll(changeLog, cursor, round.counts)
        apply(held, pages)
        cursor = pages.at(-1)?.next_cursor ?? ''
        expect(held.size).toBe(model.size)
        for (const [id, row] of model) expect(held.get(id)).toBe(row)
      }
    }),
    { numRuns: 300 },
  )
})

test('an update names an id once, calls it modified only where the client had it, and removes nothing from the start', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 30 }),
      fc.array(change, { maxLength: 30 }),
      counts,
      (before, after, sizes) => {
        const [changeLog, model] = [openChangeLog(), new Map<string, Transaction>()]
        play(changeLog, model, before, 0)
        const had = new Set(model.keys())
        const first = readAll(changeLog, '', sizes)
        expect(first.flatMap(({ modified, removed }) => [...modified, ...removed])).toEqual([])
        const cursor = first.at(-1)?.next_cursor ?? ''
        play(changeLog, model, after, before.length)
        const second = readAll(changeLog, cursor, sizes)
        const added = second.flatMap((page) => page.added.map(({ transaction_id }) => transaction_id))
        const modified = second.flatMap((page) => page.modified.map(({ transaction_id }) => transaction_id))
        const removed = second.flatMap((page) => page.removed.map(({ transaction_id }) => transaction_id))
        expect(new Set([...added, ...modified, ...removed]).size).toBe(added.length + modified.length + removed.length)
        // The cursor of an empty change log equals the start, where no client has rows yet.
        expect(modified.every((id) => had.has(id))).toBe(true)
        expect(added.some((id) => had.has(id))).toBe(false)
      },
    ),
    { numRuns: 300 },
  )
})

describe('a pending transaction that posts', () => {
  test.for([1, 2, 3, 500])('is removed on another page than it is added on, %i a page', (count) => {
    const [changeLog, model] = [openChangeLog(), new Map<string, Transaction>()]
    play(
      changeLog,
      model,
      [
        { kind: 'put', id: 1 },
        { kind: 'put', id: 2 },
      ],
      0,
    )
    const cursor = readAll(changeLog, '', [10]).at(-1)?.next_cursor ?? ''
    play(changeLog, model, [{ kind: 'post', id: 3, from: 1 }], 2)
    const pages = readAll(changeLog, cursor, [count])
    expect(pages.map(({ added, removed }) => [added.length, removed.length])).toEqual([
      [1, 0],
      [0, 1],
    ])
  })
})

describe('a change between two pages', () => {
  function midUpdate() {
    const [changeLog, model] = [openChangeLog(), new Map<string, Transaction>()]
    play(
      changeLog,
      model,
      [0, 1, 2, 3, 4].map((id) => ({ kind: 'put' as const, id })),
      0,
    )
    const first = syncPage({ changeLog, itemId: 'item', cursor: '', count: 2, accountId: null })
    return { changeLog, model, first }
  }

  test('fails the next page, and every later use of that cursor', () => {
    const { changeLog, first } = midUpdate()
    changeLog.put(transaction(9, 9))
    for (let again = 0; again < 2; again += 1) {
      const next = () => syncPage({ changeLog, itemId: 'item', cursor: first.next_cursor, count: 2, accountId: null })
      expect(next).toThrow('TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION')
    }
    expect(isMidUpdate(first.next_cursor, 'item')).toBe(true)
  })

  test('does not fail a restart from the cursor that the update began with', () => {
    const { changeLog, model } = midUpdate()
    changeLog.put(transaction(9, 9))
    model.set('t9', transaction(9, 9))
    const held = new Map<string, Transaction>()
    apply(held, readAll(changeLog, '', [2]))
    expect(held.size).toBe(model.size)
  })

  test('the same page can be requested twice without a cursor', () => {
    const { changeLog, first } = midUpdate()
    const next = () => syncPage({ changeLog, itemId: 'item', cursor: first.next_cursor, count: 2, accountId: null })
    expect(next()).toEqual(next())
  })
})

test('/transactions/sync refuses every cursor that is not one of the item', () => {
  const changeLog = openChangeLog()
  changeLog.put(transaction(1, 1))
  const foreign = syncPage({ changeLog, itemId: 'another', cursor: '', count: 1, accountId: null }).next_cursor
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ minLength: 1 }), fc.base64String({ minLength: 4 }), fc.constant(foreign)),
      (cursor) => {
        fc.pre(cursor !== 'now')
        expect(() => syncPage({ changeLog, itemId: 'item', cursor, count: 1, accountId: null })).toThrow(PlaidFailure)
      },
    ),
  )
})

test('the cursor `now` skips what is there', () => {
  const changeLog = openChangeLog()
  changeLog.put(transaction(1, 1))
  const { next_cursor, added } = syncPage({ changeLog, itemId: 'item', cursor: 'now', count: 5, accountId: null })
  changeLog.put(transaction(2, 2))
  const later = syncPage({ changeLog, itemId: 'item', cursor: next_cursor, count: 5, accountId: null })
  expect([added, later.added.map(({ transaction_id }) => transaction_id)]).toEqual([[], ['t2']])
})
