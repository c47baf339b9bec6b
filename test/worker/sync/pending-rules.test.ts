// Values of rules when pending transactions post. They depend on the row itself: those of the pending row never move.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { everyTransaction } from '../../support/equality.ts'
import {
  daysAgo,
  letHistoryArrive,
  linkAndSyncSmallBank,
  linkSmallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'
import { ruling } from '../http/ruling.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
const { create, edit, stored } = ruling(() => world)

/** Every row of the item, those that the bank has removed too. */
const everyRow = async (item: Item): Promise<Record<string, unknown>[]> => {
  const rows = await world.sql(
    `select plaid_transaction_id as id, name, amount::float8 as amount, user_category as category, category_by, hidden, hidden_by,
      removed_at is not null as removed from transactions where item_id = $1`,
    [item.id],
  )
  return rows.map((row) => ({ ...row, hidden: row['hidden'] === 't', removed: row['removed'] === 't' }))
}
const change = async (item: Item, changes: object) =>
  (await world.bank.change(item.plaidItemId, { ...changes, silent: true })).added
const accountOf = async (item: Item): Promise<string> =>
  (await world.bank.truth(item.plaidItemId)).accounts.find(({ type }) => type === 'depository')?.account_id ?? ''

it('a removed pending transaction keeps the values of rules; only the user’s edits move', async () => {
  const item = await linkAndSyncSmallBank(world, 'split')
  const rule = await create('split', { contains: 'coffee', user_category: 'Coffee', hidden: true })
  const row = { name: 'Coffee', amount: 4, date: daysAgo(1), account_id: await accountOf(item), merchant_name: null }
  const pending = await change(item, { add: [{ ...row, pending: true }] })
  await odd.sync(item, 'transactions')
  await edit('split', (await stored('split', pending))[0]?.id ?? '', { user_category: 'Mine' })
  const posted = await change(item, { remove: pending, add: [{ ...row, name: 'BLUE BOTTLE' }] })
  await odd.sync(item, 'transactions')
  const rows = await everyRow(item)
  const valuesOf = (id: string | undefined) => {
    const found = rows.find((each) => each['id'] === id)
    return [found?.['category'], found?.['hidden'], found?.['hidden_by'], found?.['removed']]
  }
  expect(valuesOf(posted[0])).toEqual(['Mine', false, null, false])
  expect(valuesOf(pending[0])).toEqual([null, true, rule, true])
})

it('a stored transaction that names a pending one later gets the user’s edits, and no values of rules', async () => {
  const item = await linkAndSyncSmallBank(world, 'named later')
  const tea = await create('named later', { contains: 'tea', user_category: 'Tea' })
  await create('named later', { contains: 'coffee', user_category: 'Coffee', hidden: true })
  const account = await accountOf(item)
  const rowOf = (name: string, amount: number) => ({
    name,
    amount,
    date: daysAgo(1),
    account_id: account,
    merchant_name: null,
  })
  const pending = await change(item, {
    add: ['Coffee one', 'Coffee two'].map((name) => ({ ...rowOf(name, 4), pending: true })),
  })
  await odd.sync(item, 'transactions')
  await edit('named later', (await stored('named later', pending))[1]?.id ?? '', {
    user_category: 'Mine',
    note: 'with Kim',
  })
  const posted = await change(item, { add: [rowOf('Tea', 5), rowOf('Cake', 6), rowOf('Tea', 7)] })
  await odd.sync(item, 'transactions')
  await change(item, {
    remove: pending,
    modify: posted.map((id, index) => ({ transaction_id: id, pending_transaction_id: pending[index === 2 ? 1 : 0] })),
  })
  await odd.sync(item, 'transactions')
  const rows = await stored('named later', posted)
  expect(rows.map((each) => [each.userCategory, each.categoryRuleId, each.hidden, each.note])).toEqual([
    ['Tea', tea, false, null],
    [null, null, false, null],
    ['Mine', null, false, 'with Kim'],
  ])
})

it('a stored pending transaction that posts has the values of the rules that match it then, unless the user edited it', async () => {
  const item = await linkAndSyncSmallBank(world, 'posts')
  const [coffee, tea] = [
    await create('posts', { contains: 'coffee', user_category: 'Coffee', hidden: true }),
    await create('posts', { contains: 'tea', user_category: 'Tea' }),
  ]
  const row = { amount: 4, date: daysAgo(1), account_id: await accountOf(item), merchant_name: null, pending: true }
  const names = ['Coffee to tea', 'Coffee to cake', 'Cake to tea', 'Coffee of mine', 'Coffee that stays']
  const ids = await change(item, { add: names.map((name) => ({ ...row, name: name.split(' to ')[0] })) })
  await odd.sync(item, 'transactions')
  await edit('posts', (await stored('posts', ids))[3]?.id ?? '', { user_category: 'Mine', hidden: false })
  const posted = names.map((name) => name.split(' to ')[1] ?? 'cake')
  const modify = ids.map((id, at) => ({ transaction_id: id, name: posted[at], pending: at === 4 }))
  await change(item, { modify })
  await odd.sync(item, 'transactions')
  const rows = await stored('posts', ids)
  expect(rows.map((each) => [each.userCategory, each.categoryRuleId, each.hidden, each.hiddenRuleId])).toEqual([
    ['Tea', tea, false, null],
    [null, null, false, null],
    ['Tea', tea, false, null],
    ['Mine', null, false, null],
    ['Coffee', coffee, true, coffee],
  ])
})

it('a pending transaction that posts while its bank is not linked has the values of the rules that match it then', async () => {
  const subject = 'posts meanwhile'
  const item = await linkAndSyncSmallBank(world, subject)
  await create(subject, { contains: 'coffee', user_category: 'Coffee', hidden: true })
  const tea = await create(subject, { contains: 'tea', user_category: 'Tea' })
  const account = await accountOf(item)
  const row = { amount: 4.56, date: daysAgo(1), account_id: account, merchant_name: null }
  const pending = await change(item, { add: [{ ...row, name: 'Coffee', pending: true }] })
  await odd.sync(item, 'transactions')
  const [before] = await stored(subject, pending)
  await removeItem(world.user(subject), item.id, { purge: false })
  await change(item, { remove: pending, add: [{ ...row, name: 'Tea', pending_transaction_id: pending[0] }] })
  const again = await linkSmallBank(world, subject)
  await letHistoryArrive(world, again)
  const after = (await everyTransaction(world, subject)).find(({ id }) => id === before?.id)
  expect([after?.name, after?.pending, after?.userCategory, after?.categoryRuleId, after?.hidden]).toEqual([
    'Tea',
    false,
    'Tea',
    tea,
    false,
  ])
})

it('random pending and posted transactions: each row has the values of the rules that match it, unless the user edited it', async () => {
  const subject = 'random rules'
  const item = await linkAndSyncSmallBank(world, subject)
  const account = await accountOf(item)
  const [coffee, fuel, dear] = [
    await create(subject, { contains: 'coffee', user_category: 'Coffee', hidden: true }),
    await create(subject, { contains: 'fuel', user_category: 'Fuel' }),
    await create(subject, { min_amount: '3', user_category: 'Dear' }),
  ]
  const rulesSay = (name: string, amount: number) => {
    const is = (text: string) => name.toLowerCase().includes(text)
    const [category, by] = is('coffee')
      ? ['Coffee', coffee]
      : is('fuel')
        ? ['Fuel', fuel]
        : amount >= 3
          ? ['Dear', dear]
          : [null, null]
    return [category, by, is('coffee'), is('coffee') ? coffee : null]
  }
  const entry = fc.record({
    name: fc.constantFrom('COFFEE', 'FUEL', 'Coffee shop', 'BOTTLE'),
    amount: fc.constantFrom(1, 2, 3),
    day: fc.integer({ min: 0, max: 5 }),
  })
  const pendingEntry = fc.record({ entry, edited: fc.constantFrom('nothing', 'values', 'note') })
  /** The place of the pending transaction that it names; some name none. */
  const postedEntry = fc.record({ entry, names: fc.option(fc.integer({ min: 0, max: 5 })) })
  const byUser = '00000000-0000-0000-0000-000000000000'
  const ownValues = [expect.stringMatching(/^mine /), byUser, true, byUser]
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(pendingEntry, { minLength: 1, maxLength: 6 }),
      fc.array(postedEntry, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('one commit', 'two commits', 'full read'),
      async (pendings, posted, how) => {
        round += 1
        const rowOf = ({ name, amount, day }: (typeof posted)[number]['entry']) => ({
          name: `${name} ${round}`,
          amount,
          date: daysAgo(day),
          account_id: account,
          merchant_name: null,
        })
        const before = await change(item, { add: pendings.map((each) => ({ ...rowOf(each.entry), pending: true })) })
        await odd.sync(item, 'transactions')
        const ids = (await stored(subject, before)).map(({ id }) => id)
        for (const [place, { edited }] of pendings.entries()) {
          const body = edited === 'note' ? { note: `mine ${round}` } : { user_category: `mine ${round}`, hidden: true }
          if (edited !== 'nothing') await edit(subject, ids[place] ?? '', body)
        }
        const add = posted.map(({ entry: given, names }) => ({
          ...rowOf(given),
          ...(names === null || before[names] === undefined ? {} : { pending_transaction_id: before[names] }),
        }))
        for (const step of how === 'two commits' ? [{ remove: before }, { add }] : [{ remove: before, add }]) {
          await change(item, step)
          if (how === 'full read') await odd.forgetCursor(item)
          await odd.sync(item, 'transactions')
        }
        const own = new Set(before.filter((_, place) => pendings[place]?.edited === 'values'))
        const isOwn = (row: Record<string, unknown>) => row['category_by'] === byUser
        // The edits of a removed one may have moved, also in a later round: then it has none.
        const rows = (await everyRow(item)).filter(
          (row) => String(row['name']).endsWith(` ${round}`) && (!own.has(String(row['id'])) || isOwn(row)),
        )
        expect(
          rows.map((row) => [row['name'], row['category'], row['category_by'], row['hidden'], row['hidden_by']]),
        ).toEqual(
          rows.map((row) => [
            row['name'],
            ...(isOwn(row) ? ownValues : rulesSay(String(row['name']), Number(row['amount']))),
          ]),
        )
      },
    ),
    { numRuns: sampleSize({ all: 25, few: 6 }) },
  )
})
