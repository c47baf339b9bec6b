// Rows of Plaid's that cannot be read: their neighbours arrive, they are kept and counted, nothing is removed in their place,
// and they are tried again.
import { afterEach, describe, expect, it } from 'vitest'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { purgeRevokedAccounts } from '../../../src/db/items/purge.ts'
import { listSetAside, type StoredSetAside } from '../../../src/db/sync/set-aside.ts'
import { listAllSyncRuns } from '../../../src/db/sync/runs.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => world.bank.clearAlterations())

const everything = { products: ['transactions', 'investments', 'liabilities'] }

/** The rows set aside of the item, as an operator sees them. */
const setAside = async (item: Item, product?: string): Promise<readonly StoredSetAside[]> =>
  (await listSetAside(world.services.jobs, { itemId: item.id, product }, 100, null)).rows

const lastRun = async (item: Item, product: string) => {
  const { rows } = await listAllSyncRuns(world.services.jobs, { itemId: item.id }, 100, null)
  return rows.find((run) => run.product === product)
}

const lastError = async (subject: string, item: Item, product: string) => {
  const found = await getItem(world.services.api, world.user(subject).actor.identity, item.id)
  return found?.products.find((each) => each.product === product)?.lastError
}

const rowsOf = (table: string, item: Item) =>
  world.sql(`select to_jsonb(t) - 'updated_at' - 'change_seq' as row from ${table} t where item_id = $1 order by id`, [
    item.id,
  ])

const idsIn = async (table: string, item: Item, id: string) =>
  (await world.sql(`select ${id} as id from ${table} where item_id = $1 order by 1`, [item.id])).map((row) => row['id'])

/** Adds transactions at the bank, for the next sync. */
const addAtBank = (item: Item, add: number) => world.bank.change(item.plaidItemId, { add, silent: true })

const sync = '/transactions/sync'

