// Items that Plaid no longer accepts. A few are lost. Many together point to a mistake of the operator: the breaker
// keeps the other items, an alarm is logged, and a recheck restores the lost ones.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSecret } from '../../../src/crypto/secret.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { sealAccessToken } from '../../../src/custody/access-token.ts'
import { recheckItem } from '../../../src/items/recheck-item.ts'
import { remindOfLosses } from '../../../src/items/remind-of-losses.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { expectTruth } from '../../support/equality.ts'
import { codeOf, letTimePass, linkSmallBank, rotate, rowOf, useWorld } from '../../support/item-lifecycle.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const breaker = async () =>
  (await world.sql("select state from safety_switches where name = 'item_loss'"))[0]?.['state']
const setBreaker = (state: string) =>
  world.sql("update safety_switches set state = $1 where name = 'item_loss'", [state])
const wrongKeys = () => world.bank.fault({ endpoint: '*', times: 100_000, error: 'INVALID_ACCESS_TOKEN' })
const alarms = () =>
  world.lines.filter((line) => line.includes('"item_losses_stopped"') && line.includes('"level":"error"'))

/** Linked once for all tests. Each test begins with all of them healthy and no other items. */
const items: Item[] = []
beforeAll(async () => {
  for (let index = 0; index < 6; index += 1) items.push(await linkSmallBank(world, `loss ${index}`))
}, 180_000)

function itemAt(index: number): Item {
  const item = items[index]
  if (item === undefined) throw new Error(`there is no item ${index}`)
  return item
}

/** The ids as the text of a PostgreSQL array. */
const idsOf = (chosen: readonly Item[]): string => `{${chosen.map(({ id }) => id).join(',')}}`

/** Adds items to the database alone, of which `lost` were lost a minute ago and the rest are healthy. */
const addOthers = (count: number, lost: number) =>
  world.sql(
    `insert into items (user_id, plaid_item_id, access_token_sealed, status, lost_at)
     select (select id from users limit 1), 'other ' || n || gen_random_uuid(), 'sealed',
       case when n <= $2::int then 'relink_required' else 'healthy' end, case when n <= $2::int then now() - interval '1 minute' end
     from generate_series(1, $1::int) n`,
    [String(count), String(lost)],
  )

async function lostItems(): Promise<number> {
  const rows = await Promise.all(items.map((item) => rowOf(world, item)))
  return rows.filter(({ status }) => status === 'relink_required').length
}

async function syncAll(chosen: readonly Item[] = items): Promise<void> {
  for (const item of chosen) await odd.sync(item, 'item')
}

beforeEach(async () => {
  await world.sql('delete from plaid_removals')
  await world.sql('delete from items where id <> all($1::uuid[])', [idsOf(items)])
  await world.sql(
    "update items set status = 'healthy', status_reason = null, lost_at = null, rotation_started_at = null",
  )
  world.queue.length = 0
  await setBreaker('armed')
  world.lines.length = 0
})

describe('many items whose access tokens Plaid refuses', () => {
  it('loses three of six items, keeps the others as they are and retriable, and logs one alarm', async () => {
    await wrongKeys()
    await syncAll()
    expect(await lostItems()).toBe(3)
    expect(await breaker()).toBe('tripped')
    expect(alarms()).toHaveLength(1)
    const [held] = await world.sql(
      `select i.status as item, p.status, p.last_error, p.dirty_seq > p.synced_seq as dirty, extract(epoch from p.next_attempt_at - now())::int as due
       from items i join item_products p on p.item_id = i.id where i.id = $1 and p.product = 'item'`,
      [itemAt(4).id],
    )
    expect(held).toMatchObject({ item: 'healthy', status: 'error', dirty: 't' })
    expect(held?.['last_error']).toMatch(/does not accept the connection at the moment/)
    expect(Number(held?.['due'])).toBeLessThanOrEqual(3600)

    await remindOfLosses(world.job())
    expect(alarms()).toHaveLength(2)
    await world.bank.clearFaults()
    await syncAll(items.slice(4))
    expect(await lostItems()).toBe(3)
  })

  it('loses three of six items that are looked at in the same moment', async () => {
    const rows = await world.sql(
      `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where product = 'item' and item_id = any($1::uuid[]) returning id`,
      [idsOf(items)],
    )
    await wrongKeys()
    await Promise.all(rows.map(({ id }) => world.consume([{ item_product_id: String(id), reason: 'user' }])))
    expect(await lostItems()).toBe(3)
    expect(alarms()).toHaveLength(1)
  })

  it('loses exactly twenty of many', async () => {
    await addOthers(120, 19)
    await wrongKeys()
    await syncAll()
    expect(await lostItems()).toBe(1)
    expect(await breaker()).toBe('tripped')
  })

  it.each([
    ['are fewer than a fifth', 14, 2, 'now'],
    ['were lost earlier than ten minutes ago', 8, 7, 'earlier'],
  ])('continues if items %s', async (_name, others, lost, when) => {
    await addOthers(others, lost)
    if (when === 'earlier') await world.sql("update items set lost_at = lost_at - interval '10 minutes'")
    await wrongKeys()
    await syncAll(items.slice(0, 1))
    expect(await breaker()).toBe('armed')
    expect(await lostItems()).toBe(1)
  })

  it('loses them all where an operator has switched the breaker off', async () => {
    await setBreaker('off')
    await wrongKeys()
    await syncAll()
    expect(await lostItems()).toBe(6)
    expect(await breaker()).toBe('off')
  })

  it('does not take a dead token for the end of an item that its user removes', async () => {
    const item = await linkSmallBank(world, 'removed')
    await setBreaker('tripped')
    await world.bank.fault({ endpoint: '/item/remove', times: 100, error: 'INVALID_ACCESS_TOKEN' })
    await world.bank.fault({ endpoint: '/user/items/remove', times: 100, error: 'INVALID_API_KEYS' })
    await removeItem(world.user('removed'), item.id, { purge: false })
    const removals = () =>
      world.sql('select last_error from plaid_removals where plaid_item_id = $1', [item.plaidItemId])
    expect(await removals()).toEqual([{ last_error: 'INVALID_ACCESS_TOKEN' }])
    await world.bank.clearFaults()
    await letTimePass(world)
    await reconcile(world.job())
    expect(await removals()).toEqual([])
  })
})

