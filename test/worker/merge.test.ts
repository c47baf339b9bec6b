// What the database makes of what was read, odd answers too: Plaid's own, changed on their way as Plaid may send them
// and its simulator does not.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { editTransaction } from '../../src/db/transactions.ts'
import type { Item } from '../../src/db/items.ts'
import type { Services } from '../../src/services.ts'
import type { Plaid } from '../../src/plaid/endpoints.ts'
import { everyTransaction, expectTruth } from '../support/equality.ts'
import { linkAndSync } from '../support/linked.ts'
import { createWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())
afterEach(() => {
  world.queue.length = 0
})

type Value<Name extends keyof Plaid> = Extract<Awaited<ReturnType<Plaid[Name]>>, { ok: true }>['value']

/** Services with another Plaid. */
const withPlaid = (change: Partial<Plaid>): Services => ({
  ...world.services,
  plaid: { ...world.services.plaid, ...change },
})

/** Services to which Plaid's pages of transactions come changed. */
const withPages = (change: (page: Value<'syncTransactions'>) => Value<'syncTransactions'>): Services =>
  withPlaid({
    async syncTransactions(...args) {
      const answer = await world.services.plaid.syncTransactions(...args)
      return answer.ok ? { ...answer, value: change(answer.value) } : answer
    },
  })

/** Syncs one product of the item, whether or not anything is known to have changed. */
async function sync(item: Item, product: string, services: Services = world.services): Promise<void> {
  const [row] = await world.sql(
    `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = $2 returning id`,
    [item.id, product],
  )
  await services.wake([String(row?.['id'])], 'user')
  await world.drain(services)
}

const lastRun = async (item: Item) =>
  (
    await world.sql(
      'select outcome, error_code, upserted, removed from sync_runs where item_id = $1 order by finished_at desc limit 1',
      [item.id],
    )
  )[0]

const closedAccounts = async (item: Item) =>
  (await world.sql('select plaid_account_id as id from accounts where item_id = $1 and closed', [item.id])).map(
    ({ id }) => id,
  )

/** A mark of every row of a table that changes whenever the row is written. */
const versions = (table: string, item: Item) =>
  world.sql(`select id, xmin from ${table} where item_id = $1 order by id`, [item.id])

describe('transactions', () => {
  it('count as they were told last, where one is told several times', async () => {
    const item = await linkAndSync(world, 'several times')
    const { added } = await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    const odd = withPages((page) => {
      const [first, second] = page.added
      if (first === undefined || second === undefined) throw new Error('no news')
      return {
        ...page,
        added: [
          { ...first, name: 'as it was', amount: '1' },
          ...page.added.slice(1),
          { ...first, transaction_id: 'gone' },
        ],
        modified: [{ ...second, name: 'in between' }, first, second],
        removed: [{ transaction_id: 'gone' }, { transaction_id: 'never heard of' }],
      }
    })
    await sync(item, 'transactions', odd)
    const stored = await expectTruth(world, 'several times', item.plaidItemId)
    expect(stored.map(({ plaidTransactionId }) => plaidTransactionId)).toEqual(expect.arrayContaining(added))
    expect(await lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '3', removed: '0' })
  })

  it('are modified although nobody has told of them before', async () => {
    const item = await linkAndSync(world, 'modified')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    await sync(
      item,
      'transactions',
      withPages((page) => ({ ...page, added: [], modified: [...page.added, ...page.modified] })),
    )
    await expectTruth(world, 'modified', item.plaidItemId)
    expect(await lastRun(item)).toMatchObject({ upserted: '2' })
  })

  it('of an account that nobody has named are refused as a whole, and come with the next run', async () => {
    const item = await linkAndSync(world, 'no account')
    const before = await everyTransaction(world, 'no account')
    const cursor = () =>
      world.sql("select cursor from item_products where item_id = $1 and product = 'transactions'", [item.id])
    const stored = await cursor()
    await world.bank.change(item.plaidItemId, { add: 2, modify: 1, silent: true })
    await sync(
      item,
      'transactions',
      withPages((page) => ({
        ...page,
        added: page.added.map((row, index) => (index === 0 ? { ...row, account_id: 'unknown' } : row)),
      })),
    )
    expect(await lastRun(item)).toMatchObject({ outcome: 'failed', error_code: 'COMMIT_REFUSED' })
    expect(await everyTransaction(world, 'no account')).toEqual(before)
    expect(await cursor()).toEqual(stored)
    await sync(item, 'transactions')
    await expectTruth(world, 'no account', item.plaidItemId)
  })

  it('that the bank does not hold any more go when everything is read again, of which no removal tells', async () => {
    const item = await linkAndSync(world, 'again')
    await world.bank.change(item.plaidItemId, { remove: 3, add: 1, silent: true })
    await world.sql("update item_products set cursor = null where item_id = $1 and product = 'transactions'", [item.id])
    await sync(item, 'transactions')
    await expectTruth(world, 'again', item.plaidItemId)
    expect(await lastRun(item)).toMatchObject({ upserted: '1', removed: '3' })
  })

  it('of pages that a restart threw away leave nothing behind', async () => {
    const item = await linkAndSync(world, 'thrown away')
    await world.bank.change(item.plaidItemId, { add: 700, silent: true })
    await world.sql("update item_products set cursor = null where item_id = $1 and product = 'transactions'", [item.id])
    let pages = 0
    await sync(
      item,
      'transactions',
      withPlaid({
        async syncTransactions(...args) {
          const answer = await world.services.plaid.syncTransactions(...args)
          pages += 1
          // The bank takes back what the first page has told: a full read never mentions it again.
          if (pages === 1 && answer.ok)
            await world.bank.change(item.plaidItemId, {
              remove: answer.value.added.slice(0, 2).map((row) => row.transaction_id),
              silent: true,
            })
          return answer
        },
      }),
    )
    expect(pages).toBeGreaterThan(3)
    await expectTruth(world, 'thrown away', item.plaidItemId)
  })

  it('take over the user’s edits when the link from pending to posted comes late, and not over the user’s own', async () => {
    const item = await linkAndSync(world, 'late link')
    const user = world.user('late link')
    const edit = async (plaidId: string | undefined, note: string) => {
      const row = (await everyTransaction(world, 'late link')).find((each) => each.plaidTransactionId === plaidId)
      await editTransaction(world.services.api, user.actor.identity, row?.id ?? '', { note, userCategory: note })
    }
    const { added } = await world.bank.change(item.plaidItemId, {
      add: [1, 2].map((amount) => ({ amount, name: `pending ${amount}`, pending: true })),
      silent: true,
    })
    await sync(item, 'transactions')
    for (const [index, id] of added.entries()) await edit(id, `of pending ${index}`)
    const { posted } = await world.bank.change(item.plaidItemId, {
      post_pending: { transaction_ids: added, link: false },
      silent: true,
    })
    await sync(item, 'transactions')
    const postedOf = (pendingId: string | undefined) =>
      posted.find((pair) => pair.pending_transaction_id === pendingId)?.transaction_id
    await edit(postedOf(added[1]), 'of the posted one')
    await world.bank.change(item.plaidItemId, {
      modify: posted.map((pair) => ({ ...pair })),
      silent: true,
    })
    await sync(item, 'transactions')
    const stored = await expectTruth(world, 'late link', item.plaidItemId)
    const noteOf = (pendingId: string | undefined) =>
      stored.find((row) => row.plaidTransactionId === postedOf(pendingId))?.note
    expect([noteOf(added[0]), noteOf(added[1])]).toEqual(['of pending 0', 'of the posted one'])
  })
})

