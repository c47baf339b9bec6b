// A bank that is linked again continues under the same ids, with its notes and categories. No transaction is stored
// twice.
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { follow, type Follower, listed } from '../../support/feed.ts'
import {
  accountsOf,
  expectAtRest,
  heal,
  heldAtPlaid,
  letTimePass,
  linkSmallBank,
  rowOf,
  smallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { bankOf, linkAndSync, settle } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'
import { known, idsOf, relinking } from './relinking.ts'

let world: World
useWorld((made) => {
  world = made
})
const { note, hide, link, sync, predecessor, expectSame } = relinking(() => world)

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
    const { before } = await predecessor(subject)
    await linkSmallBank(world, subject)
    await expectSame(subject, before)
  })

  it('continues a second and a third time', async () => {
    const subject = 'three links'
    const { item, before } = await predecessor(subject)
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
    const { item, before } = await predecessor(subject)
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
    const { item } = await predecessor(subject)
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
    /** Starts a follower that reads the feed to its end now, and again at the end. */
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
