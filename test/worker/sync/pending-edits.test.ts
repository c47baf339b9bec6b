// A user's edits of a pending transaction when it posts and Plaid names no posted transaction, or two.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const dayAt = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)

interface Entry {
  readonly name: string
  readonly amount: number
  readonly date?: string
  readonly account_id?: string
  readonly iso_currency_code?: string
  readonly pending?: boolean
  readonly pending_transaction_id?: string
  readonly transaction_id?: string
}

const edits = { note: 'with Kim', userCategory: 'Treats', hidden: true }
const shown = (row: { note: string | null; userCategory: string | null; hidden: boolean }) => ({
  note: row.note,
  userCategory: row.userCategory,
  hidden: row.hidden,
})
const nothing = { note: null, userCategory: null, hidden: false }

async function accountsOf(item: Item): Promise<string[]> {
  const { accounts } = await world.bank.truth(item.plaidItemId)
  return accounts.filter(({ type }) => type === 'depository').map((account) => account.account_id)
}

async function edit(subject: string, plaidId: string | undefined, wanted: Partial<typeof edits>): Promise<void> {
  const row = (await everyTransaction(world, subject)).find((each) => each.plaidTransactionId === plaidId)
  const { identity } = world.user(subject).actor
  expect(await editTransaction(world.services.api, identity, row?.id ?? '', wanted)).not.toBeNull()
}

async function editsOf(subject: string, plaidId: string | undefined) {
  const row = (await everyTransaction(world, subject)).find((each) => each.plaidTransactionId === plaidId)
  return row === undefined ? null : shown(row)
}

/** A user with one edited pending transaction; `account` is another account of the item. */
async function pendingOne(subject: string, more: Partial<Entry> = {}) {
  const item = await linkAndSync(world, subject)
  const [first = '', account = ''] = await accountsOf(item)
  const row = { name: 'IKES 0412', amount: 14.17, date: dayAt(-3), account_id: first, pending: true, ...more }
  const { added } = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
  await odd.sync(item, 'transactions')
  await edit(subject, added[0], edits)
  return { item, pending: added[0] ?? '', row: { ...row, pending: false }, account }
}

const posts = (row: Entry, change: Partial<Entry>): Entry => ({ ...row, ...change })

