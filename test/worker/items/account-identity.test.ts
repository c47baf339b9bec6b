// One account at the bank is one account here, whatever ids, names and logins it comes under: its money counts once, and
// its notes stay.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Ctx, User } from '../../../src/context.ts'
import { listAccounts } from '../../../src/db/records/accounts.ts'
import { listChanges } from '../../../src/db/read/changes.ts'
import { listDuplicates } from '../../../src/db/items/duplicates.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction, listTransactions } from '../../../src/db/records/transactions.ts'
import { purgeItem } from '../../../src/db/items/purge.ts'
import { AppError } from '../../../src/errors.ts'
import { isItemStatus, itemStatusTable, lostStatuses } from '../../../src/item-status.ts'
import { netWorth } from '../../../src/insights/net-worth.ts'
import { spending } from '../../../src/insights/spending.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { settleDuplicate } from '../../../src/items/resolve-duplicate.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { daysAgo, useWorld } from '../../support/item-lifecycle.ts'
import { createMiniBank, type MiniAccount, type MiniBank, type MiniLogin } from '../../support/mini-bank.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

let tally = 0
/** An account whose balance is a power of ten of its own, so that a sum of balances shows which of them it holds. */
function account(key: string, given: Partial<MiniAccount> = {}, rows = 5): MiniAccount {
  return {
    key,
    name: `Account ${key}`,
    mask: key.padStart(4, '0'),
    officialName: null,
    persistentId: null,
    type: 'depository',
    subtype: 'checking',
    balance: String(10 ** Number(key)),
    rows: Array.from({ length: rows }, (_, index) => ({
      key: `T${key}-${index}`,
      date: daysAgo(2 + index * 3),
      amount: `${Number(key) * 10 + index}.25`,
      name: `Row ${index} of ${key}`,
    })),
    ...given,
  }
}

interface Person {
  readonly bank: MiniBank
  readonly ctx: Ctx<User>
  link(login: MiniLogin, allowDuplicate?: boolean): Promise<Item>
  sync(item?: Item): Promise<void>
  lose(item: Item): Promise<void>
  /** Category of each transaction that counts → how often it counts. */
  spent(): Promise<Record<string, number>>
  /** Today's or that of so many days ago, `0` where there is none. */
  worth(ago?: number): Promise<string>
  accounts(): ReturnType<typeof listAccounts> extends Promise<{ rows: infer Rows }> ? Promise<Rows> : never
  note(name: string, note: string): Promise<void>
  notes(): Promise<string[]>
}

function person(title: string): Person {
  tally += 1
  const bank = createMiniBank(`${title.replaceAll(/\W/g, '')}${tally}`)
  const services = bank.services(world.services)
  const ctx = { ...world.user(`${title} ${tally}`), services }
  const { identity } = ctx.actor
  const every = async () => (await listTransactions(services.api, identity, {}, 500, null)).rows
  return {
    bank,
    ctx,
    async link(login, allowDuplicate = false) {
      const item = await exchangePublicToken(ctx, { publicToken: bank.link(login), institution: null, allowDuplicate })
      await world.drain(services)
      return item
    },
    async sync(item) {
      await requestSync(ctx, item?.id ?? null)
      await world.drain(services)
    },
    async lose(item) {
      await world.sql("update items set status = 'relink_required' where id = $1", [item.id])
    },
    async spent() {
      const { categories } = await spending(ctx, { from: daysAgo(100) })
      return Object.fromEntries(categories.map(({ category, count }) => [category ?? '', count]))
    },
    async worth(ago = 0) {
      const { days } = await netWorth(ctx, { from: daysAgo(ago), to: daysAgo(ago) })
      return days.at(-1)?.net ?? '0'
    },
    accounts: async () => (await listAccounts(services.api, identity, 100, null)).rows,
    async note(name, note) {
      const row = (await every()).find((one) => one.name === name)
      if (row === undefined) throw new Error(`no ${name}`)
      await editTransaction(services.api, identity, row.id, { note })
    },
    notes: async () => (await every()).flatMap(({ note }) => (note === null ? [] : [note])),
  }
}

