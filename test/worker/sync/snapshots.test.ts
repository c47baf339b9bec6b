// What the database makes of incoming accounts and snapshots, also of odd ones: which rows it closes, removes or leaves
// unchanged.
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { everyTransaction } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../../support/odd-answers.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const closedAccounts = async (item: Item) =>
  (await world.sql('select plaid_account_id as id from accounts where item_id = $1 and closed', [item.id])).map(
    ({ id }) => id,
  )

/** A version of every row of a table that changes with each write of the row. */
const versions = (table: string, item: Item) =>
  world.sql(`select id, xmin from ${table} where item_id = $1 order by id`, [item.id])

describe('an item', () => {
  it('changes no row of other items when everything is read and nothing is left', async () => {
    const all = { products: ['transactions', 'investments', 'liabilities'] }
    const item = await linkAndSync(world, 'emptied', all)
    await linkAndSync(world, 'emptied', all)
    await linkAndSync(world, 'beside', all)
    const tables = ['accounts', 'transactions', 'holdings', 'investment_transactions', 'liabilities']
    const counts = async (how: string) =>
      await world.sql(
        tables
          .map(
            (table) =>
              `select '${table}' as name, count(*) as n, md5(string_agg(id || xmin::text, ',' order by id)) as rows from ${table} where item_id ${how} $1`,
          )
          .join(' union all '),
        [item.id],
      )
    const others = await counts('<>')
    expect(others.every(({ n }) => Number(n) > 0)).toBe(true)
    const { plaid } = world.services
    const emptied = odd.withPlaid({
      async syncTransactions(...args) {
        const answer = await plaid.syncTransactions(...args)
        return answer.ok ? { ...answer, value: { ...answer.value, accounts: [], added: [], has_more: false } } : answer
      },
      async getAccounts(...args) {
        const answer = await plaid.getAccounts(...args)
        return answer.ok ? { ...answer, value: { accounts: [], set_aside: [] } } : answer
      },
      async getHoldings(...args) {
        const answer = await plaid.getHoldings(...args)
        return answer.ok ? { ...answer, value: { accounts: [], holdings: [], securities: [], set_aside: [] } } : answer
      },
      async getInvestmentTransactions(...args) {
        const answer = await plaid.getInvestmentTransactions(...args)
        const nothing = { accounts: [], investment_transactions: [], securities: [], set_aside: [] }
        return answer.ok ? { ...answer, value: { ...nothing, total_investment_transactions: 0 } } : answer
      },
      async getLiabilities(...args) {
        const answer = await plaid.getLiabilities(...args)
        const liabilities = { credit: [], mortgage: [], student: [] }
        return answer.ok ? { ...answer, value: { accounts: [], liabilities, set_aside: [] } } : answer
      },
    })
    await odd.forgetCursor(item)
    for (const product of ['balances', 'transactions', 'holdings', 'investment_transactions', 'liabilities'])
      await odd.sync(item, product, emptied)
    expect(await everyTransaction(world, 'beside')).not.toEqual([])
    const [left] = await world.sql(
      `select (select count(*) from accounts where item_id = $1 and not closed) as accounts,
         (select count(*) from transactions where item_id = $1 and removed_at is null) as transactions,
         (select count(*) from investment_transactions where item_id = $1 and removed_at is null) as investment_transactions,
         (select count(*) from holdings where item_id = $1) as holdings, (select count(*) from liabilities where item_id = $1) as liabilities`,
      [item.id],
    )
    expect(left).toEqual({
      accounts: '0',
      transactions: '0',
      investment_transactions: '0',
      holdings: '0',
      liabilities: '0',
    })
    expect(await counts('<>')).toEqual(others)
  })
})