describe('edits of a pending transaction that nothing names', () => {
  it.each<[string, Partial<Entry>]>([
    ['the same amount and name', {}],
    ['the same amount under another name', { name: 'IKES SANDWICHES PHOENIX' }],
    ['the same name with a tip', { amount: 17 }],
    ['the same name in other letters, six days later', { name: 'Ikes 0412', amount: 16.2, date: dayAt(3) }],
    ['a week later', { date: dayAt(4) }],
  ])('move to the posted one of %s', async (what, change) => {
    const { item, pending, row } = await pendingOne(`moves: ${what}`)
    const { added } = await world.bank.change(item.plaidItemId, {
      remove: [pending],
      add: [posts(row, change)],
      silent: true,
    })
    await odd.sync(item, 'transactions')
    expect(await editsOf(`moves: ${what}`, added[0])).toEqual(edits)
    await expectTruth(world, `moves: ${what}`, item.plaidItemId)
  })

  it.each<[string, Partial<Entry>]>([
    ['another amount and name', { amount: 14.18, name: 'OTHER' }],
    ['another currency', { iso_currency_code: 'EUR' }],
    ['the other direction', { amount: -14.17 }],
    ['eight days later', { date: dayAt(5) }],
    ['eight days before', { date: dayAt(-11) }],
    ['that is pending too', { pending: true }],
  ])('do not move to one of %s', async (what, change) => {
    const { item, pending, row } = await pendingOne(`stays: ${what}`)
    const { added } = await world.bank.change(item.plaidItemId, {
      remove: [pending],
      add: [posts(row, change)],
      silent: true,
    })
    await odd.sync(item, 'transactions')
    expect(await editsOf(`stays: ${what}`, added[0])).toEqual(nothing)
  })

  it('do not move to another account', async () => {
    const { item, pending, row, account } = await pendingOne('other account')
    const add = [posts(row, { account_id: account })]
    const { added } = await world.bank.change(item.plaidItemId, { remove: [pending], add, silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf('other account', added[0])).toEqual(nothing)
  })

  it('stay where they are while the pending one is there', async () => {
    const { item, pending, row } = await pendingOne('still there')
    const { added } = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf('still there', added[0])).toEqual(nothing)
    expect(await editsOf('still there', pending)).toEqual(edits)
  })

  it('move when the posted one comes in a later commit, once', async () => {
    const subject = 'later commit'
    const { item, pending, row } = await pendingOne(subject)
    await world.bank.change(item.plaidItemId, { remove: [pending], silent: true })
    await odd.sync(item, 'transactions')
    const { added: first } = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
    await odd.sync(item, 'transactions')
    const { added: second } = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, first[0])).toEqual(edits)
    expect(await editsOf(subject, second[0])).toEqual(nothing)
  })

  it('do not move more than a week after the pending one was removed', async () => {
    const subject = 'too late'
    const { item, pending, row } = await pendingOne(subject)
    await world.bank.change(item.plaidItemId, { remove: [pending], silent: true })
    await odd.sync(item, 'transactions')
    await world.sql("update transactions set removed_at = now() - interval '8 days' where plaid_transaction_id = $1", [
      pending,
    ])
    const { added } = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, added[0])).toEqual(nothing)
  })

  it('move when a full read does not have the pending one any more', async () => {
    const subject = 'full read'
    const { item, pending, row } = await pendingOne(subject)
    const { added } = await world.bank.change(item.plaidItemId, { remove: [pending], add: [row], silent: true })
    await odd.forgetCursor(item)
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, added[0])).toEqual(edits)
    await expectTruth(world, subject, item.plaidItemId)
    const again = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, again.added[0])).toEqual(nothing)
  })

  it('do not move to the successor of another pending transaction', async () => {
    const subject = 'a better candidate'
    const { item, pending, row } = await pendingOne(subject)
    const other = { ...row, amount: 20, pending: true }
    const { added: others } = await world.bank.change(item.plaidItemId, { add: [other], silent: true })
    await odd.sync(item, 'transactions')
    const add = [posts(row, { amount: 20 })]
    const { added } = await world.bank.change(item.plaidItemId, { remove: [pending, ...others], add, silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, added[0])).toEqual(nothing)
  })

  it('go to the one that the pending one is linked to, and not to one that is more alike', async () => {
    const subject = 'a link is more'
    const { item, pending, row } = await pendingOne(subject)
    const add = [row, posts(row, { name: 'LINKED', amount: 1, pending_transaction_id: pending })]
    const { added } = await world.bank.change(item.plaidItemId, { remove: [pending], add, silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, added[0])).toEqual(nothing)
    expect(await editsOf(subject, added[1])).toEqual(edits)
  })
})

describe('edits of a pending transaction that several name', () => {
  it.each(['one commit', 'two commits'])('go to the one that is alike, and to no other (%s)', async (how) => {
    const subject = `named twice, ${how}`
    const { item, pending, row } = await pendingOne(subject)
    const alike = posts(row, { pending_transaction_id: pending })
    const other = posts(row, { name: 'FEE', amount: 3, pending_transaction_id: pending })
    const ids: string[] = []
    for (const add of how === 'one commit' ? [[other, alike]] : [[alike], [other]]) {
      const remove = ids.length === 0 ? [pending] : []
      ids.push(...(await world.bank.change(item.plaidItemId, { remove, add, silent: true })).added)
      await odd.sync(item, 'transactions')
    }
    const stored = await everyTransaction(world, subject)
    const noted = stored.filter(({ note }) => note === edits.note)
    expect(noted.map(({ amount }) => amount)).toEqual(['14.17'])
  })

  it('move to the next one when the first is removed', async () => {
    const subject = 'posted again'
    const { item, pending, row } = await pendingOne(subject)
    const alike = posts(row, { pending_transaction_id: pending })
    const first = await world.bank.change(item.plaidItemId, { remove: [pending], add: [alike], silent: true })
    await odd.sync(item, 'transactions')
    const second = await world.bank.change(item.plaidItemId, { remove: first.added, add: [alike], silent: true })
    await odd.sync(item, 'transactions')
    expect(await editsOf(subject, second.added[0])).toEqual(edits)
  })
})