describe('a recheck', () => {
  it('takes an item back that Plaid still knows, reads everything of it, and arms the breaker again', async () => {
    await wrongKeys()
    await syncAll()
    expect(await breaker()).toBe('tripped')
    await world.bank.clearFaults()
    const first = itemAt(0)
    await world.bank.change(first.plaidItemId, { history: 'historical', silent: true })
    expect(await recheckItem(world.job(), first.id)).toEqual({ isKnown: true, queued: expect.any(Number) })
    expect(await rowOf(world, first)).toMatchObject({ status: 'initializing', status_reason: null, lost_at: null })
    expect(await breaker()).toBe('armed')
    await world.drain()
    expect(await rowOf(world, first)).toMatchObject({ status: 'healthy' })
    await expectTruth(world, 'loss 0', first.plaidItemId)
  })

  it('leaves an item lost that Plaid does not know, and the breaker as it is', async () => {
    const item = itemAt(1)
    await world.bank.fault({ endpoint: '/item/get', times: 2, error: 'ITEM_NOT_FOUND' })
    await odd.sync(item, 'item')
    await setBreaker('tripped')
    expect(await recheckItem(world.job(), item.id)).toEqual({ isKnown: false, queued: 0 })
    expect(await lostItems()).toBe(1)
    expect(await breaker()).toBe('tripped')
    expect(world.queue).toEqual([])
  })

  it('changes nothing if Plaid does not respond', async () => {
    const item = itemAt(1)
    await world.bank.fault({ endpoint: '/item/get', times: 1, error: 'INVALID_ACCESS_TOKEN' })
    await odd.sync(item, 'item')
    await world.bank.fault({ endpoint: '/item/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    expect(await codeOf(recheckItem(world.job(), item.id))).toBe('plaid_unavailable')
    expect(await lostItems()).toBe(1)
  })

  it('takes back the removal at Plaid of an item whose new token seemed to be lost', async () => {
    const item = itemAt(1)
    await world.sql("update items set rotation_started_at = now() - interval '10 minutes' where id = $1", [item.id])
    await world.bank.fault({ endpoint: '/item/get', times: 1, error: 'INVALID_ACCESS_TOKEN' })
    await odd.sync(item, 'item')
    expect(await rowOf(world, item)).toMatchObject({ status_reason: 'ACCESS_TOKEN_LOST' })
    await world.bank.fault({ endpoint: '/user/items/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await reconcile(world.job())
    expect(await world.sql('select reason from plaid_removals')).toEqual([{ reason: 'token_lost' }])
    await recheckItem(world.job(), item.id)
    expect(await world.sql('select reason from plaid_removals')).toEqual([])
    expect(await rowOf(world, item)).toMatchObject({ status: 'initializing', rotation_started_at: null })
  })

  it('finds no removed item, and refuses one whose user withdrew their permission', async () => {
    const item = itemAt(1)
    const other = await linkSmallBank(world, 'neither')
    await world.sql("update items set status = 'revoked' where id = $1", [item.id])
    expect(await codeOf(recheckItem(world.job(), item.id))).toBe('conflict')
    await removeItem(world.user('neither'), other.id, { purge: false })
    expect(await codeOf(recheckItem(world.job(), other.id))).toBe('not_found')
  })
})

describe('an access token of another environment of Plaid', () => {
  it('is not sent, changes no state, and is logged as an error', async () => {
    const item = await linkSmallBank(world, 'foreign')
    const row = await rowOf(world, item)
    const owner = { userId: String(row['user_id']), itemId: item.id }
    const foreign = createSecret(`access-production-${crypto.randomUUID()}`)
    await world.sql('update items set access_token_sealed = $2 where id = $1', [
      item.id,
      await sealAccessToken(world.services.keyring, foreign, owner),
    ])
    world.queue.length = 0
    const calls = (await world.bank.calls()).length
    for (const product of ['item', 'balances', 'transactions']) await odd.sync(item, product)
    expect(await codeOf(rotate(world, world.user('foreign'), item.id))).toBe('misconfigured')
    expect(await world.bank.calls()).toHaveLength(calls)
    expect(await rowOf(world, item)).toMatchObject({ status: 'initializing', rotation_started_at: null })
    const logged = world.lines.filter((line) => line.includes('ACCESS_TOKEN_OF_ANOTHER_ENVIRONMENT'))
    expect(logged.filter((line) => line.includes('"level":"error"')).length).toBeGreaterThanOrEqual(3)

    await world.bank.fault({ endpoint: '*', times: 1, error: 'INTERNAL_SERVER_ERROR' })
    await removeItem(world.user('foreign'), item.id, { purge: false })
    expect(await world.sql('select last_error from plaid_removals')).toEqual([
      { last_error: 'ACCESS_TOKEN_OF_ANOTHER_ENVIRONMENT' },
    ])
  })
})
