// What outlives what: the user's edits and the values of rules, through syncs, posting, relinks, merges, removals and erasure.
import { describe, expect, it } from 'vitest'
import { exportData } from '../../../src/privacy/export.ts'
import { requestErasure } from '../../../src/privacy/request-erasure.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { everyTransaction } from '../../support/equality.ts'
import { codeOf, daysAgo, linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { bankOf, linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { ruling } from './ruling.ts'

let world: World
useWorld((made) => {
  world = made
})
const { user, create, remove, apply, edit, sync, add, stored } = ruling(() => world)

const valuesOf = async (subject: string, plaidIds: readonly string[]) =>
  (await stored(subject, plaidIds)).map(({ userCategory, categoryRuleId, hidden, hiddenRuleId }) => [
    userCategory,
    categoryRuleId,
    hidden,
    hiddenRuleId,
  ])
const rulesOf = async (subject: string) =>
  await world.sql('select r.id from rules r join users u on u.id = r.user_id where u.subject = $1', [subject])
const coffee = { contains: 'coffee', user_category: 'Coffee', hidden: true }

describe('a transaction that posts', () => {
  async function pendingOne(subject: string) {
    const item = await linkAndSyncSmallBank(world, subject)
    const rule = await create(subject, coffee)
    const account = (
      await world.sql('select plaid_account_id from accounts where item_id = $1 order by name limit 1', [item.id])
    )[0]?.['plaid_account_id']
    const row = { name: 'Coffee', amount: 4, date: daysAgo(1), account_id: account, merchant_name: null }
    const added = await add(subject, item, [{ ...row, pending: true }])
    expect(await valuesOf(subject, added)).toEqual([['Coffee', rule, true, rule]])
    return { item, rule, row, pending: added[0] ?? '' }
  }
  async function post(subject: string, given: Awaited<ReturnType<typeof pendingOne>>, change: object) {
    const { added } = await world.bank.change(given.item.plaidItemId, {
      remove: [given.pending],
      add: [{ ...given.row, ...change }],
      silent: true,
    })
    await sync(subject, given.item)
    return added
  }

  it.each([true, false])('gets no values of rules under another name: named by Plaid %s', async (isNamed) => {
    const subject = `posts ${isNamed}`
    const given = await pendingOne(subject)
    const posted = await post(subject, given, {
      name: 'BLUE BOTTLE',
      ...(isNamed ? { pending_transaction_id: given.pending } : {}),
    })
    expect(await valuesOf(subject, posted)).toEqual([[null, null, false, null]])
    expect(await apply(subject)).toMatchObject({ changed: 0 })
  })

  it('gets the values of the rules that match it now, and not those of the pending one', async () => {
    const given = await pendingOne('posts anew')
    const other = await create('posts anew', { contains: 'bottle', user_category: 'Bottles' })
    const posted = await post('posts anew', given, {
      name: 'BLUE BOTTLE',
      pending_transaction_id: given.pending,
    })
    expect(await valuesOf('posts anew', posted)).toEqual([['Bottles', other, false, null]])
  })

  it.each<[string, object, unknown]>([
    ['set', { user_category: 'Mine', hidden: false }, ['Mine', null, false, null]],
    ['cleared', { user_category: null }, [null, null, true, 'rule']],
    ['showed', { hidden: false }, ['Coffee', 'rule', false, null]],
    ['only noted', { note: 'with Kim' }, ['Coffee', 'rule', true, 'rule']],
  ])('keeps what the user %s, before the rules that match it', async (what, change, expected) => {
    for (const isNamed of [true, false]) {
      const subject = `posts ${what} ${isNamed}`
      const given = await pendingOne(subject)
      const [before] = await stored(subject, [given.pending])
      await edit(subject, before?.id ?? '', change)
      const named = isNamed ? { pending_transaction_id: given.pending } : {}
      const posted = await post(subject, given, named)
      await apply(subject)
      const values = await valuesOf(subject, posted)
      expect(values.map((row) => row.map((value) => (value === given.rule ? 'rule' : value)))).toEqual([expected])
    }
  })
})

describe('a value of a transaction', () => {
  it('set by the user outlives rules that come, change and go, also where it was set before there were rules', async () => {
    const item = await linkAndSyncSmallBank(world, 'own')
    const [old, fresh] = await everyTransaction(world, 'own')
    // As the version before this one stored it.
    await world.sql("update transactions set user_category = 'Old', hidden = true where id = $1", [old?.id])
    await edit('own', fresh?.id ?? '', { note: 'n', user_category: 'Mine', hidden: false })
    const rule = await create('own', { min_amount: '0', user_category: 'Ruled', hidden: true })
    const values = async () =>
      (await everyTransaction(world, 'own'))
        .filter(({ id }) => id === old?.id || id === fresh?.id)
        .map((row) => [row.note, row.userCategory, row.categoryRuleId, row.hidden, row.hiddenRuleId])
        .toSorted(([one], [other]) => String(one).localeCompare(String(other)))
    const expected = await values()
    expect(await apply('own')).toMatchObject({ changed: 4 })
    expect(await values()).toEqual(expected)
    await remove('own', rule)
    expect(await apply('own')).toMatchObject({ changed: 4 })
    expect(await values()).toEqual(expected)
    await world.bank.change(item.plaidItemId, { modify: 6, silent: true })
    await sync('own', item)
    expect(await values()).toEqual(expected)
  })

  it('is the user’s once the user has sent it, also where a rule gave it', async () => {
    await linkAndSyncSmallBank(world, 'confirms')
    const rule = await create('confirms', { min_amount: '0', user_category: 'Ruled' })
    await apply('confirms')
    const [row] = await everyTransaction(world, 'confirms')
    await edit('confirms', row?.id ?? '', { user_category: 'Ruled' })
    await remove('confirms', rule)
    expect(await apply('confirms')).toMatchObject({ changed: 5 })
    const kept = (await everyTransaction(world, 'confirms')).filter(({ userCategory }) => userCategory !== null)
    expect(kept.map(({ id, categoryRuleId }) => [id, categoryRuleId])).toEqual([[row?.id, null]])
  })

  it('stays when the bank changes the transaction, until the rules are applied', async () => {
    const item = await linkAndSyncSmallBank(world, 'modified')
    const rule = await create('modified', coffee)
    const added = await add('modified', item, [{ name: 'Coffee', amount: 4, date: daysAgo(1) }])
    await world.bank.change(item.plaidItemId, { modify: [{ transaction_id: added[0], name: 'Tea' }], silent: true })
    await sync('modified', item)
    expect(await valuesOf('modified', added)).toEqual([['Coffee', rule, true, rule]])
    await apply('modified')
    expect(await valuesOf('modified', added)).toEqual([[null, null, false, null]])
  })

  it('stays when its bank is linked again, and the rules apply to what is new', async () => {
    const subject = 'relinked'
    const first = await linkAndSync(world, subject)
    const rule = await create(subject, { min_amount: '-1000000', user_category: 'Ruled' })
    await apply(subject)
    const before = await everyTransaction(world, subject)
    await edit(subject, before[0]?.id ?? '', { user_category: 'Mine' })
    await removeItem(user(subject), first.id, { purge: false })
    expect(await apply(subject)).toMatchObject({ checked: 0, changed: 0 })
    const publicToken = await world.bank.publicToken({ username: bankOf(subject) })
    const second = await exchangePublicToken(user(subject), { publicToken, institution: null })
    await world.bank.change(second.plaidItemId, { history: 'historical', silent: true })
    await world.drain()
    const after = await everyTransaction(world, subject)
    expect(new Set(after.map(({ id }) => id))).toEqual(new Set(before.map(({ id }) => id)))
    const categories = after.map(({ id, userCategory, categoryRuleId }) => [id, userCategory, categoryRuleId])
    expect(categories).toEqual(after.map(({ id }) => (id === before[0]?.id ? [id, 'Mine', null] : [id, 'Ruled', rule])))
    expect(await apply(subject)).toMatchObject({ changed: 0 })
  })
})

describe('a rule about an account', () => {
  it('is refused for an account of another user and of a removed item, as for one that does not exist', async () => {
    const item = await linkAndSyncSmallBank(world, 'had')
    const [account] = await world.sql('select id from accounts where item_id = $1 limit 1', [item.id])
    const rule = { account_id: account?.['id'], hidden: true }
    const refusal = async (act: Promise<unknown>) =>
      await act.then(
        () => null,
        (error: unknown) => JSON.stringify(error),
      )
    const unknown = await refusal(create('else', { ...rule, account_id: crypto.randomUUID() }))
    expect(unknown).toContain('validation_failed')
    expect(await refusal(create('else', rule))).toBe(unknown)
    await create('had', rule)
    await removeItem(user('had'), item.id, { purge: false })
    expect(await refusal(create('had', rule))).toBe(unknown)
  })

  it('stays about the account when the account moves to another item', async () => {
    const subject = 'moved'
    const [item, other] = [await linkAndSyncSmallBank(world, subject), await linkAndSync(world, subject)]
    const [account] = await world.sql('select id from accounts where item_id = $1 limit 1', [item.id])
    const rule = await create(subject, { account_id: account?.['id'], user_category: 'Ruled' })
    await world.sql('select app.move_account($1, $2, $3)', [account?.['id'], other.id, 'moved'])
    expect(await world.sql('select account_id from rules where id = $1', [rule])).toEqual([
      { account_id: account?.['id'] },
    ])
    await apply(subject)
    const ruled = (await everyTransaction(world, subject)).filter(({ categoryRuleId }) => categoryRuleId === rule)
    expect(new Set(ruled.map(({ accountId }) => accountId))).toEqual(new Set([account?.['id']]))
  })

  it('is deleted with the account', async () => {
    const item = await linkAndSyncSmallBank(world, 'purged')
    const [account] = await world.sql('select id from accounts where item_id = $1 limit 1', [item.id])
    await create('purged', { account_id: account?.['id'], hidden: true })
    const other = await create('purged', { contains: 'x', hidden: true })
    await world.sql('delete from accounts where id = $1', [account?.['id']])
    expect(await rulesOf('purged')).toEqual([{ id: other }])
    expect(await codeOf(apply('purged'))).toBeNull()
  })
})

describe('rules', () => {
  it('are in the export of their user, and erased with the user', async () => {
    await linkAndSyncSmallBank(world, 'leaving')
    await linkAndSyncSmallBank(world, 'staying')
    const own = await create('leaving', { contains: 'my own rule', user_category: 'Ours' })
    const other = await create('staying', { contains: 'my own rule', user_category: 'Ours' })
    const lines = await new Response(await exportData(user('leaving'), 'jsonl')).text()
    const rows = lines.split('\n').filter((line) => line.includes('"table":"rules"'))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toContain(own)
    expect(rows[0]).toContain('my own rule')
    await requestErasure(user('leaving'), null)
    expect(await world.sql('select id from rules where contains = $1', ['my own rule'])).toEqual([{ id: other }])
  })
})
