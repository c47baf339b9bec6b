// A sync run whose calls to Plaid are not admitted ends without an error, stays due, and continues where it stopped.
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import type { Admission, LimitedCall } from '../../../src/plaid/rate-limit/admission.ts'
import { createServices } from '../../../src/services.ts'
import type { Services } from '../../../src/context.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { linkAndSync } from '../../support/linked.ts'
import { expectTruth } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const spent = (seconds: number): Admission => ({ admitted: false, waitMs: seconds * 1000, by: 'client' })

/** Services whose rate limiter decides as the test says. */
function withQuota(admit: (call: LimitedCall) => Admission): Services {
  const quota = { admit: (call: LimitedCall) => Promise.resolve(admit(call)), refused: () => Promise.resolve() }
  const bindings = { SYNC_QUEUE: { sendBatch: () => Promise.resolve() }, PLAID_QUOTA: { getByName: () => quota } }
  const { plaid, plaidFor } = createServices(world.services.config, bindings)
  return { ...world.services, plaid, plaidFor }
}

const product = async (item: Item, name = 'transactions') => {
  const [row] = await world.sql(
    `select id, status, last_error, attempts, dirty_seq > synced_seq as dirty, lease_owner is null as free, cursor,
      extract(epoch from next_attempt_at - now())::int as due from item_products where item_id = $1 and product = $2`,
    [item.id, name],
  )
  return row ?? {}
}

async function dirtied(subject: string, add = 3): Promise<Item> {
  const item = await linkAndSync(world, subject)
  await world.bank.change(item.plaidItemId, { add, silent: true })
  await world.sql(
    "update item_products set dirty_seq = dirty_seq + 1 where item_id = $1 and product = 'transactions'",
    [item.id],
  )
  return item
}

describe('a run that is not granted its call', () => {
  it('stays due without an error when the sweep enqueued it, and continues from its position', async () => {
    const item = await dirtied('swept')
    const before = await product(item)
    world.queue.push({ item_product_id: String(before['id']), reason: 'sweep' })
    expect(await world.drain(withQuota(() => spent(40)))).toEqual(['ack'])
    expect(world.queue).toEqual([])
    const after = await product(item)
    expect(after).toMatchObject({ status: 'ok', last_error: null, attempts: '0', dirty: 't', free: 't' })
    expect(after['cursor']).toBe(before['cursor'])
    expect(Number(after['due'])).toBeGreaterThanOrEqual(38)
    expect(Number(after['due'])).toBeLessThanOrEqual(80)
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'swept', item.plaidItemId)
  })

  it('is enqueued again with its trigger when a user waits for it', async () => {
    const item = await dirtied('awaited')
    const { id } = await product(item)
    for (const reason of ['user', 'webhook', 'link'] as const) {
      world.queue.push({ item_product_id: String(id), reason })
      let calls = 0
      const services = withQuota(() => ((calls += 1) === 1 ? spent(40) : { admitted: true }))
      const handled = await world.drain(services)
      expect(handled).toEqual(['ack', 'ack'])
      await world.sql('update item_products set dirty_seq = dirty_seq + 1 where id = $1', [id])
    }
    await expectTruth(world, 'awaited', item.plaidItemId)
  })

  it('gets its priority from its trigger, with the item and the user', async () => {
    const item = await dirtied('priorities')
    const { id } = await product(item)
    const userId = (await world.sql('select user_id from items where id = $1', [item.id]))[0]?.['user_id']
    const seen: unknown[] = []
    const services = withQuota((call) => {
      seen.push([call.priority, call.itemId === item.id, call.userId === userId])
      return spent(60)
    })
    for (const reason of ['sweep', 'raised', 'again', 'user'] as const) {
      await world.sql('update item_products set next_attempt_at = now() where id = $1', [id])
      world.queue.push({ item_product_id: String(id), reason })
      await world.drain({ ...services, enqueue: () => Promise.resolve([]) })
    }
    expect(seen).toEqual([
      ['background', true, true],
      ['background', true, true],
      ['interactive', true, true],
      ['interactive', true, true],
    ])
  })
})

describe('a run that fails', () => {
  it('is retried by its message for a waiting user, and by the sweep alone when the sweep enqueued it', async () => {
    const item = await dirtied('outage')
    const { id } = await product(item)
    await world.bank.fault({ endpoint: '/transactions/sync', error: 'INTERNAL_SERVER_ERROR', times: 100 })
    for (const [reason, handled] of [
      ['user', [expect.any(Number)]],
      ['sweep', ['ack']],
    ] as const) {
      world.queue.push({ item_product_id: String(id), reason })
      expect([reason, await world.drain()]).toEqual([reason, handled])
    }
    await world.bank.clearFaults()
    expect(await product(item)).toMatchObject({ dirty: 't', free: 't' })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'outage', item.plaidItemId)
  })
})

describe('a run in the middle of its pages', () => {
  /** Admits the first call, gives the next calls these decisions, and admits the rest. */
  const afterFirst = (...answers: Admission[]) => {
    let calls = 0
    return withQuota(() => ((calls += 1) === 1 ? { admitted: true } : (answers.shift() ?? { admitted: true })))
  }

  it('waits for its minute and loses no page', async () => {
    const item = await dirtied('waits', 900)
    const waited: number[] = []
    world.queue.push({ item_product_id: String((await product(item))['id']), reason: 'sweep' })
    await world.drain({
      ...afterFirst(spent(50)),
      wait: (milliseconds) => Promise.resolve(void waited.push(milliseconds)),
    })
    expect(waited.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(50_000)
    expect(Math.max(...waited)).toBeLessThanOrEqual(20_000)
    expect(await product(item)).toMatchObject({ status: 'ok', dirty: 'f' })
    await expectTruth(world, 'waits', item.plaidItemId)
  })

  it('gives up where the wait is longer than a minute', async () => {
    const item = await dirtied('gives up', 900)
    world.queue.push({ item_product_id: String((await product(item))['id']), reason: 'sweep' })
    expect(await world.drain(afterFirst(spent(300)))).toEqual(['ack'])
    expect(await product(item)).toMatchObject({ dirty: 't', free: 't' })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'gives up', item.plaidItemId)
  })

  it('stops where its lease was lost while it waited', async () => {
    const item = await dirtied('lost', 900)
    const { id } = await product(item)
    world.queue.push({ item_product_id: String(id), reason: 'sweep' })
    const calls = (await world.bank.calls()).length
    await world.drain({
      ...afterFirst(spent(50)),
      wait: async () => {
        await world.sql('update item_products set lease_owner = gen_random_uuid() where id = $1', [id])
      },
    })
    expect(await product(item)).toMatchObject({ dirty: 't', free: 'f' })
    expect((await world.bank.calls()).length - calls).toBe(1)
    const runs = await world.sql("select 1 from sync_runs where item_product_id = $1 and trigger = 'sweep'", [id])
    expect(runs).toEqual([])
  })
})