describe('accounts', () => {
  it('stay open when a response about another product does not name them', async () => {
    const item = await linkAndSync(world, 'not named', { products: ['transactions', 'investments', 'liabilities'] })
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    for (const product of ['transactions', 'holdings', 'investment_transactions', 'liabilities'])
      await odd.sync(item, product)
    expect(await closedAccounts(item)).toEqual([])
  })

  it('stay closed when their transactions are sent again, and open when the institution opens them', async () => {
    const item = await linkAndSync(world, 'closed')
    const [transaction] = (await world.bank.truth(item.plaidItemId)).transactions
    const closed = transaction?.account_id
    const without = odd.withPlaid({
      async getAccounts(...args) {
        const answer = await world.services.plaid.getAccounts(...args)
        if (!answer.ok) return answer
        return {
          ...answer,
          value: { accounts: answer.value.accounts.filter(({ account_id }) => account_id !== closed), set_aside: [] },
        }
      },
    })
    await odd.sync(item, 'balances', without)
    expect(await closedAccounts(item)).toEqual([closed])
    await world.sql(
      'update account_balances set day = day - 1 where account_id in (select id from accounts where item_id = $1)',
      [item.id],
    )
    const balancesToday = () =>
      world.sql(
        `select b.current from account_balances b join accounts a on a.id = b.account_id
          where a.item_id = $1 and a.plaid_account_id = $2 and b.day = (now() at time zone 'UTC')::date`,
        [item.id, closed],
      )
    await world.bank.change(item.plaidItemId, {
      modify: [{ transaction_id: transaction?.transaction_id, name: 'sent again' }],
      silent: true,
    })
    await odd.sync(item, 'transactions')
    expect(await odd.lastRun(item)).toMatchObject({ upserted: '1' })
    expect(await closedAccounts(item)).toEqual([closed])
    // A closed account has no balance today.
    expect(await balancesToday()).toEqual([])
    await odd.sync(item, 'balances')
    expect(await closedAccounts(item)).toEqual([])
    expect(await balancesToday()).toHaveLength(1)
  })

  it('have one balance a day, the last one', async () => {
    const item = await linkAndSync(world, 'balances')
    const [account] = (await world.bank.truth(item.plaidItemId)).accounts
    for (const current of ['10', '20.5'])
      await odd.sync(
        item,
        'balances',
        odd.withPlaid({
          async getAccounts(...args) {
            const answer = await world.services.plaid.getAccounts(...args)
            if (!answer.ok) return answer
            const accounts = answer.value.accounts.map((each) => ({ ...each, balances: { ...each.balances, current } }))
            return { ...answer, value: { accounts, set_aside: [] } }
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

  it('remove holdings that they do not contain, and restore those that they contain', async () => {
    const item = await linkAndSync(world, 'holdings', products)
    const all = await count('holdings', item)
    await odd.sync(
      item,
      'holdings',
      odd.withPlaid({
        async getHoldings(...args) {
          const answer = await world.services.plaid.getHoldings(...args)
          return answer.ok
            ? { ...answer, value: { ...answer.value, holdings: answer.value.holdings.slice(1) } }
            : answer
        },
      }),
    )
    expect(await count('holdings', item)).toBe(all - 1)
    expect(await odd.lastRun(item)).toMatchObject({ upserted: '0', removed: '1' })
    await odd.sync(item, 'holdings')
    expect(await count('holdings', item)).toBe(all)
  })

  it('set a holding of an unknown account aside, and keep the stored row that it may replace', async () => {
    const item = await linkAndSync(world, 'odd holding', products)
    const before = await versions('holdings', item)
    const answers = odd.withPlaid({
      async getHoldings(...args) {
        const answer = await world.services.plaid.getHoldings(...args)
        if (!answer.ok) return answer
        const [first, ...others] = answer.value.holdings
        if (first === undefined) throw new Error('no holdings')
        return { ...answer, value: { ...answer.value, holdings: [{ ...first, account_id: 'unknown' }, ...others] } }
      },
    })
    await odd.sync(item, 'holdings', answers)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', error_code: 'ROWS_SET_ASIDE' })
    expect(await versions('holdings', item)).toEqual(before)
  })

  it('remove liabilities that they do not contain', async () => {
    const item = await linkAndSync(world, 'liabilities', products)
    const kinds = async () =>
      (await world.sql('select distinct kind from liabilities where item_id = $1 order by kind', [item.id])).map(
        ({ kind }) => kind,
      )
    await odd.sync(
      item,
      'liabilities',
      odd.withPlaid({
        async getLiabilities(...args) {
          const answer = await world.services.plaid.getLiabilities(...args)
          if (!answer.ok) return answer
          const { accounts, liabilities } = answer.value
          return { ...answer, value: { accounts, liabilities: { ...liabilities, credit: [] }, set_aside: [] } }
        },
      }),
    )
    expect(await kinds()).toEqual(['mortgage', 'student'])
    await odd.sync(item, 'liabilities')
    expect(await kinds()).toEqual(['credit', 'mortgage', 'student'])
  })

  it('remove investment transactions that are missing in their window, and nothing outside of it', async () => {
    const item = await linkAndSync(world, 'window', products)
    await world.sql(
      `insert into investment_transactions (user_id, item_id, account_id, plaid_investment_transaction_id, date, name, quantity, amount, price, type, subtype)
       select user_id, item_id, account_id, 'ancient', current_date - 800, name, quantity, amount, price, type, subtype
       from investment_transactions where item_id = $1 limit 1`,
      [item.id],
    )
    let dropped = ''
    const without = odd.withPlaid({
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
    await odd.sync(item, 'investment_transactions', without)
    expect(dropped).not.toBe('')
    expect(await cancelled()).toEqual([dropped])
    await odd.sync(item, 'investment_transactions')
    expect(await cancelled()).toEqual([])
  })

  it.each([
    ['holdings', 'holdings'],
    ['investment_transactions', 'investment_transactions'],
    ['liabilities', 'liabilities'],
  ])('write no unchanged row of %s', async (product, table) => {
    const item = await linkAndSync(world, `unchanged ${product}`, products)
    const before = await versions(table, item)
    expect(before.length).toBeGreaterThan(0)
    await odd.sync(item, product)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '0', removed: '0' })
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
    await odd.sync(item, 'holdings')
    expect(await securities()).toEqual(before)
  })
})
