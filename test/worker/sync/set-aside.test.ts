// Transactions from Plaid that cannot be read are set aside and counted: all others are stored, and each run tries the
// stored ones again.
import { afterEach, describe, expect, it } from 'vitest'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { purgeRevokedAccounts } from '../../../src/db/items/purge.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
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

const lastError = async (subject: string, item: Item, product: string) => {
  const found = await getItem(world.services.api, world.user(subject).actor.identity, item.id)
  return found?.products.find((each) => each.product === product)?.lastError
}

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
    const atBank = (await world.bank.truth(item.plaidItemId)).transactions.find(
      ({ transaction_id: id }) => id === row?.rowKey,
    )
    await world.sql('update set_aside_rows set payload = payload || $2::jsonb where id = $1', [
      row?.id,
      JSON.stringify({ amount: atBank?.amount, date: atBank?.date, account_id: atBank?.account_id }),
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
    ['cannot be distinguished from others', 'added[3].transaction_id'],
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
