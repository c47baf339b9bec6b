// One account at the bank stays one account here when its id, its name or its item changes: its money counts once, and
// its notes stay.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listChanges } from '../../../src/db/read/changes.ts'
import { listDuplicates } from '../../../src/db/items/duplicates.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { listTransactions } from '../../../src/db/records/transactions.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { settleDuplicate } from '../../../src/items/resolve-duplicate.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { daysAgo, useWorld } from '../../support/item-lifecycle.ts'
import type { MiniAccount, MiniLogin } from '../../support/mini-bank.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'
import { account, once, sumOf, people } from './people.ts'

let world: World
useWorld((made) => {
  world = made
})
const { person } = people(() => world)

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
    // The renumbering makes the sync read everything again. Another change must not affect other accounts.
    const late = { key: 'T1-late', date: daysAgo(60), amount: '77.25', name: 'Sent late' }
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
    const one = person('duplicates')
    const alike = [account('1', { name: 'Twin', mask: '7' }), account('2', { name: 'Twin', mask: '7' })]
    const login = { institutionId: 'ins_1', accounts: alike }
    const item = await one.link(login)
    const idOf = async (name: string) => {
      const [row] = await world.sql(
        `select t.account_id from transactions t where t.item_id = $1 and t.name = $2 and t.removed_at is null`,
        [item.id, name],
      )
      return row?.['account_id']
    }
    const before = [await idOf('Row 1 of 1'), await idOf('Row 1 of 2')]
    login.accounts = alike.toReversed()
    for (const each of alike) one.bank.renumber(item.plaidItemId, each, false)
    await one.sync()
    await one.sync()
    expect([await idOf('Row 1 of 1'), await idOf('Row 1 of 2')]).toEqual(before)
    expect(await one.spent()).toEqual(once(...alike))
    expect(await one.worth()).toBe(sumOf(...alike))
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
    // One transaction does not prove it, so the user must decide.
    expect(await listDuplicates(one.ctx.services.api, one.ctx.actor.identity, again.id)).toMatchObject([
      { state: 'possible' },
    ])
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

/** Events for one user: two logins at one or two banks, which may share an account, linked at most three times. */
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
  const runs = Number(process.env['IDENTITY_RUNS'] ?? sampleSize({ all: 25, few: 4 }))

  it(
    'no money counts twice, no two accounts become one, and where it is certain none is missed and no note is lost',
    async () => {
      await fc.assert(
        fc.asyncProperty(histories, async (history) => {
          const one = person('history')
          const all = history.accounts.map(({ mask, persistent, kind, rows, login }, index) => ({
            login,
            // Only these accounts are certain to be recognized.
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

          // An account that loses its name and mask, or its name and bank, cannot be recognized, so no account loses
          // both.
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

          // When no bank has changed its id: each plain account of a live login is shown once, has its note, and
          // counts.
          const isSteady = !history.steps.some(({ what }) => what === 'move')
          const shown = await one.accounts()
          const [notes, spent, worth] = [await one.notes(), await one.spent(), await one.worth()]
          for (const [index, login] of logins.entries()) {
            if (live[index] === null || !isSteady || login.institutionId === null) continue
            for (const { at, isPlain, login: whose } of all) {
              if (!isPlain || whose === 'both' || changed.has(at) || !login.accounts.includes(at)) continue
              expect(shown.filter(({ name }) => name === at.name)).toHaveLength(1)
              expect(notes.filter((note) => note === at.key)).toHaveLength(noted.has(at.key) ? 1 : 0)
              // The sums include its money.
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