const once = (...accounts: MiniAccount[]) =>
  Object.fromEntries(accounts.flatMap(({ rows }) => rows.map(({ key }) => [key, 1] as const)))
const sumOf = (...accounts: MiniAccount[]) => String(accounts.reduce((sum, { balance }) => sum + Number(balance), 0))

describe('an account that comes under another id', () => {
  it.each([
    ['in the list of accounts and then in the transactions, the old ones removed', 'balances', true],
    ['in the list of accounts and then in the transactions, the old ones not removed', 'balances', false],
    ['in the transactions and then in the list, the old ones removed', 'transactions', true],
    ['in the transactions and then in the list, the old ones not removed', 'transactions', false],
  ])('%s, is one account: it keeps its id and its notes', async (_title, first, tellsRemoved) => {
    const one = person('renumbered')
    const [kept, changed] = [account('1'), account('2')]
    const item = await one.link({ institutionId: 'ins_1', accounts: [kept, changed] })
    await one.note('Row 2 of 2', 'the roof')
    const before = (await one.accounts()).map(({ id }) => id)
    // Everything is read again then, and what else has changed does not cost its neighbours.
    const late = { key: 'T1-late', date: daysAgo(60), amount: '77.25', name: 'Told late' }
    kept.rows.push(late)
    one.bank.post(item.plaidItemId, kept, late)
    one.bank.renumber(item.plaidItemId, changed, tellsRemoved)
    const [due] = await world.sql(
      'update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = $2 returning id',
      [item.id, first],
    )
    await one.ctx.services.enqueue([String(due?.['id'])], 'user')
    await world.drain(one.ctx.services)
    await one.sync()
    expect((await one.accounts()).map(({ id, closed }) => [id, closed])).toEqual(before.map((id) => [id, false]))
    expect(await one.notes()).toEqual(['the roof'])
    expect(await one.spent()).toEqual(once(kept, changed))
    expect(await one.worth()).toBe(sumOf(kept, changed))
    const notes = await world.sql('select error_code from sync_runs where item_id = $1 and error_code is not null', [
      item.id,
    ])
    expect(notes).toEqual([{ error_code: 'ACCOUNT_IDS_CHANGED' }])
  })

  it('is proven by its transactions, with another name and without masks', async () => {
    const one = person('proven')
    const changed = account('1', { mask: null })
    const item = await one.link({ institutionId: 'ins_1', accounts: [changed] })
    await one.note('Row 2 of 1', 'kept')
    const [before] = await one.accounts()
    changed.name = 'Another name'
    one.bank.renumber(item.plaidItemId, changed, true)
    await one.sync()
    expect((await one.accounts()).map(({ id, name, closed }) => [id, name, closed])).toEqual([
      [before?.id, 'Another name', false],
    ])
    expect(await one.notes()).toEqual(['kept'])
    expect(await one.spent()).toEqual(once(changed))
    expect(await one.worth()).toBe(sumOf(changed))
  })

  it('continues as the one with its transactions when two cannot be distinguished', async () => {
    const one = person('twins')
    const twins = [account('1', { name: 'Twin', mask: '7' }), account('2', { name: 'Twin', mask: '7' })]
    const login = { institutionId: 'ins_1', accounts: twins }
    const item = await one.link(login)
    const idOf = async (name: string) => {
      const [row] = await world.sql(
        `select t.account_id from transactions t where t.item_id = $1 and t.name = $2 and t.removed_at is null`,
        [item.id, name],
      )
      return row?.['account_id']
    }
    const before = [await idOf('Row 1 of 1'), await idOf('Row 1 of 2')]
    login.accounts = twins.toReversed()
    for (const twin of twins) one.bank.renumber(item.plaidItemId, twin, false)
    await one.sync()
    await one.sync()
    expect([await idOf('Row 1 of 1'), await idOf('Row 1 of 2')]).toEqual(before)
    expect(await one.spent()).toEqual(once(...twins))
    expect(await one.worth()).toBe(sumOf(...twins))
  })
})

