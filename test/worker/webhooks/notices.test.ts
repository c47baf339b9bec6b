// What the user sees of an item after a webhook about it.
import { afterEach, describe, expect, it } from 'vitest'
import { getItem } from '../../../src/db/items/items.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync, nextDelivery } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { receiving } from './receiving.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})
const { relay, marks, callsOf, statusOf } = receiving(() => world)

describe('a notice', () => {
  it('is visible after a disconnection until the institution reports the repair', async () => {
    const item = await linkAndSync(world, 'disconnect')
    await world.bank.change(item.plaidItemId, { pending_disconnect: { reason: 'INSTITUTION_TOKEN_EXPIRATION' } })
    const delivery = await nextDelivery(world, item, 'PENDING_DISCONNECT')
    await world.deliver(delivery)
    const expected = { status: 'pending_disconnect', reason: 'INSTITUTION_TOKEN_EXPIRATION', action: 'update' }
    expect(await statusOf('disconnect', item.id)).toEqual(expected)
    // The item's sync finds no error at Plaid.
    await world.drain()
    expect(await statusOf('disconnect', item.id)).toEqual(expected)
    const shown = await getItem(world.services.api, world.user('disconnect').actor.identity, item.id)
    expect(shown?.disconnectAt?.getTime()).toBeGreaterThan(Date.now())
    await relay(JSON.stringify({ webhook_type: 'ITEM', webhook_code: 'LOGIN_REPAIRED', item_id: item.plaidItemId }))
    expect(await marks(item.id)).toMatchObject({ item: 1, balances: 1, transactions: 1 })
    await world.drain()
    expect(await statusOf('disconnect', item.id)).toEqual({ status: 'healthy', reason: null, action: null })
    // A late copy changes nothing.
    await world.deliver(delivery)
    await world.drain()
    expect(await statusOf('disconnect', item.id)).toEqual({ status: 'healthy', reason: null, action: null })
  })

  it('is visible with its date after an expiration', async () => {
    const item = await linkAndSync(world, 'expiration')
    const time = new Date(Date.now() + 86_400_000)
    await world.bank.change(item.plaidItemId, { pending_expiration: { consent_expiration_time: time.toISOString() } })
    await world.deliver(await nextDelivery(world, item, 'PENDING_EXPIRATION'))
    expect(await statusOf('expiration', item.id)).toMatchObject({ status: 'pending_expiration', action: 'update' })
    await world.drain()
    expect(await statusOf('expiration', item.id)).toMatchObject({ status: 'pending_expiration', action: 'update' })
    const shown = await getItem(world.services.api, world.user('expiration').actor.identity, item.id)
    expect(shown?.consentExpiresAt).toEqual(time)
  })

  it('ends the item after a revocation, and no later webhook revives it', async () => {
    const item = await linkAndSync(world, 'revoked')
    await world.bank.change(item.plaidItemId, { revoke: true })
    await world.deliver(await nextDelivery(world, item, 'USER_PERMISSION_REVOKED'))
    const expected = { status: 'revoked', reason: 'USER_PERMISSION_REVOKED', action: 'relink' }
    expect(await statusOf('revoked', item.id)).toEqual(expected)
    for (const code of ['PENDING_DISCONNECT', 'PENDING_EXPIRATION', 'LOGIN_REPAIRED', 'ERROR'])
      await relay(JSON.stringify({ webhook_type: 'ITEM', webhook_code: code, item_id: item.plaidItemId }))
    const before = await callsOf(item)
    await world.drain()
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    expect(await statusOf('revoked', item.id)).toEqual(expected)
    expect(await callsOf(item)).toEqual(before)
  })

  it('asks the user to add new accounts', async () => {
    const item = await linkAndSync(world, 'accounts')
    await world.bank.change(item.plaidItemId, { new_account: true })
    await world.deliver(await nextDelivery(world, item, 'NEW_ACCOUNTS_AVAILABLE'))
    await world.drain()
    expect(await statusOf('accounts', item.id)).toEqual({ status: 'healthy', reason: null, action: 'add_accounts' })
  })

  it('closes the account after its revocation, which has no error', async () => {
    const item = await linkAndSync(world, 'one account')
    const { accounts } = await world.bank.truth(item.plaidItemId)
    await world.bank.change(item.plaidItemId, { revoke: { account_id: accounts[0]?.account_id } })
    await world.deliver(await nextDelivery(world, item, 'USER_ACCOUNT_REVOKED'))
    await world.drain()
    expect(await world.sql('select plaid_account_id from accounts where item_id = $1 and closed', [item.id])).toEqual([
      { plaid_account_id: accounts[0]?.account_id },
    ])
  })
})
