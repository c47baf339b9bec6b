// Relink continuity: a bank that is linked again goes on where it was — our ids, notes, categories — and its history is
// not doubled.
import { describe, expect, it } from 'vitest'
import { listHoldings, listInvestmentTransactions } from '../../../src/db/records/investments.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction, type Transaction } from '../../../src/db/records/transactions.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { follow, type Follower, listed } from '../../support/feed.ts'
import {
  accountsOf,
  chooseBank,
  expectAtRest,
  heal,
  heldAtPlaid,
  letHistoryArrive,
  letTimePass,
  linkSmallBank,
  rowOf,
  smallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { bankOf, linkAndSync, settle } from '../../support/linked.ts'
import { oddAnswers } from '../../support/odd-answers.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

/** By what does not change from link to link. */
const known = (row: Transaction) => [row.date, row.amount, row.name, row.pending].join(' | ')
const idsOf = (rows: readonly Transaction[]) => new Set(rows.map(({ id }) => id))
const byName = (rows: readonly Transaction[], name: string) => rows.find((row) => row.name === name)

const note = async (subject: string, id: string, text: string) =>
  await editTransaction(world.services.api, world.user(subject).actor.identity, id, {
    note: text,
    userCategory: 'MINE',
  })

const hide = async (subject: string, item: Item) => await removeItem(world.user(subject), item.id, { purge: false })

interface Linking {
  readonly bank?: ReturnType<typeof smallBank>
  /** What happens at the bank before Plaid reads it for the new item. */
  readonly meanwhile?: object
  readonly history?: 'initial' | 'historical'
}

/** Links the subject's small bank, and syncs what there is of its history then. */
async function link(subject: string, { bank, meanwhile, history = 'historical' }: Linking = {}): Promise<Item> {
  const { publicToken, plaidItemId } = await chooseBank(world, subject, bank ?? smallBank(subject))
  if (meanwhile !== undefined) await world.bank.change(plaidItemId, { ...meanwhile, silent: true })
  const item = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
  await world.bank.change(item.plaidItemId, { history, silent: true })
  await world.drain()
  return item
}

/** Syncs the item's transactions, whatever is known to have changed. */
const sync = (item: Item) => oddAnswers(world).sync(item, 'transactions')

/** Linked, noted and removed: what is to go on. */
async function ancestor(subject: string, linking: Linking = {}) {
  const item = await link(subject, linking)
  const before = await everyTransaction(world, subject)
  for (const { id, name } of before) await note(subject, id, `note on ${name}`)
  await hide(subject, item)
  return { item, before }
}

/** The same transactions under the same ids, each with its note. */
async function expectSame(subject: string, before: readonly Transaction[]): Promise<void> {
  const after = await everyTransaction(world, subject)
  expect(new Map(after.map((row) => [row.id, known(row)]))).toEqual(new Map(before.map((row) => [row.id, known(row)])))
  expect(after.map((row) => row.note)).toEqual(after.map(({ name }) => `note on ${name}`))
}

describe('a bank that was removed and is linked again', () => {
  it('keeps the note of a transaction that the bank has renamed meanwhile', async () => {
    const subject = 'relink renamed'
    const first = await linkAndSync(world, subject)
    const noted = (await everyTransaction(world, subject)).find(({ pending }) => !pending)
    if (noted === undefined) throw new Error('no transaction has posted')
    await editTransaction(world.services.api, world.user(subject).actor.identity, noted.id, { note: 'kept' })
    await world.bank.change(first.plaidItemId, {
      modify: [{ transaction_id: noted.plaidTransactionId, name: 'Named otherwise' }],
      silent: true,
    })
    await removeItem(world.user(subject), first.id, { purge: false })
    const publicToken = await world.bank.publicToken({ username: bankOf(subject) })
    const second = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await world.bank.change(second.plaidItemId, { history: 'historical' })
    await world.drain()
    const after = await expectTruth(world, subject, second.plaidItemId)
    expect(after.find(({ id }) => id === noted.id)).toMatchObject({ note: 'kept', name: 'Named otherwise' })
  })

  it('continues under the same ids, with its notes, and without a second history', async () => {
    const subject = 'relink removed'
    const first = await linkAndSync(world, subject)
    const before = await everyTransaction(world, subject)
    const accounts = await accountsOf(world, subject)
    const noted = before.slice(0, 5)
    for (const { id } of noted) await note(subject, id, `note on ${id}`)
    await hide(subject, first)
    expect(await everyTransaction(world, subject)).toEqual([])

    const publicToken = await world.bank.publicToken({ username: bankOf(subject) })
    const second = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await world.bank.change(second.plaidItemId, { history: 'historical' })
    await world.drain()
    expect(second.id).toBe(first.id)
    expect(second.plaidItemId).not.toBe(first.plaidItemId)
    const after = await expectTruth(world, subject, second.plaidItemId)
    expect(idsOf(after)).toEqual(idsOf(before))
    expect(new Map(after.map((row) => [row.id, known(row)]))).toEqual(
      new Map(before.map((row) => [row.id, known(row)])),
    )
    for (const { id } of noted)
      expect(after.find((row) => row.id === id)).toMatchObject({ note: `note on ${id}`, userCategory: 'MINE' })
    expect((await accountsOf(world, subject)).map(({ id, closed }) => [id, closed])).toEqual(
      accounts.map(({ id, closed }) => [id, closed]),
    )
    await reconcile(world.job())
    expect(await world.sql('select * from plaid_removals')).toEqual([])
  })

  it('is shown at once, with what it had', async () => {
    const subject = 'at once'
    const { before } = await ancestor(subject)
    await linkSmallBank(world, subject)
    await expectSame(subject, before)
  })

  it('continues a second and a third time', async () => {
    const subject = 'three links'
    const { item, before } = await ancestor(subject)
    for (const epoch of ['1', '2', '3']) {
      const again = await link(subject)
      expect(again.id).toBe(item.id)
      await expectTruth(world, subject, again.plaidItemId)
      await expectSame(subject, before)
      expect(await rowOf(world, item)).toMatchObject({ link_epoch: epoch, status: 'healthy' })
      if (epoch !== '3') await hide(subject, again)
    }
    await heal(world)
    expect(await expectAtRest(world, subject)).not.toBeNull()
  })

  it('removes the old item and keeps the new one while the old removal is not confirmed', async () => {
    const subject = 'old one pending'
    const item = await link(subject)
    const before = await everyTransaction(world, subject)
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await hide(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removing' })
    const again = await link(subject)
    expect(again.id).toBe(item.id)
    expect(new Set(await heldAtPlaid(world, subject))).toEqual(new Set([item.plaidItemId, again.plaidItemId]))
    await heal(world)
    expect(await heldAtPlaid(world, subject)).toEqual([again.plaidItemId])
    expect(idsOf(await expectTruth(world, subject, again.plaidItemId))).toEqual(idsOf(before))
  })

  it('is a new item when the old one was purged', async () => {
    const subject = 'purged'
    const { item, before } = await ancestor(subject)
    await world.sql("update items set purge_at = now() - interval '1 minute' where id = $1", [item.id])
    await reconcile(world.job())
    const again = await link(subject)
    expect(again.id).not.toBe(item.id)
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(after.filter(({ id }) => idsOf(before).has(id))).toEqual([])
    expect(after.map((row) => row.note)).toEqual(after.map(() => null))
  })

  it('is a new item where it is another bank, or another user', async () => {
    const subject = 'not the same'
    const { item } = await ancestor(subject)
    const other = await link(subject, { bank: smallBank('another', { accounts: [['Other', '7777', 2]] }) })
    expect(other.id).not.toBe(item.id)
    const theirs = await link('somebody else', { bank: smallBank(subject) })
    expect(theirs.id).not.toBe(item.id)
    expect((await link(subject)).id).toBe(item.id)
  })
})

describe('a bank whose link was lost', () => {
  it('continues with the next link after a revocation, and the old item is removed at Plaid', async () => {
    const subject = 'revoked'
    const item = await link(subject)
    const before = await everyTransaction(world, subject)
    await world.bank.change(item.plaidItemId, { revoke: true })
    await expect
      .poll(async () => {
        await settle(world)
        return await rowOf(world, item)
      })
      .toMatchObject({ status: 'revoked', status_reason: 'USER_PERMISSION_REVOKED' })
    const again = await link(subject)
    expect(again.id).toBe(item.id)
    expect(idsOf(await expectTruth(world, subject, again.plaidItemId))).toEqual(idsOf(before))
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', status_reason: null, purge_at: null })
    await heal(world)
    expect(await expectAtRest(world, subject)).toBe(again.plaidItemId)
  })

  it('removes the old item at Plaid when only a new link helps', async () => {
    const subject = 'lost'
    const item = await link(subject)
    const before = await everyTransaction(world, subject)
    await world.bank.change(item.plaidItemId, {
      login_required: { error_code: 'INSTITUTION_NO_LONGER_SUPPORTED' },
      silent: true,
    })
    await requestSync(world.user(subject), item.id)
    await world.drain()
    expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required' })
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    const again = await link(subject)
    expect(again.id).toBe(item.id)
    expect(await world.sql('select plaid_item_id, reason from plaid_removals')).toEqual([
      { plaid_item_id: item.plaidItemId, reason: 'replaced' },
    ])
    await reconcile(world.job())
    expect(await heldAtPlaid(world, subject)).toEqual([again.plaidItemId])
    expect(idsOf(await expectTruth(world, subject, again.plaidItemId))).toEqual(idsOf(before))
  })
})

describe('what the bank did between two links', () => {
  it('a pending transaction that posts meanwhile keeps its note', async () => {
    const subject = 'posts'
    const pending = { add: [{ name: 'Dinner', amount: 41.5, pending: true }] }
    const { before } = await ancestor(subject, { meanwhile: pending })
    const dinner = byName(before, 'Dinner')
    expect(dinner).toMatchObject({ pending: true })
    const again = await link(subject, { meanwhile: { post_pending: { name: 'DINNER 0042 NYC', amount: 41.5 } } })
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(idsOf(after)).toEqual(idsOf(before))
    expect(byName(after, 'DINNER 0042 NYC')).toMatchObject({ id: dinner?.id, pending: false, note: 'note on Dinner' })
  })

  it('one that posts meanwhile with another amount keeps its note too', async () => {
    const subject = 'posts with a tip'
    const { before } = await ancestor(subject, {
      meanwhile: { add: [{ name: 'Dinner', amount: 41.5, pending: true }] },
    })
    const again = await link(subject, { meanwhile: { post_pending: { name: 'Dinner', amount: 49.8 } } })
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(idsOf(after)).toEqual(idsOf(before))
    expect(byName(after, 'Dinner')).toMatchObject({ pending: false, amount: '49.8', note: 'note on Dinner' })
  })

  it('one that is still pending posts after the relink, with its note', async () => {
    const subject = 'posts later'
    const { before } = await ancestor(subject, {
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
    const { item, before } = await ancestor(subject, { meanwhile: odd })
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
    const { before } = await ancestor(subject, { meanwhile: { add: [coffee, coffee, coffee] } })
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
    const { before } = await ancestor(subject)
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
    const { before } = await ancestor(subject, { bank })
    // In the sandbox a link can ask for three months alone.
    const publicToken = await world.bank.publicToken({ username: bank.username, password: bank.password })
    const again = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await letHistoryArrive(world, again)
    const told = (await world.bank.truth(again.plaidItemId)).transactions.length
    expect(told).toBeLessThan(before.length)
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
    const { before } = await ancestor(subject)
    const again = await link(subject, { history: 'initial' })
    await expectSame(subject, before)
    // Also what is edited between the steps, on either side of the first one's reach.
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
    const { before } = await ancestor(subject)
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
    const subject = 'not told yet'
    const { before } = await ancestor(subject)
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

describe('a run of the old link that is still in progress', () => {
  it('is superseded: nothing of it is stored', async () => {
    const subject = 'superseded'
    const item = await link(subject)
    const before = await everyTransaction(world, subject)
    await world.bank.change(item.plaidItemId, { add: [{ name: 'Seen by the old link', amount: 7 }], silent: true })
    await requestSync(world.user(subject), item.id)
    const messages = world.queue.splice(0)
    let again: Item | undefined
    await world.consume(
      messages,
      withPlaid(world.services, {
        async syncTransactions(...args) {
          const answer = await world.services.plaid.syncTransactions(...args)
          if (again === undefined) {
            await hide(subject, item)
            again = await link(subject)
          }
          return answer
        },
      }),
    )
    expect(again?.id).toBe(item.id)
    const after = await expectTruth(world, subject, again?.plaidItemId ?? '')
    expect(after.filter(({ name }) => name === 'Seen by the old link')).toHaveLength(1)
    expect([...idsOf(before)].filter((id) => !idsOf(after).has(id))).toEqual([])
    await heal(world)
    expect(await expectAtRest(world, subject)).toBe(again?.plaidItemId)
  })
})

describe('a client that follows the change feed through removals, relinks and purges', () => {
  it('ends with the listed rows, from any starting point', async () => {
    const subject = 'feed'
    const followers: Follower[] = []
    /** A follower who is up to date now, and reads on at the end. */
    const joinNow = async () => {
      const follower = follow(world, subject)
      await follower.catchUp(3)
      expect(follower.copy).toEqual(await listed(world, subject))
      followers.push(follower)
    }
    const steady = follow(world, subject)
    const step = async () => {
      await joinNow()
      await steady.catchUp(2)
      expect(steady.copy).toEqual(await listed(world, subject))
    }
    const first = await link(subject)
    await step()
    const [some] = await everyTransaction(world, subject)
    await note(subject, some?.id ?? '', 'before the end')
    await step()
    await hide(subject, first)
    await step()
    expect(steady.copy.size).toBe(0)
    const second = await link(subject, { meanwhile: { add: 2, remove: 1 }, history: 'initial' })
    await step()
    await world.bank.change(second.plaidItemId, { history: 'historical', silent: true })
    await sync(second)
    await step()
    expect(steady.copy.size).toBeGreaterThan(0)
    const { plaidItemId } = second
    await world.sql("update items set status = 'relink_required' where id = $1", [second.id])
    const third = await link(subject, { meanwhile: { modify: 1, post_pending: true } })
    expect(third.plaidItemId).not.toBe(plaidItemId)
    await step()
    await removeItem(world.user(subject), third.id, { purge: true })
    await step()
    const fourth = await link(subject)
    expect(fourth.id).not.toBe(third.id)
    await step()
    for (const follower of followers) {
      await follower.catchUp(4)
      expect(follower.copy).toEqual(await listed(world, subject))
    }
    await letTimePass(world)
  })
})
