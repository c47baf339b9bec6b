// Accounts that two logins report, and accounts that may be the same: which of them count, and what their user decides.
import { describe, expect, it } from 'vitest'
import { listDuplicates } from '../../../src/db/items/duplicates.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { purgeItem } from '../../../src/db/items/purge.ts'
import { AppError } from '../../../src/errors.ts'
import { isItemStatus, itemStatusTable, lostStatuses } from '../../../src/item-status.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { settleDuplicate } from '../../../src/items/resolve-duplicate.ts'
import { daysAgo, useWorld } from '../../support/item-lifecycle.ts'
import type { MiniAccount } from '../../support/mini-bank.ts'
import type { World } from '../../support/world.ts'
import { account, once, sumOf, people } from './people.ts'

let world: World
useWorld((made) => {
  world = made
})
const { person } = people(() => world)

describe('an account that two logins share', () => {
  const joint = () => account('9', { name: 'Joint', mask: '9999' })

  it('does not make the second login the first: what was lost stays as it was, and the shared account goes over', async () => {
    const one = person('joint lost')
    const [own, shared, spouse] = [account('1'), joint(), account('3')]
    const first = await one.link({ institutionId: 'ins_1', accounts: [own, shared] })
    await one.note('Row 1 of 9', 'ours')
    await one.lose(first)
    const second = await one.link({ institutionId: 'ins_1', accounts: [spouse, shared] })
    expect(second.id).not.toBe(first.id)
    expect(new Map((await one.accounts()).map(({ name, itemId, closed }) => [name, [itemId, closed]]))).toEqual(
      new Map([
        ['Account 1', [first.id, false]],
        ['Account 3', [second.id, false]],
        ['Joint', [second.id, false]],
      ]),
    )
    expect(await one.notes()).toEqual(['ours'])
    expect(await one.spent()).toEqual(once(own, shared, spouse))
    // The accounts of a lost item stop counting on the day of the loss.
    expect(await one.worth()).toBe(sumOf(shared, spouse))
  })

  it('is named by the refusal; a link that is wanted all the same leaves it to the item that has it', async () => {
    const one = person('joint live')
    const [own, shared, spouse] = [account('1'), joint(), account('3')]
    const first = await one.link({ institutionId: 'ins_1', accounts: [own, shared] })
    const login = { institutionId: 'ins_1', accounts: [spouse, shared] }
    const refused = await one.link(login).catch((error: unknown) => error)
    expect(refused instanceof AppError ? refused.extensions : refused).toMatchObject({
      item_id: first.id,
      accounts: [{ name: 'Joint', mask: '9999' }],
    })
    const second = await one.link(login, true)
    expect(await one.spent()).toEqual(once(own, shared, spouse))
    expect(await one.worth()).toBe(sumOf(own, shared, spouse))
    expect(second.possibleDuplicate).toBe(false)
    // After the loss of the first login, the second one's balances count from that day on.
    await world.sql(
      'insert into account_balances select account_id, day - 1, user_id, current, available, credit_limit, iso_currency_code, unofficial_currency_code, as_of from account_balances where user_id = (select user_id from items where id = $1)',
      [first.id],
    )
    await one.lose(first)
    expect(await one.worth(1)).toBe(sumOf(own, shared, spouse))
    expect(await one.worth()).toBe(sumOf(shared, spouse))
    // A new link of the first login restores it.
    const back = await one.link({ institutionId: 'ins_1', accounts: [own, shared] }, true)
    expect(back.id).toBe(first.id)
    expect(await one.spent()).toEqual(once(own, shared, spouse))
    expect(await one.worth()).toBe(sumOf(own, shared, spouse))
  })
})