it('random pending and posted transactions: no note is in two places, and none moves where it does not belong', async () => {
  const subject = 'random pairs'
  const item = await linkAndSync(world, subject)
  const accounts = (await accountsOf(item)).slice(0, 2)
  const entry = fc.record({
    name: fc.constantFrom('COFFEE', 'FUEL', 'Coffee'),
    amount: fc.constantFrom(1, 2, 3),
    date: fc.integer({ min: -12, max: 0 }),
    account_id: fc.constantFrom(...accounts),
  })
  const pendingEntry = fc.record({ entry, isEdited: fc.boolean() })
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(pendingEntry, { minLength: 1, maxLength: 8 }),
      fc.array(entry, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('one commit', 'two commits', 'full read'),
      async (pendings, posted, how) => {
        round += 1
        const nameOf = (name: string) => `${name} ${round}`
        const rowOf = (each: (typeof posted)[number], pending: boolean) => ({
          ...each,
          name: nameOf(each.name),
          amount: each.amount + round * 10,
          date: dayAt(each.date),
          pending,
        })
        const before = await world.bank.change(item.plaidItemId, {
          add: pendings.map((each) => rowOf(each.entry, true)),
          silent: true,
        })
        await odd.sync(item, 'transactions')
        for (const [index, { isEdited }] of pendings.entries())
          if (isEdited) await edit(subject, before.added[index], { note: `note ${round} ${index}` })
        const add = posted.map((each) => rowOf(each, false))
        const ids: string[] = []
        const changes = how === 'two commits' ? [{ remove: before.added }, { add }] : [{ remove: before.added, add }]
        for (const change of changes) {
          ids.push(...(await world.bank.change(item.plaidItemId, { ...change, silent: true })).added)
          if (how === 'full read') await odd.forgetCursor(item)
          await odd.sync(item, 'transactions')
        }
        const stored = await everyTransaction(world, subject)
        const ofRound = stored.filter(({ note }) => note?.startsWith(`note ${round} `) === true)
        expect(new Set(ofRound.map(({ note }) => note)).size).toBe(ofRound.length)
        const isAlike = (left: (typeof posted)[number], right: (typeof posted)[number]) =>
          left.account_id === right.account_id &&
          Math.abs(left.date - right.date) <= 7 &&
          (left.amount === right.amount || left.name.toLowerCase() === right.name.toLowerCase())
        const taken = new Map<number, number>()
        for (const row of ofRound) {
          const source = Number(row.note?.split(' ')[2])
          const target = ids.indexOf(row.plaidTransactionId)
          const [from, to] = [pendings[source], posted[target]]
          expect(from !== undefined && to !== undefined && isAlike(from.entry, to)).toBe(true)
          taken.set(source, target)
        }
        // When every pending transaction was edited, no edit is dropped while a matching posted transaction has none.
        const isCertain = pendings.every(({ isEdited }) => isEdited)
        const left = pendings.flatMap((each, index) => (each.isEdited && !taken.has(index) ? [each.entry] : []))
        const free = posted.filter((_each, index) => ![...taken.values()].includes(index))
        const missed = left.filter((each) => free.some((other) => isAlike(each, other)))
        expect(isCertain ? missed : []).toEqual([])
      },
    ),
    { numRuns: sampleSize({ all: 25, few: 4 }) },
  )
})