describe('a login that is linked again', () => {
  it.each<[string, Partial<MiniAccount>, 'removed' | 'lost']>([
    ['after it was removed, an account renamed meanwhile', { name: 'Roof Fund' }, 'removed'],
    ['after it was lost, an account renamed meanwhile', { name: 'Roof Fund' }, 'lost'],
    ['after it was lost, without masks from now on', { mask: null }, 'lost'],
    ['after it was removed, nothing changed', {}, 'removed'],
  ])('%s: keeps everything', async (_title, change, how) => {
    const one = person('again')
    const [same, changed] = [account('1'), account('2')]
    const login = { institutionId: 'ins_1', accounts: [same, account('3'), changed] }
    const item = await one.link(login)
    await one.note('Row 2 of 2', 'the roof')
    if (how === 'lost') await one.lose(item)
    else await removeItem(one.ctx, item.id, { purge: false })
    Object.assign(changed, change)
    const again = await one.link(login)
    expect(again.id).toBe(item.id)
    expect(await one.spent()).toEqual(once(...login.accounts))
    expect(await one.worth()).toBe(sumOf(...login.accounts))
    expect(await one.notes()).toEqual(['the roof'])
    expect((await one.accounts()).length).toBe(3)
  })

  it('counts once without masks after a loss, and is merged when its transactions prove it', async () => {
    const one = person('no masks')
    const accounts = [account('1', { mask: null }), account('2', { mask: null }, 1)]
    const item = await one.link({ institutionId: 'ins_1', accounts })
    await one.note('Row 2 of 1', 'kept')
    await one.lose(item)
    const again = await one.link({ institutionId: 'ins_1', accounts })
    expect(await one.spent()).toEqual(once(...accounts))
    expect(await one.worth()).toBe(sumOf(...accounts))
    expect(await one.notes()).toEqual(['kept'])
    // One transaction is no proof: the user is asked.
    expect(await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, again.id)).toMatchObject([
      { state: 'possible' },
    ])
  })
})

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
    // A lost item leaves the sums on the day of its loss.
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
    // Once the first login is lost, the second one's view counts: from that day on, and not for the days before.
    await world.sql(
      'insert into account_balances select account_id, day - 1, user_id, current, available, credit_limit, iso_currency_code, unofficial_currency_code, as_of from account_balances where user_id = (select user_id from items where id = $1)',
      [first.id],
    )
    await one.lose(first)
    expect(await one.worth(1)).toBe(sumOf(own, shared, spouse))
    expect(await one.worth()).toBe(sumOf(shared, spouse))
    // And when the first comes back, it goes on as it was.
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

  it('is no business of another user, nor to be merged with what is none of the same kind', async () => {
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

describe('an account that continues in another item', () => {
  it('is matched with history that comes later than the proof', async () => {
    const one = person('later history')
    const before = account('1', { mask: null }, 6)
    await one.lose(await one.link({ institutionId: 'ins_1', accounts: [before] }))
    await one.note('Row 5 of 1', 'the oldest')
    const recent = { ...before, name: 'Another name', rows: before.rows.slice(0, 4) }
    const again = await one.link({ institutionId: 'ins_1', accounts: [recent] })
    for (const row of before.rows.slice(4)) one.bank.post(again.plaidItemId, recent, row)
    await one.sync()
    expect(await one.accounts()).toHaveLength(1)
    expect(await one.spent()).toEqual(once(before))
    expect(await one.notes()).toEqual(['the oldest'])
  })

  it('adds each transaction to the change feed, including those of the later one', async () => {
    const one = person('feed')
    const { api } = one.ctx.services
    const { identity } = one.ctx.actor
    const before = account('1', { mask: null }, 2)
    await one.lose(await one.link({ institutionId: 'ins_1', accounts: [before] }))
    const row = { key: 'T1-new', date: daysAgo(0), amount: '77.25', name: 'A new row' }
    const again = await one.link({ institutionId: 'ins_1', accounts: [{ ...before, rows: [...before.rows, row] }] })
    const copy = new Map<string, unknown>()
    let since = 0
    const follow = async () => {
      const { changes } = await listChanges(api, identity, since, 500)
      for (const { seq, transactionId, transaction } of changes) {
        since = seq
        if (transaction === null) copy.delete(transactionId)
        else copy.set(transactionId, transaction)
      }
    }
    await follow()
    const [duplicate] = (await listDuplicates(api, identity, again.id)) ?? []
    await settleDuplicate(one.ctx, again.id, duplicate?.accountId ?? '', duplicate?.of ?? '')
    await follow()
    const { rows } = await listTransactions(api, identity, {}, 500, null)
    expect(rows).toHaveLength(3)
    expect(copy).toEqual(new Map(rows.map((transaction) => [transaction.id, transaction])))
  })

  it('is not taken for a closed one of its kind, whose transactions count', async () => {
    const one = person('closed before')
    const [open, closed] = [account('1'), account('2')]
    const item = await one.link({ institutionId: 'ins_1', accounts: [open], closed: [closed] })
    expect(item.possibleDuplicate).toBe(false)
    await one.sync()
    expect(await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, item.id)).toEqual([])
    expect(await one.spent()).toEqual(once(open, closed))
  })

  it('is not stored again by a run that began before', async () => {
    const one = person('in between')
    const [own, shared, spouse] = [account('1'), account('9'), account('3')]
    const login = { institutionId: 'ins_1', accounts: [own, shared] }
    const first = await one.link(login)
    login.accounts = [own]
    await one.sync()
    const row = { key: 'T9-new', date: daysAgo(0), amount: '77.25', name: 'A new row' }
    one.bank.post(first.plaidItemId, shared, row)
    one.bank.beforeNextAnswer(async () => {
      const publicToken = one.bank.link({ institutionId: 'ins_1', accounts: [spouse, shared] })
      const second = await exchangePublicToken(one.ctx, { publicToken, institution: null })
      one.bank.post(second.plaidItemId, shared, row)
    })
    await one.sync()
    await one.sync()
    expect(await one.spent()).toEqual({ ...once(own, shared, spouse), [row.key]: 1 })
    expect(await one.worth()).toBe(sumOf(own, shared, spouse))
  })

  it('is not counted again where transactions of the item that it left name it', async () => {
    const one = person('named again')
    const [own, shared, spouse] = [account('1'), account('9'), account('3')]
    const login = { institutionId: 'ins_1', accounts: [own, shared] }
    const first = await one.link(login)
    login.accounts = [own]
    await one.sync()
    const second = await one.link({ institutionId: 'ins_1', accounts: [spouse, shared] })
    expect((await one.accounts()).find(({ name }) => name === shared.name)?.itemId).toBe(second.id)
    const row = { key: 'T9-new', date: daysAgo(0), amount: '77.25', name: 'A new row' }
    for (const item of [first, second]) one.bank.post(item.plaidItemId, shared, row)
    await one.sync()
    expect(await one.spent()).toEqual({ ...once(own, shared, spouse), [row.key]: 1 })
    expect(await one.worth()).toBe(sumOf(own, shared, spouse))
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

/** Things that happen to one user: two logins at one bank or two, which may share an account, linked three times in all. */
const histories = fc.record({
  accounts: fc.array(
    fc.record({
      mask: fc.boolean(),
      persistent: fc.boolean(),
      kind: fc.constantFrom('checking', 'savings'),
      rows: fc.integer({ min: 0, max: 5 }),
      login: fc.constantFrom('first', 'second', 'both'),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  institutions: fc.tuple(fc.constantFrom('ins_1', null), fc.constantFrom('ins_1', 'ins_2')),
  steps: fc.array(
    fc.record({
      what: fc.constantFrom('link', 'lose', 'remove', 'renumber', 'rename', 'unmask', 'move'),
      login: fc.constantFrom(0, 1),
      which: fc.nat(5),
      tellsRemoved: fc.boolean(),
    }),
    { minLength: 2, maxLength: 6 },
  ),
})

describe('a random sequence of events', () => {
  const runs = Number(process.env['IDENTITY_RUNS'] ?? 25)

  it(
    'no money counts twice, no two accounts become one, and where it is certain none is missed and no note is lost',
    async () => {
      await fc.assert(
        fc.asyncProperty(histories, async (history) => {
          const one = person('history')
          const all = history.accounts.map(({ mask, persistent, kind, rows, login }, index) => ({
            login,
            // Only these stay certain whatever the bank does to ids.
            isPlain: mask && !persistent,
            at: account(
              String(index + 1),
              {
                subtype: kind,
                ...(mask ? {} : { mask: null }),
                ...(persistent ? { persistentId: `persistent ${index}` } : {}),
              },
              rows,
            ),
          }))
          const logins = (['first', 'second'] as const).map((name, index): MiniLogin => ({
            institutionId: history.institutions[index] ?? null,
            accounts: all.flatMap(({ login, at }) => (login === name || login === 'both' ? [at] : [])),
          }))
          const changed = new Set<MiniAccount>()
          const live: (Item | null)[] = [null, null]
          let links = 0
          const noted = new Set<string>()

          // An account that keeps nothing by which it can be known is another one: so none loses its name and its mask, nor
          // its name and its bank, at once.
          const isTracked = (target: MiniAccount): boolean =>
            logins
              .filter(({ accounts }) => accounts.includes(target))
              .every(({ institutionId }) => institutionId === 'ins_1')

          const check = async () => {
            await one.sync()
            await one.sync()
            const counts = await one.spent()
            expect(Object.values(counts).every((count) => count === 1)).toBe(true)
            expect(await one.worth()).toMatch(/^[01]+$/)
            const mixed = await world.sql(
              `select t.account_id from transactions t join accounts a on a.id = t.account_id join items i on i.id = a.item_id
               where t.removed_at is null and i.user_id = (select user_id from items where id = $1)
               group by 1 having count(distinct split_part(t.category_primary, '-', 1)) > 1`,
              [live.find((item) => item !== null)?.id ?? null],
            )
            expect(mixed).toEqual([])
          }

          for (const { what, login: index, which, tellsRemoved } of [
            { what: 'link', login: 0, which: 0, tellsRemoved: false } as const,
            ...history.steps,
          ]) {
            const login = logins[index]
            const item = live[index]
            const target = login?.accounts[which % Math.max(login.accounts.length, 1)]
            if (login === undefined || target === undefined || item === undefined) continue
            if (what === 'link' && item === null && links < 3) {
              links += 1
              live[index] = await one.link(login, true)
            } else if (what === 'lose' && item !== null) {
              await one.lose(item)
              live[index] = null
            } else if (what === 'remove' && item !== null) {
              await removeItem(one.ctx, item.id, { purge: false })
              live[index] = null
            } else if (what === 'renumber' && item !== null) one.bank.renumber(item.plaidItemId, target, tellsRemoved)
            else if (what === 'rename' && target.mask !== null && isTracked(target)) {
              target.name = `Renamed ${target.key} ${which}`
              changed.add(target)
            } else if (what === 'unmask' && !changed.has(target)) {
              target.mask = null
              changed.add(target)
            } else if (what === 'move' && changed.size === 0) login.institutionId = 'ins_3'
            await check()
            for (const { rows, key } of all.map(({ at }) => at))
              if (rows.length > 0 && !noted.has(key) && (await one.spent())[`T${key}-0`] === 1) {
                await one.note(`Row 0 of ${key}`, key)
                noted.add(key)
              }
          }

          // Of a login that is live, at a bank that never changed its id: its plain accounts are there once, with their notes, and count.
          const isSteady = !history.steps.some(({ what }) => what === 'move')
          const shown = await one.accounts()
          const [notes, spent, worth] = [await one.notes(), await one.spent(), await one.worth()]
          for (const [index, login] of logins.entries()) {
            if (live[index] === null || !isSteady || login.institutionId === null) continue
            for (const { at, isPlain, login: whose } of all) {
              if (!isPlain || whose === 'both' || changed.has(at) || !login.accounts.includes(at)) continue
              expect(shown.filter(({ name }) => name === at.name)).toHaveLength(1)
              expect(notes.filter((note) => note === at.key)).toHaveLength(noted.has(at.key) ? 1 : 0)
              // Its money is not missing from the sums either.
              expect(at.rows.map(({ key }) => spent[key])).toEqual(at.rows.map(() => 1))
              expect(worth.at(-1 - Number(at.key))).toBe('1')
            }
          }
        }),
        { numRuns: runs, endOnFailure: process.env['IDENTITY_SHRINK'] === 'false' },
      )
    },
    20_000 + runs * 20_000,
  )
})