describe('transactions', () => {
  it('arrive, all 600 of them, where one has an empty date that it can do without', async () => {
    const item = await linkAndSync(world, 'empty date')
    const before = (await everyTransaction(world, 'empty date')).length
    await addAtBank(item, 600)
    await world.bank.alter({ endpoint: sync, path: 'added[7].authorized_date', value: '' })
    await odd.sync(item, 'transactions')
    expect(await everyTransaction(world, 'empty date')).toHaveLength(before + 600)
    expect(await setAside(item)).toEqual([])
    expect(await lastRun(item, 'transactions')).toMatchObject({ errorCode: null, setAside: 0, upserted: 600 })
  })

  it.each([
    ['amount', { value: null }, 'amount missing'],
    ['amount', { value: 'x' }, 'amount invalid'],
    ['amount', { value: { value: 12.5 } }, 'amount invalid'],
    ['date', { value: '2026-02-30' }, 'date invalid'],
    ['date', { remove: true }, 'date missing'],
    ['account_id', { value: '' }, 'account_id missing'],
    ['account_id', { value: 'nobody knows it' }, 'account_id unknown_account'],
  ])('arrive but for the one with %s %j, which is kept until it can be read', async (field, change, problem) => {
    const subject = `unread ${field} ${JSON.stringify(change)}`
    const item = await linkAndSync(world, subject)
    const before = (await everyTransaction(world, subject)).length
    await addAtBank(item, 600)
    await world.bank.alter({ endpoint: sync, path: `added[7].${field}`, times: 1, ...change })
    const logged = world.lines.length
    await odd.sync(item, 'transactions')
    expect(await everyTransaction(world, subject)).toHaveLength(before + 599)
    const [row, ...others] = await setAside(item)
    expect(others).toEqual([])
    expect(row).toMatchObject({ itemId: item.id, product: 'transactions', kind: 'transaction', problems: [problem] })
    expect(await lastRun(item, 'transactions')).toMatchObject({
      id: row?.runId,
      outcome: 'committed',
      errorCode: 'ROWS_SET_ASIDE',
      setAside: 1,
    })
    expect(await lastError(subject, item, 'transactions')).toBe('One row could not be read. The operator can see it.')
    const lines = world.lines.slice(logged).filter((line) => line.includes('rows_set_aside'))
    expect(lines).toEqual([expect.stringContaining(`transaction ${problem}`)])

    // It stays set aside after a run that reads other rows.
    await addAtBank(item, 1)
    await odd.sync(item, 'transactions')
    expect(await setAside(item)).toMatchObject([{ id: row?.id }])
    expect(await lastRun(item, 'transactions')).toMatchObject({ setAside: 1 })

    // The stored payload becomes readable, as after an upgrade.
    const told = (await world.bank.truth(item.plaidItemId)).transactions.find(
      ({ transaction_id: id }) => id === row?.rowKey,
    )
    await world.sql('update set_aside_rows set payload = payload || $2::jsonb where id = $1', [
      row?.id,
      JSON.stringify({ amount: told?.amount, date: told?.date, account_id: told?.account_id }),
    ])
    await odd.sync(item, 'transactions')
    await expectTruth(world, subject, item.plaidItemId)
    expect(await setAside(item)).toEqual([])
    expect(await lastRun(item, 'transactions')).toMatchObject({ errorCode: null, setAside: 0 })
    expect(await lastError(subject, item, 'transactions')).toBeNull()
  })

  it('arrive once their unknown account is known', async () => {
    const subject = 'known later'
    const item = await linkAndSync(world, subject)
    const before = (await everyTransaction(world, subject)).length
    await addAtBank(item, 3)
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({
        ...page,
        added: page.added.map((row, index) => (index === 0 ? { ...row, account_id: 'new one' } : row)),
      })),
    )
    expect(await setAside(item)).toMatchObject([
      { plaidAccountId: 'new one', problems: ['account_id unknown_account'] },
    ])
    expect(await everyTransaction(world, subject)).toHaveLength(before + 2)
    await addAtBank(item, 1)
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({
        ...page,
        accounts: page.accounts.flatMap((account, index) =>
          index === 0 ? [account, { ...account, account_id: 'new one', name: 'New one' }] : [account],
        ),
      })),
    )
    expect(await setAside(item)).toEqual([])
    expect(await everyTransaction(world, subject)).toHaveLength(before + 4)
  })

  it('are kept in their newest version, and forgotten when the bank takes them back', async () => {
    const subject = 'newest version'
    const item = await linkAndSync(world, subject)
    const [first, second] = (await world.bank.truth(item.plaidItemId)).transactions
    if (first === undefined || second === undefined) throw new Error('no transactions')
    const unread = {
      kind: 'transaction',
      list: 'modified',
      accountId: first.account_id,
      problems: ['amount missing'],
      payload: {},
    } as const
    const asides = [first, second].map(({ transaction_id: id }) => ({ ...unread, key: id, rowId: id }))
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({ ...page, set_aside: asides })),
    )
    expect((await setAside(item)).map(({ rowKey }) => rowKey).toSorted()).toEqual(
      [first.transaction_id, second.transaction_id].toSorted(),
    )
    await expectTruth(world, subject, item.plaidItemId)
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({ ...page, removed: [{ transaction_id: first.transaction_id }] })),
    )
    expect(await setAside(item)).toMatchObject([{ rowKey: second.transaction_id }])
    await odd.forgetCursor(item)
    await odd.sync(item, 'transactions')
    expect(await setAside(item)).toEqual([])
    await expectTruth(world, subject, item.plaidItemId)
  })

  it.each([
    ['can be read by its id', 'added[3].amount'],
    ['cannot be told from others', 'added[3].transaction_id'],
    ['is no row at all', 'added[3]'],
  ])('stay where one that is read again from the start %s', async (_what, path) => {
    const subject = `from the start ${path}`
    const item = await linkAndSync(world, subject)
    const before = await everyTransaction(world, subject)
    await odd.forgetCursor(item)
    await world.bank.alter({ endpoint: sync, path, value: null })
    await odd.sync(item, 'transactions')
    expect(await everyTransaction(world, subject)).toEqual(before)
    expect(await setAside(item)).toMatchObject([{ kind: 'transaction' }])
  })

  it('are set aside alone if their text cannot be stored or indexed', async () => {
    const subject = 'text of all kinds'
    const item = await linkAndSync(world, subject)
    const before = (await everyTransaction(world, subject)).length
    await addAtBank(item, 8)
    const alterations: readonly (readonly [string, unknown])[] = [
      ['added[0].name', 'a\0b\ud800'],
      ['added[1].transaction_id', 'é'.repeat(5000)],
      ['added[2].merchant_name', { deep: ['\0'] }],
      ['added[3].personal_finance_category', '\ud800'],
      ['added[4].date', '0000-00-00'],
      ['added[5].iso_currency_code', ''],
    ]
    for (const [path, value] of alterations) await world.bank.alter({ endpoint: sync, path, value })
    await world.bank.alter(`{"endpoint":"${sync}","path":"added[6].amount","value":1e999999}`)
    await odd.sync(item, 'transactions')
    expect(await everyTransaction(world, subject)).toHaveLength(before + 5)
    expect((await setAside(item)).flatMap(({ problems }) => problems).toSorted()).toEqual([
      'amount invalid',
      'date invalid',
      'transaction_id invalid',
    ])
  })

  it('rows beyond those that are kept are counted', async () => {
    const item = await linkAndSync(world, 'too many')
    await addAtBank(item, 1100)
    await world.bank.alter({ endpoint: sync, path: 'added[*].amount', value: null })
    await odd.sync(item, 'transactions')
    expect(await lastRun(item, 'transactions')).toMatchObject({ setAside: 1100 })
    const [stored] = await world.sql('select count(*) as n from set_aside_rows where item_id = $1', [item.id])
    expect(stored).toEqual({ n: '1000' })
    expect(await lastError('too many', item, 'transactions')).toBe(
      '1100 rows could not be read. The operator can see them.',
    )
  })
})

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
      const item = await linkAndSync(world, `kept ${path} ${String(value)}`, everything)
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
    const oneBank = { ...everything, username: subject }
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
    const item = await linkAndSync(world, 'no total', everything)
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
    const item = await linkAndSync(world, 'derived', everything)
    const [odds] = await world.sql(
      `select count(*) filter (where institution_value = quantity * institution_price) as derived,
        count(*) filter (where institution_price is null) as unpriced from holdings where item_id = $1`,
      [item.id],
    )
    expect(Number(odds?.['derived'])).toBeGreaterThan(0)
    expect(odds?.['unpriced']).toBe('1')
  })
})

