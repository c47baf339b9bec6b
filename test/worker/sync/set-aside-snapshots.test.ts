// Accounts, holdings, liabilities and streams from Plaid that cannot be read are set aside: all others are stored, and
// no row is removed in their place.
import { afterEach, describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { expectTruth } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { allProducts, link, linkAndSync } from '../../support/linked.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'
import { reports } from './reports.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => world.bank.clearAlterations())
const { setAside, lastRun } = reports(() => world)

const rowsOf = (table: string, item: Item) =>
  world.sql(`select to_jsonb(t) - 'updated_at' - 'change_seq' as row from ${table} t where item_id = $1 order by id`, [
    item.id,
  ])

describe('accounts', () => {
  it('are not closed where one of the list cannot be read', async () => {
    const item = await linkAndSync(world, 'unread account')
    const open = () =>
      world.sql('select plaid_account_id from accounts where item_id = $1 and not closed order by 1', [item.id])
    const before = await open()
    await world.bank.alter({ endpoint: '/accounts/get', path: 'accounts[0].account_id', value: null })
    await world.bank.alter({ endpoint: '/accounts/get', path: 'accounts[1].balances.current', value: 'x' })
    await odd.sync(item, 'balances')
    expect(await open()).toEqual(before)
    expect(await setAside(item)).toMatchObject([
      { product: 'balances', kind: 'account', problems: ['account_id missing'] },
    ])
    await world.bank.clearAlterations()
    await odd.sync(item, 'balances')
    expect(await setAside(item)).toEqual([])
  })

  it('keep their name and type if a response has none', async () => {
    const item = await linkAndSync(world, 'kept names')
    const names = () =>
      world.sql('select plaid_account_id, name, type from accounts where item_id = $1 order by 1', [item.id])
    const before = await names()
    for (const field of ['name', 'type', 'official_name'])
      await world.bank.alter({ endpoint: '/accounts/get', path: `accounts[*].${field}`, value: '' })
    await odd.sync(item, 'balances')
    expect(await lastRun(item, 'balances')).toMatchObject({ outcome: 'committed', setAside: 0 })
    expect(await names()).toEqual(before)
  })

  it.each([
    ['name', { value: null }],
    ['name', { value: '' }],
    ['balances', { value: null }],
    ['type', { wrong_type: true }],
    ['account_id', { value: null }],
  ])('do not stop a link with %s %j', async (field, change) => {
    await world.bank.alter({ endpoint: '/accounts/get', path: `accounts[0].${field}`, ...change })
    const item = await link(world, `linked with ${field} ${JSON.stringify(change)}`)
    const [row] = await world.sql('select count(*) as n from accounts where item_id = $1', [item.id])
    expect(Number(row?.['n'])).toBeGreaterThan(1)
  })

  it('do not stop a link when Plaid does not list them', async () => {
    await world.bank.alter({ endpoint: '/accounts/get', path: 'accounts', remove: true })
    const item = await link(world, 'no list')
    await world.bank.clearAlterations()
    await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
    await world.drain()
    await expectTruth(world, 'no list', item.plaidItemId)
  })
})

describe('snapshots', () => {
  it.each([
    ['recurring', 'recurring_streams', '/transactions/recurring/get', 'outflow_streams[0].last_date', '2026-13-01'],
    ['recurring', 'recurring_streams', '/transactions/recurring/get', 'outflow_streams[0].stream_id', null],
    ['recurring', 'recurring_streams', '/transactions/recurring/get', 'outflow_streams', null],
    ['holdings', 'holdings', '/investments/holdings/get', 'holdings[0].quantity', 'x'],
    ['holdings', 'holdings', '/investments/holdings/get', 'holdings[0].security_id', null],
    ['holdings', 'holdings', '/investments/holdings/get', 'holdings[0].account_id', ''],
    ['holdings', 'holdings', '/investments/holdings/get', 'holdings[0]', null],
    [
      'investment_transactions',
      'investment_transactions',
      '/investments/transactions/get',
      'investment_transactions[0].amount',
      null,
    ],
    [
      'investment_transactions',
      'investment_transactions',
      '/investments/transactions/get',
      'investment_transactions[0].investment_transaction_id',
      '',
    ],
    ['liabilities', 'liabilities', '/liabilities/get', 'liabilities.credit[0].account_id', null],
    ['liabilities', 'liabilities', '/liabilities/get', 'liabilities.mortgage', 'none'],
  ])(
    'keep, of %s, the stored row behind an unreadable one (%s: %s %s %j)',
    async (product, table, endpoint, path, value) => {
      const item = await linkAndSync(world, `kept ${path} ${String(value)}`, allProducts)
      const before = await rowsOf(table, item)
      const days = () =>
        world.sql(
          'select count(*) as n from holding_days d join accounts a on a.id = d.account_id where a.item_id = $1',
          [item.id],
        )
      const daysBefore = await days()
      expect(before.length).toBeGreaterThan(0)
      await world.bank.alter({ endpoint, path, value })
      await odd.sync(item, product)
      expect(await rowsOf(table, item)).toEqual(before)
      expect(await days()).toEqual(daysBefore)
      expect(await setAside(item)).toMatchObject([{ product }])
      await world.bank.clearAlterations()
      await odd.sync(item, product)
      expect(await rowsOf(table, item)).toEqual(before)
      expect(await setAside(item)).toEqual([])
    },
  )

  it.each([
    ['recurring', '/transactions/recurring/get', 'outflow_streams[*].predicted_next_date', ''],
    ['recurring', '/transactions/recurring/get', 'inflow_streams[0].transaction_ids', null],
    ['holdings', '/investments/holdings/get', 'holdings[*].institution_price', null],
    ['holdings', '/investments/holdings/get', 'holdings[*].institution_value', ''],
    ['holdings', '/investments/holdings/get', 'securities', null],
    ['holdings', '/investments/holdings/get', 'accounts', null],
    ['investment_transactions', '/investments/transactions/get', 'investment_transactions[*].price', null],
    ['investment_transactions', '/investments/transactions/get', 'investment_transactions[*].name', ''],
    ['liabilities', '/liabilities/get', 'liabilities.student[0].guarantor', 'a\0b'],
    ['liabilities', '/liabilities/get', 'liabilities.credit[0].aprs', [[[['\0']]], '\ud800']],
  ])('arrive complete, of %s, with odd values (%s: %s %j)', async (product, endpoint, path, value) => {
    const subject = `whole ${path} ${JSON.stringify(value)}`
    const oneBank = { ...allProducts, username: subject }
    const plain = await linkAndSync(world, `${subject} as ever`, oneBank)
    await world.bank.alter({ endpoint, path, value })
    const item = await linkAndSync(world, subject, oneBank)
    const tables = { recurring: 'recurring_streams' } as Readonly<Record<string, string>>
    const table = tables[product] ?? product
    const count = async (of: Item) => (await rowsOf(table, of)).length
    expect(await count(item)).toBe(await count(plain))
    expect(await lastRun(item, product)).toMatchObject({ outcome: 'committed', errorCode: null, setAside: 0 })
  })

  it('arrive for investment transactions if the total cannot be read, and nothing is removed', async () => {
    const item = await linkAndSync(world, 'no total', allProducts)
    const before = await rowsOf('investment_transactions', item)
    const endpoint = '/investments/transactions/get'
    await world.bank.alter({ endpoint, path: 'total_investment_transactions', value: '' })
    await world.bank.alter({ endpoint, path: 'investment_transactions[0].price', value: '' })
    await odd.sync(item, 'investment_transactions')
    expect(await lastRun(item, 'investment_transactions')).toMatchObject({
      outcome: 'committed',
      errorCode: 'WINDOW_INCOMPLETE',
      upserted: 1,
      removed: 0,
    })
    expect(await rowsOf('investment_transactions', item)).toHaveLength(before.length)
  })

  it('derive a value from its price, and store no price that is not sent', async () => {
    await world.bank.alter({
      endpoint: '/investments/holdings/get',
      path: 'holdings[0].institution_value',
      value: null,
    })
    await world.bank.alter({
      endpoint: '/investments/holdings/get',
      path: 'holdings[1].institution_price',
      remove: true,
    })
    const item = await linkAndSync(world, 'derived', allProducts)
    const [odds] = await world.sql(
      `select count(*) filter (where institution_value = quantity * institution_price) as derived,
        count(*) filter (where institution_price is null) as unpriced from holdings where item_id = $1`,
      [item.id],
    )
    expect(Number(odds?.['derived'])).toBeGreaterThan(0)
    expect(odds?.['unpriced']).toBe('1')
  })
})
