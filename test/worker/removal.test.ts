// Removal as an intent: hidden from its user at once, ended at Plaid as soon as Plaid can be told, whatever happens between.
import { describe, expect, it } from 'vitest'
import { getItem, type Item } from '../../src/db/items.ts'
import { removeItem } from '../../src/items/remove-item.ts'
import { reconcile } from '../../src/link/reconcile.ts'
import { everyTransaction } from '../support/equality.ts'
import {
  codeOf,
  expectAtRest,
  expectNoTokens,
  heal,
  heldAtPlaid,
  heldHere,
  letTimePass,
  linkAndSyncSmallBank,
  rotate,
  rowOf,
  userWith,
  useWorld,
} from '../support/life.ts'
import { mishaps, unlucky } from '../support/mishap.ts'
import { withPlaid } from '../support/with-plaid.ts'
import type { World } from '../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const linked = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)
const hide = { purge: false }
const plaidDown = () => world.bank.fault({ endpoint: '/item/remove', times: 50, error: 'INTERNAL_SERVER_ERROR' })
const pending = (item: Item) =>
  world.sql('select reason, attempts, last_error from plaid_removals where plaid_item_id = $1', [item.plaidItemId])

describe('while Plaid cannot be told', () => {
  async function removeWhileDown(subject: string, how: { purge: boolean }): Promise<Item> {
    const item = await linked(subject)
    await plaidDown()
    await removeItem(world.user(subject), item.id, how)
    return item
  }

  it.each([{ purge: false }, { purge: true }])('an item is hidden at once, and ended later (%o)', async (how) => {
    const subject = `down ${how.purge}`
    const item = await removeWhileDown(subject, how)
    expect(await getItem(world.services.api, world.user(subject).actor.identity, item.id)).toBeNull()
    expect(await everyTransaction(world, subject)).toEqual([])
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    expect(await pending(item)).toEqual([{ reason: 'removed', attempts: '1', last_error: 'INTERNAL_SERVER_ERROR' }])
    const told = world.lines.find((line) => line.includes('item_not_ended') && line.includes(item.plaidItemId))
    expect(told).toContain('"level":"error"')

    // It is not tried more often than it may be.
    await reconcile(world.job())
    expect(await pending(item)).toMatchObject([{ attempts: '1' }])
    await letTimePass(world)
    await reconcile(world.job())
    expect(await pending(item)).toMatchObject([{ attempts: '2' }])

    await world.bank.clearFaults()
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('an item is `removing`, and `removed` with Plaid’s word for it', async () => {
    const item = await removeWhileDown('states', hide)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removing' })
    await world.bank.clearFaults()
    await heal(world)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removed', access_token_sealed: '' })
  })

  it('what is purged is deleted all the same, and the token kept until Plaid has ended the item', async () => {
    const item = await removeWhileDown('purged while down', { purge: true })
    expect(await world.sql('select 1 as one from items where id = $1', [item.id])).toEqual([])
    const sealed = () =>
      world.sql('select access_token_sealed is not null as kept from plaid_removals where plaid_item_id = $1', [
        item.plaidItemId,
      ])
    expect(await sealed()).toEqual([{ kept: 't' }])
    await world.bank.clearFaults()
    await heal(world)
    expect(await sealed()).toEqual([])
  })

  it('an item that was removed may be removed again, and is asked for once', async () => {
    const subject = 'twice'
    const item = await linked(subject)
    await plaidDown()
    for (let time = 0; time < 3; time += 1) await removeItem(world.user(subject), item.id, hide)
    expect(await pending(item)).toHaveLength(1)
    await world.bank.clearFaults()
    await removeItem(world.user(subject), item.id, hide)
    expect(await pending(item)).toEqual([])
    expect(await rowOf(world, item)).toMatchObject({ status: 'removed' })
  })
})

describe('a removal', () => {
  it.each(mishaps)(
    'that %s at any call has happened in the end, or not begun',
    async (mishap) => {
      const first = await linked(`unharmed ${mishap}`)
      const unharmed = unlucky(world.services, 0, mishap)
      await removeItem(userWith(world, `unharmed ${mishap}`, unharmed.services), first.id, hide)
      expect(unharmed.calls).toEqual(['api', 'jobs', 'plaid.removeItem', 'jobs'])
      const cases: { subject: string; item: Item; at: number }[] = []
      for (let at = 1; at <= unharmed.calls.length; at += 1) {
        const subject = `removal ${mishap} ${at}`
        const item = await linked(subject)
        await codeOf(removeItem(userWith(world, subject, unlucky(world.services, at, mishap).services), item.id, hide))
        cases.push({ subject, item, at })
      }
      await heal(world)
      const begun = mishap === 'dies before' || mishap === 'fails before' ? 1 : 0
      for (const { subject, item, at } of cases)
        expect(await expectAtRest(world, subject)).toBe(at <= begun ? item.plaidItemId : null)
      await expectNoTokens(world)
    },
    120_000,
  )

  it('by two users of reconcile at once is asked of Plaid once', async () => {
    const subject = 'reconcilers'
    const item = await linked(subject)
    await plaidDown()
    await removeItem(world.user(subject), item.id, hide)
    await world.bank.clearFaults()
    await letTimePass(world)
    const asked = async () => (await world.bank.calls()).filter((call) => call.endpoint === '/item/remove').length
    const before = await asked()
    await Promise.all([1, 2, 3, 4].map(() => reconcile(world.job())))
    expect(await asked()).toBe(before + 1)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('of an item whose token is being rotated waits, and ends it with the new token', async () => {
    const subject = 'rotating'
    const item = await linked(subject)
    const rotating = withPlaid(world.services, {
      async invalidateAccessToken(token) {
        const answer = await world.services.plaid.invalidateAccessToken(token)
        await removeItem(world.user(subject), item.id, hide)
        expect(await rowOf(world, item)).toMatchObject({ status: 'removing' })
        return answer
      },
      // The way by Plaid's id of the user is not there for every item.
      removeUserItems: () => Promise.reject(new Error('not by the user')),
    })
    await rotate(world, userWith(world, subject, rotating), item.id)
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    await letTimePass(world)
    await reconcile(world.job(withPlaid(world.services, { removeUserItems: () => Promise.reject(new Error('no')) })))
    expect(await heldAtPlaid(world, subject)).toEqual([])
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('of an item whose token is dead goes by Plaid’s id of the user', async () => {
    const subject = 'dead token'
    const item = await linked(subject)
    const lost = withPlaid(world.services, {
      async invalidateAccessToken(token) {
        await world.services.plaid.invalidateAccessToken(token)
        throw new TypeError('the isolate died')
      },
    })
    await codeOf(rotate(world, userWith(world, subject, lost), item.id))
    await letTimePass(world)
    await removeItem(world.user(subject), item.id, hide)
    expect(await heldAtPlaid(world, subject)).toEqual([])
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('that Plaid did not carry out although it said so is made again', async () => {
    const subject = 'said so'
    const item = await linked(subject)
    const lying = withPlaid(world.services, {
      removeItem: () => Promise.resolve({ ok: true, value: {}, requestId: '' }),
    })
    await removeItem(userWith(world, subject, lying), item.id, hide)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removed' })
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    await heal(world, 3)
    expect(await expectAtRest(world, subject)).toBeNull()
  })
})

describe('an item whose permission was withdrawn', () => {
  it('is ended at Plaid too, and shown to its user until it is deleted', async () => {
    const subject = 'withdrawn'
    const item = await linked(subject)
    await world.sql("update items set status = 'revoked', status_reason = 'USER_PERMISSION_REVOKED' where id = $1", [
      item.id,
    ])
    await heal(world)
    expect(await heldAtPlaid(world, subject)).toEqual([])
    expect(await heldHere(world, subject)).toEqual([item.plaidItemId])
    expect(await rowOf(world, item)).toMatchObject({ status: 'revoked', purge_at: expect.any(String) })
    await world.sql("update items set purge_at = purge_at - interval '31 days' where id = $1", [item.id])
    await reconcile(world.job())
    expect(await heldHere(world, subject)).toEqual([])
  })
})