describe('accounts', () => {
  it('that an answer about something else does not name stay open', async () => {
    const item = await linkAndSync(world, 'not named', { products: ['transactions', 'investments', 'liabilities'] })
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    for (const product of ['transactions', 'holdings', 'investment_transactions', 'liabilities'])
      await sync(item, product)
    expect(await closedAccounts(item)).toEqual([])
  })

  it('that are closed stay closed when their transactions are told again, and open when the bank opens them', async () => {
    const item = await linkAndSync(world, 'closed')
    const [transaction] = (await world.bank.truth(item.plaidItemId)).transactions
    const closed = transaction?.account_id
    const without = withPlaid({
      async getAccounts(...args) {
        const answer = await world.services.plaid.getAccounts(...args)
        if (!answer.ok) return answer
        return {
          ...answer,
          value: { accounts: answer.value.accounts.filter(({ account_id }) => account_id !== closed) },
        }
      },
    })
    await sync(item, 'balances', without)
    expect(await closedAccounts(item)).toEqual([closed])
    await world.bank.change(item.plaidItemId, {
      modify: [{ transaction_id: transaction?.transaction_id, name: 'told again' }],
      silent: true,
    })
    await sync(item, 'transactions')
    expect(await lastRun(item)).toMatchObject({ upserted: '1' })
    expect(await closedAccounts(item)).toEqual([closed])
    await sync(item, 'balances')
    expect(await closedAccounts(item)).toEqual([])
  })

  it('have one balance a day, the last one', async () => {
    const item = await linkAndSync(world, 'balances')
    const [account] = (await world.bank.truth(item.plaidItemId)).accounts
    for (const current of ['10', '20.5'])
      await sync(
        item,
        'balances',
        withPlaid({
          async getAccounts(...args) {
            const answer = await world.services.plaid.getAccounts(...args)
            if (!answer.ok) return answer
            const accounts = answer.value.accounts.map((each) => ({ ...each, balances: { ...each.balances, current } }))
            return { ...answer, value: { accounts } }
          },
        }),
      )
    const days = await world.sql(
      'select trim_scale(b.current)::text as current from account_balances b join accounts a on a.id = b.account_id where a.plaid_account_id = $1',
      [account?.account_id],
    )
    expect(days).toEqual([{ current: '20.5' }])
  })
})