it('rows that are set aside go with their account, when it is deleted for good', async () => {
  const subject = 'account purged'
  const item = await linkAndSync(world, subject)
  await addAtBank(item, 6)
  await world.bank.alter({ endpoint: sync, path: 'added[*].amount', value: null })
  await odd.sync(item, 'transactions')
  const accounts = (await setAside(item)).map(({ plaidAccountId }) => plaidAccountId)
  const [revoked] = accounts
  await world.sql(
    "update accounts set closed = true, revoked_at = now() - interval '3 days' where item_id = $1 and plaid_account_id = $2",
    [item.id, revoked],
  )
  await purgeRevokedAccounts(world.services.jobs, 2, 10)
  const left = (await setAside(item)).map(({ plaidAccountId }) => plaidAccountId)
  expect(left).toEqual(accounts.filter((account) => account !== revoked))
})

it('rows that are set aside go with their item', async () => {
  const item = await linkAndSync(world, 'purged')
  await addAtBank(item, 2)
  await world.bank.alter({ endpoint: sync, path: 'added[0].amount', value: null })
  await odd.sync(item, 'transactions')
  expect(await setAside(item)).toHaveLength(1)
  await world.sql('delete from items where id = $1', [item.id])
  expect(await setAside(item)).toEqual([])
  expect(await idsIn('set_aside_rows', item, 'id')).toEqual([])
})
