// The history of a bank that is linked again: changes between the two links, and a history that arrives in two steps.
import { describe, expect, it } from 'vitest'
import { listHoldings, listInvestmentTransactions } from '../../../src/db/records/investments.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import {
  accountsOf,
  chooseBank,
  letHistoryArrive,
  linkSmallBank,
  rowOf,
  smallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { oddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'
import { idsOf, byName, relinking } from './relinking.ts'

let world: World
useWorld((made) => {
  world = made
})
const { note, hide, link, sync, predecessor, expectSame } = relinking(() => world)

describe('what the bank did between two links', () => {
  it('a pending transaction that posts meanwhile keeps its note', async () => {
    const subject = 'posts'
    const pending = { add: [{ name: 'Dinner', amount: 41.5, pending: true }] }
    const { before } = await predecessor(subject, { meanwhile: pending })
    const dinner = byName(before, 'Dinner')
    expect(dinner).toMatchObject({ pending: true })
    const again = await link(subject, { meanwhile: { post_pending: { name: 'DINNER 0042 NYC', amount: 41.5 } } })
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(idsOf(after)).toEqual(idsOf(before))
    expect(byName(after, 'DINNER 0042 NYC')).toMatchObject({ id: dinner?.id, pending: false, note: 'note on Dinner' })
  })

  it('one that posts meanwhile with another amount keeps its note too', async () => {
    const subject = 'posts with a tip'
    const { before } = await predecessor(subject, {
      meanwhile: { add: [{ name: 'Dinner', amount: 41.5, pending: true }] },
    })
    const again = await link(subject, { meanwhile: { post_pending: { name: 'Dinner', amount: 49.8 } } })
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(idsOf(after)).toEqual(idsOf(before))
    expect(byName(after, 'Dinner')).toMatchObject({ pending: false, amount: '49.8', note: 'note on Dinner' })
  })

  it('one that posts with the amount of another one, which the bank withdrew, keeps its own note', async () => {
    const subject = 'equal by chance'
    const { before } = await predecessor(subject, {
      meanwhile: {
        add: [
          { name: 'Dinner', amount: 41.5, pending: true },
          { name: 'Concert', amount: 49.8, pending: true },
        ],
      },
    })
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    const { transactions } = await world.bank.truth(plaidItemId)
    const withdrawn = transactions.flatMap((row) => (row.name === 'Concert' ? [row.transaction_id] : []))
    await world.bank.change(plaidItemId, { remove: withdrawn, silent: true })
    await world.bank.change(plaidItemId, { post_pending: { name: 'Dinner', amount: 49.8 }, silent: true })
    const item = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
    await world.drain()
    const after = await expectTruth(world, subject, item.plaidItemId)
    expect(byName(after, 'Dinner')).toMatchObject({ amount: '49.8', note: 'note on Dinner' })
    expect(byName(after, 'Dinner')?.id).toBe(byName(before, 'Dinner')?.id)
    expect(byName(after, 'Concert')).toBeUndefined()
  })

  it('one that is still pending posts after the relink, with its note', async () => {
    const subject = 'posts later'
    const { before } = await predecessor(subject, {
      meanwhile: { add: [{ name: 'Dinner', amount: 41.5, pending: true }] },
    })
    const again = await link(subject)
    expect(idsOf(await everyTransaction(world, subject))).toEqual(idsOf(before))
    await world.bank.change(again.plaidItemId, { post_pending: { amount: 49.5 }, silent: true })
    await sync(again)
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(byName(after, 'Dinner')).toMatchObject({ pending: false, amount: '49.5', note: 'note on Dinner' })
  })

  it('a corrected one continues, one that is no longer sent is removed, a new one is new', async () => {
    const subject = 'corrections'
    const odd = {
      add: [
        { name: 'Hotel', amount: 300 },
        { name: 'Mistake', amount: 13 },
      ],
    }
    const { item, before } = await predecessor(subject, { meanwhile: odd })
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    const seen = await world.bank.truth(plaidItemId)
    const named = (name: string) => seen.transactions.find((row) => row.name === name)?.transaction_id
    await world.bank.change(plaidItemId, {
      modify: [{ transaction_id: named('Hotel'), amount: 280 }],
      remove: [named('Mistake')],
      add: [{ name: 'New', amount: 5 }],
      silent: true,
    })
    await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await letHistoryArrive(world, { plaidItemId })
    const after = await expectTruth(world, subject, plaidItemId)
    expect(byName(after, 'Hotel')).toMatchObject({
      id: byName(before, 'Hotel')?.id,
      amount: '280',
      note: 'note on Hotel',
    })
    expect(byName(after, 'Mistake')).toBeUndefined()
    expect(idsOf(before).has(byName(after, 'New')?.id ?? '')).toBe(false)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
  })

  it('several that are alike are paired one by one', async () => {
    const subject = 'alike'
    const coffee = { name: 'Coffee', amount: 3.1 }
    const { before } = await predecessor(subject, { meanwhile: { add: [coffee, coffee, coffee] } })
    expect(before.filter(({ name }) => name === 'Coffee')).toHaveLength(3)
    const again = await link(subject, { meanwhile: { add: [coffee] } })
    const after = await expectTruth(world, subject, again.plaidItemId)
    const coffees = after.filter(({ name }) => name === 'Coffee')
    expect(coffees).toHaveLength(4)
    expect(coffees.filter((row) => row.note === 'note on Coffee')).toHaveLength(3)
    expect(new Set([...idsOf(after)].filter((id) => idsOf(before).has(id)))).toEqual(idsOf(before))
  })

  it('an account that is not shared any more stays closed with its history', async () => {
    const subject = 'fewer accounts'
    const { before } = await predecessor(subject)
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    const { accounts: seen } = await world.bank.truth(plaidItemId)
    const nestEgg = seen.find((account) => account['name'] === 'Nest egg')
    await world.bank.change(plaidItemId, { revoke_account: nestEgg?.account_id, silent: true })
    await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await letHistoryArrive(world, { plaidItemId })
    expect(Object.fromEntries((await accountsOf(world, subject)).map(({ name, closed }) => [name, closed]))).toEqual({
      Everyday: false,
      'Nest egg': true,
    })
    await expectSame(subject, before)
  })

  it('history that is older than the new history from Plaid stays', async () => {
    const subject = 'older'
    const bank = smallBank(subject, { accounts: [['Everyday', '1111', 9]] })
    const { before } = await predecessor(subject, { bank })
    // In the sandbox a link can request only three months.
    const publicToken = await world.bank.publicToken({ username: bank.username, password: bank.password })
    const again = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await letHistoryArrive(world, again)
    const remaining = (await world.bank.truth(again.plaidItemId)).transactions.length
    expect(remaining).toBeLessThan(before.length)
    await expectSame(subject, before)
  })

  it('investments continue under the same ids', async () => {
    const subject = 'investments'
    const products = ['transactions', 'investments', 'liabilities']
    const first = await linkAndSync(world, subject, { products })
    const { api } = world.services
    const { identity } = world.user(subject).actor
    const shown = async () => {
      const [trades, holdings] = [
        (await listInvestmentTransactions(api, identity, {}, 500, null)).rows,
        (await listHoldings(api, identity, null, 500, null)).rows,
      ]
      return {
        trades: trades
          .map(({ id, accountId, date, amount, quantity }) => [id, accountId, date, amount, quantity].join())
          .toSorted(),
        holdings: holdings
          .map(({ accountId, security, quantity }) => [accountId, security.id, quantity].join())
          .toSorted(),
      }
    }
    const before = await shown()
    expect(before.trades.length).toBeGreaterThan(0)
    expect(before.holdings.length).toBeGreaterThan(0)
    await hide(subject, first)
    const second = await linkAndSync(world, subject, { products })
    expect(second.id).toBe(first.id)
    expect(await shown()).toEqual(before)
  })
})

describe('a relink whose history arrives in two steps', () => {
  it('shows everything from the start, loses no note and doubles nothing', async () => {
    const subject = 'two steps'
    const { before } = await predecessor(subject)
    const again = await link(subject, { history: 'initial' })
    await expectSame(subject, before)
    // Edits between the two steps are kept too, for rows that the first step sent and for older ones.
    const [newest, oldest] = [before[0], before.at(-1)]
    await note(subject, newest?.id ?? '', 'edited, new')
    await note(subject, oldest?.id ?? '', 'edited, old')
    await world.bank.change(again.plaidItemId, { history: 'historical', silent: true })
    await sync(again)
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(idsOf(after)).toEqual(idsOf(before))
    expect(after.find(({ id }) => id === newest?.id)).toMatchObject({ note: 'edited, new' })
    expect(after.find(({ id }) => id === oldest?.id)).toMatchObject({ note: 'edited, old' })
  })

  it('keeps rows that the first step omitted, between those that it sent', async () => {
    const subject = 'left out'
    const { before } = await predecessor(subject)
    const again = await linkSmallBank(world, subject)
    await world.bank.change(again.plaidItemId, { history: 'initial', silent: true })
    const [newest] = before
    const partial = oddAnswers(world).withPages((page) => ({
      ...page,
      added: page.added.filter(({ name }) => name !== newest?.name),
    }))
    await world.drain(partial)
    await expectSame(subject, before)
    await oddAnswers(world).forgetCursor(again)
    await world.bank.change(again.plaidItemId, { history: 'historical', silent: true })
    await sync(again)
    await expectTruth(world, subject, again.plaidItemId)
    await expectSame(subject, before)
  })

  it('keeps rows that were not sent until the history is complete', async () => {
    const subject = 'not reported yet'
    const { before } = await predecessor(subject)
    const oldest = before.at(-1)
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    const seen = await world.bank.truth(plaidItemId)
    const doomed = seen.transactions.find(({ name }) => name === oldest?.name)?.transaction_id
    await world.bank.change(plaidItemId, {
      remove: [doomed],
      add: [{ name: 'Oldest', amount: 1, date: '2024-12-01' }],
      silent: true,
    })
    const again = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await world.bank.change(plaidItemId, { history: 'initial', silent: true })
    await world.drain()
    expect(idsOf(await everyTransaction(world, subject)).has(oldest?.id ?? '')).toBe(true)
    await world.bank.change(plaidItemId, { history: 'historical', silent: true })
    await sync(again)
    const left = await everyTransaction(world, subject)
    expect(left.filter(({ name }) => name === oldest?.name)).toEqual([])
  })
})