describe('snapshots', () => {
  const products = { products: ['transactions', 'investments', 'liabilities'] }
  const count = async (table: string, item: Item) =>
    Number((await world.sql(`select count(*) as n from ${table} where item_id = $1`, [item.id]))[0]?.['n'])

  it('of holdings leave no position that is not in them, and bring one back that is', async () => {
    const item = await linkAndSync(world, 'holdings', products)
    const all = await count('holdings', item)
    await sync(
      item,
      'holdings',
      withPlaid({
        async getHoldings(...args) {
          const answer = await world.services.plaid.getHoldings(...args)
          return answer.ok
            ? { ...answer, value: { ...answer.value, holdings: answer.value.holdings.slice(1) } }
            : answer
        },
      }),
    )
    expect(await count('holdings', item)).toBe(all - 1)
    expect(await lastRun(item)).toMatchObject({ upserted: '0', removed: '1' })
    await sync(item, 'holdings')
    expect(await count('holdings', item)).toBe(all)
  })

  it('of holdings with a position that names no known account are refused as a whole', async () => {
    const item = await linkAndSync(world, 'odd holding', products)
    const before = await versions('holdings', item)
    const odd = withPlaid({
      async getHoldings(...args) {
        const answer = await world.services.plaid.getHoldings(...args)
        if (!answer.ok) return answer
        const [first, ...others] = answer.value.holdings
        if (first === undefined) throw new Error('no holdings')
        return { ...answer, value: { ...answer.value, holdings: [{ ...first, account_id: 'unknown' }, ...others] } }
      },
    })
    await sync(item, 'holdings', odd)
    expect(await lastRun(item)).toMatchObject({ outcome: 'failed', error_code: 'COMMIT_REFUSED' })
    expect(await versions('holdings', item)).toEqual(before)
  })

  it('of liabilities leave none that is not in them', async () => {
    const item = await linkAndSync(world, 'liabilities', products)
    const kinds = async () =>
      (await world.sql('select distinct kind from liabilities where item_id = $1 order by kind', [item.id])).map(
        ({ kind }) => kind,
      )
    await sync(
      item,
      'liabilities',
      withPlaid({
        async getLiabilities(...args) {
          const answer = await world.services.plaid.getLiabilities(...args)
          if (!answer.ok) return answer
          const { accounts, liabilities } = answer.value
          return { ...answer, value: { accounts, liabilities: { ...liabilities, credit: [] } } }
        },
      }),
    )
    expect(await kinds()).toEqual(['mortgage', 'student'])
    await sync(item, 'liabilities')
    expect(await kinds()).toEqual(['credit', 'mortgage', 'student'])
  })

  it('of investment transactions cancel what is missing in their window, and nothing outside of it', async () => {
    const item = await linkAndSync(world, 'window', products)
    await world.sql(
      `insert into investment_transactions (user_id, item_id, account_id, plaid_investment_transaction_id, date, name, quantity, amount, price, type, subtype)
       select user_id, item_id, account_id, 'ancient', current_date - 800, name, quantity, amount, price, type, subtype
       from investment_transactions where item_id = $1 limit 1`,
      [item.id],
    )
    let dropped = ''
    const without = withPlaid({
      async getInvestmentTransactions(...args) {
        const answer = await world.services.plaid.getInvestmentTransactions(...args)
        if (!answer.ok) return answer
        const { investment_transactions: all, total_investment_transactions: total } = answer.value
        dropped = all[0]?.investment_transaction_id ?? ''
        const value = {
          ...answer.value,
          investment_transactions: all.slice(1),
          total_investment_transactions: total - 1,
        }
        return { ...answer, value }
      },
    })
    const cancelled = async () =>
      (
        await world.sql(
          'select plaid_investment_transaction_id as id from investment_transactions where item_id = $1 and removed_at is not null',
          [item.id],
        )
      ).map(({ id }) => id)
    await sync(item, 'investment_transactions', without)
    expect(dropped).not.toBe('')
    expect(await cancelled()).toEqual([dropped])
    await sync(item, 'investment_transactions')
    expect(await cancelled()).toEqual([])
  })

  it.each([
    ['holdings', 'holdings'],
    ['investment_transactions', 'investment_transactions'],
    ['liabilities', 'liabilities'],
  ])('of %s write no row that has not changed', async (product, table) => {
    const item = await linkAndSync(world, `unchanged ${product}`, products)
    const before = await versions(table, item)
    expect(before.length).toBeGreaterThan(0)
    await sync(item, product)
    expect(await lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '0', removed: '0' })
    expect(await versions(table, item)).toEqual(before)
  })

  it('write no security that has not changed', async () => {
    const item = await linkAndSync(world, 'securities', products)
    const securities = () =>
      world.sql(
        'select s.id, s.xmin from securities s join users u on u.id = s.user_id where u.subject = $1 order by s.id',
        ['securities'],
      )
    const before = await securities()
    expect(before.length).toBeGreaterThan(0)
    await sync(item, 'holdings')
    expect(await securities()).toEqual(before)
  })
})