describe('an account that may be another one', () => {
  const maybe = async (title: string) => {
    const one = person(title)
    const before = account('1', { mask: null }, 2)
    const first = await one.link({ institutionId: 'ins_1', accounts: [before] })
    await one.note('Row 1 of 1', 'first')
    return { one, before, first }
  }

  it('is listed, counts in no sum while the other one is reported, and counts when its user keeps it', async () => {
    const { one, before } = await maybe('kept')
    const other = account('2', { name: before.name, mask: null }, 2)
    const second = await one.link({ institutionId: 'ins_1', accounts: [other] })
    expect(second.possibleDuplicate).toBe(true)
    expect((await one.accounts()).length).toBe(2)
    expect(await one.spent()).toEqual(once(before))
    expect(await one.worth()).toBe(sumOf(before))
    const [duplicate] = (await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, second.id)) ?? []
    await settleDuplicate(one.ctx, second.id, duplicate?.accountId ?? '', null)
    expect(await one.spent()).toEqual(once(before, other))
    expect(await one.worth()).toBe(sumOf(before, other))
    await one.sync()
    expect(await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, second.id)).toEqual([])
  })

  it('is merged with an account of a lost item when its user decides so: notes, history and the id stay', async () => {
    const { one, before, first } = await maybe('merged')
    const [earlier] = await one.accounts()
    await one.lose(first)
    const again = await one.link({ institutionId: 'ins_1', accounts: [{ ...before, name: before.name }] })
    await one.note('Row 0 of 1', 'first')
    const [duplicate] = (await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, again.id)) ?? []
    const left = await settleDuplicate(one.ctx, again.id, duplicate?.accountId ?? '', duplicate?.of ?? '')
    expect(left).toMatchObject({ id: earlier?.id, itemId: again.id, duplicateOf: null })
    const expectOne = async () => {
      expect((await one.accounts()).map(({ id }) => id)).toEqual([earlier?.id])
      expect(await one.notes()).toHaveLength(2)
      expect(await one.spent()).toEqual(once(before))
      expect(await one.worth()).toBe(sumOf(before))
    }
    await expectOne()
    await one.sync()
    await expectOne()
  })

  it('keeps the edits of both accounts when it is merged; a name of the newer one comes first', async () => {
    const { one, before, first } = await maybe('edited')
    const change = async (itemId: string, values: string) =>
      await world.sql(`update accounts set ${values} where item_id = $1`, [itemId])
    await change(first.id, "own_name = 'Old name', hidden = true")
    await one.lose(first)
    const again = await one.link({ institutionId: 'ins_1', accounts: [{ ...before, name: before.name }] })
    await change(again.id, "own_name = 'New name', in_insights = false")
    const [duplicate] = (await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, again.id)) ?? []
    await settleDuplicate(one.ctx, again.id, duplicate?.accountId ?? '', duplicate?.of ?? '')
    const rows = await world.sql('select own_name, hidden, in_insights from accounts where item_id = $1', [again.id])
    expect(rows).toEqual([{ own_name: 'New name', hidden: 't', in_insights: 'f' }])
  })

  it.each<[string, string]>([
    [
      'that its user had taken back',
      `with taken as (update accounts set closed = true, revoked_at = now() - interval '10 days' where item_id = $1 returning id, revoked_at)
        update transactions t set removed_at = taken.revoked_at from taken where t.account_id = taken.id`,
    ],
    ['of a lost item', `update items set status = 'relink_required' where id = $1`],
  ])('%s keeps its notes when it is merged while a row of the other one cannot be read', async (_title, end) => {
    const { one, before, first } = await maybe('merged later')
    await one.note('Row 0 of 1', 'unread')
    await world.sql(end, [first.id])
    const again = await one.link({ institutionId: 'ins_2', accounts: [{ ...before, rows: before.rows.slice(1) }] })
    await world.sql(
      `insert into set_aside_rows (user_id, item_id, product, kind, row_key, problems, payload, run_id)
        select user_id, id, 'transactions', 'transaction', 'unread', '{}', '{}', gen_random_uuid() from items where id = $1`,
      [again.id],
    )
    const [duplicate] = (await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, again.id)) ?? []
    await settleDuplicate(one.ctx, again.id, duplicate?.accountId ?? '', duplicate?.of ?? '')
    expect(await one.notes()).toEqual(['unread', 'first'])
    expect(await one.spent()).toEqual(once(before))
  })

  it('refuses another user, and accounts of another kind', async () => {
    const { one, before, first } = await maybe('refusals')
    await one.lose(first)
    const card = account('4', { type: 'credit', subtype: 'credit card' })
    const again = await one.link({ institutionId: 'ins_1', accounts: [before, card] })
    const [duplicate] = (await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, again.id)) ?? []
    const id = duplicate?.accountId ?? ''
    const cardId = (await one.accounts()).find(({ type }) => type === 'credit')?.id ?? ''
    const codeOf = async (attempt: Promise<unknown>) =>
      await attempt.then(
        () => 'done',
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      )
    const stranger = person('stranger')
    expect(await codeOf(settleDuplicate(stranger.ctx, again.id, id, null))).toBe('not_found')
    expect(await codeOf(settleDuplicate(one.ctx, again.id, cardId, null))).toBe('not_found')
    expect(await codeOf(settleDuplicate(one.ctx, again.id, id, id))).toBe('not_found')
    expect(await codeOf(settleDuplicate(one.ctx, again.id, id, crypto.randomUUID()))).toBe('not_found')
    expect(await codeOf(settleDuplicate(one.ctx, again.id, id, cardId))).toBe('conflict')
    expect(await listDuplicates(stranger.ctx.services.api, stranger.ctx.actor.identity, again.id)).toBeNull()
  })
})

describe('more than two views of one account', () => {
  const row = { key: 'T9-new', date: daysAgo(0), amount: '77.25', name: 'A new row' }

  it('count once when the first of them is lost, and when it is deleted', async () => {
    const one = person('three views')
    const [own, shared, spouse, child] = [account('1'), account('9'), account('3'), account('4')]
    const first = await one.link({ institutionId: 'ins_1', accounts: [own, shared] })
    const others = [
      await one.link({ institutionId: 'ins_1', accounts: [spouse, shared] }, true),
      await one.link({ institutionId: 'ins_1', accounts: [child, shared] }, true),
    ]
    await one.lose(first)
    for (const item of others) one.bank.post(item.plaidItemId, shared, row)
    await one.sync()
    const expected = { ...once(shared, spouse, child), [row.key]: 1 }
    expect(await one.worth()).toBe(sumOf(shared, spouse, child))
    expect(await one.spent()).toEqual({ ...expected, ...once(own) })
    await removeItem(one.ctx, first.id, { purge: true })
    await purgeItem(one.ctx.services.jobs, first.id)
    expect(await world.sql('select id from items where id = $1', [first.id])).toEqual([])
    expect(await one.worth()).toBe(sumOf(shared, spouse, child))
    expect(await one.spent()).toEqual(expected)
  })

  it('count once when they may be one, although each names only the first', async () => {
    const one = person('three that may be')
    const before = account('1', { mask: null }, 1)
    const items: Item[] = []
    for (let links = 0; links < 3; links += 1) {
      items.push(await one.link({ institutionId: 'ins_1', accounts: [before] }))
      const last = items.at(-1)
      if (links === 0 && last !== undefined) await one.lose(last)
      if (links === 1 && last !== undefined) {
        one.bank.post(last.plaidItemId, before, row)
        before.rows.push(row)
        await one.sync()
        await one.lose(last)
      }
    }
    await one.sync()
    expect(await one.worth()).toBe(sumOf(before))
    expect(await one.spent()).toEqual(once(before))
  })

  it('do not count while the first is reported, although they certainly match the second', async () => {
    const one = person('chain of three')
    const unmasked = account('1', { name: 'Savings', mask: null }, 1)
    const masked = account('2', { name: 'Savings' }, 1)
    await one.link({ institutionId: 'ins_1', accounts: [unmasked] })
    const second = await one.link({ institutionId: 'ins_1', accounts: [masked] })
    await one.link({ institutionId: 'ins_1', accounts: [masked, account('3')] }, true)
    await one.lose(second)
    expect(await one.worth()).toBe(sumOf(unmasked, account('3')))
    expect(await one.spent()).toEqual(once(unmasked, account('3')))
  })

  it('continue as the certain match, although that one may match another one too', async () => {
    const one = person('certain of three')
    const unmasked = account('1', { name: 'Savings', mask: null }, 1)
    const [masked, ...rest] = [account('2', { name: 'Savings' }, 1), account('3'), account('4'), account('5')]
    const [third, fourth, fifth] = rest
    if (third === undefined || fourth === undefined || fifth === undefined) throw new Error('three more')
    await one.lose(await one.link({ institutionId: 'ins_1', accounts: [unmasked] }))
    const second = await one.link({ institutionId: 'ins_1', accounts: [masked, third, fourth] })
    await one.note('Row 0 of 2', 'kept')
    await one.lose(second)
    await one.link({ institutionId: 'ins_1', accounts: [masked, fifth] })
    expect(await one.notes()).toEqual(['kept'])
    expect((await one.accounts()).filter(({ name }) => name === 'Savings')).toHaveLength(2)
  })
})

describe('equal transactions', () => {
  const alike = (key: string, like: MiniAccount, given: Partial<MiniAccount> = {}) =>
    account(key, { ...given, rows: like.rows.map((row, index) => ({ ...row, key: `T${key}-${index}` })) })

  it('do not count against the word of the user who keeps both accounts', async () => {
    const one = person('kept for good')
    const before = account('1', { mask: null })
    const other = alike('2', before, { mask: null })
    await one.link({ institutionId: 'ins_1', accounts: [before] })
    const second = await one.link({ institutionId: 'ins_2', accounts: [other] })
    const [duplicate] = (await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, second.id)) ?? []
    await settleDuplicate(one.ctx, second.id, duplicate?.accountId ?? '', null)
    await one.sync()
    expect(await one.spent()).toEqual(once(before, other))
    expect(await one.worth()).toBe(sumOf(before, other))
  })

  it.each<[string, Partial<MiniAccount>, Partial<MiniAccount>]>([
    ['persistent ids', { persistentId: 'first', mask: null }, { persistentId: 'other', mask: null }],
    ['subtypes', { mask: null }, { mask: null, subtype: 'savings' }],
    ['masks, in two logins', {}, {}],
  ])('do not make one of two accounts with different %s', async (_title, given, change) => {
    const one = person('different')
    const before = account('1', given)
    const other = alike('2', before, change)
    await one.lose(await one.link({ institutionId: 'ins_1', accounts: [before] }))
    await one.link({ institutionId: 'ins_1', accounts: [other] })
    await one.sync()
    expect(await one.accounts()).toHaveLength(2)
    expect(await one.spent()).toEqual(once(before, other))
  })
})

it('an item knows since when it is lost, in every status from which only a new link leads', async () => {
  const one = person('lost since')
  const item = await one.link({ institutionId: 'ins_1', accounts: [account('1')] })
  const since = async (status: string) => {
    const [row] = await world.sql('update items set status = $2 where id = $1 returning lost_since', [item.id, status])
    return row?.['lost_since'] ?? null
  }
  for (const status of Object.keys(itemStatusTable).filter(isItemStatus)) {
    await since('healthy')
    expect([status, (await since(status)) !== null]).toEqual([status, lostStatuses.includes(status)])
  }
  const first = await since('relink_required')
  expect(await since('removed')).toBe(first)
})
