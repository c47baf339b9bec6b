// One queued message a product: a product that is queued or being read is not enqueued again, and no dirty mark is
// lost.
import { describe, expect, it } from 'vitest'
import { recordEvent, type WebhookEvent } from '../../../src/db/operations/webhook-events.ts'
import { claimMessages } from '../../../src/db/sync/message-claims.ts'
import { coalesced } from '../../../src/messages/coalesce.ts'
import type { SyncMessage } from '../../../src/messages/message.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const products = (messages: readonly SyncMessage[]) =>
  messages.flatMap((message) => ('item_product_id' in message ? [message.item_product_id] : []))

const productId = async (itemId: string, product: string) =>
  String(
    (await world.sql('select id from item_products where item_id = $1 and product = $2', [itemId, product]))[0]?.['id'],
  )

const webhookAbout = (plaidItemId: string): WebhookEvent => ({
  replayKey: crypto.randomUUID(),
  scheme: 'jwt',
  type: 'ITEM',
  code: 'WEBHOOK_UPDATE_ACKNOWLEDGED',
  plaidItemId,
  linkTokenDigest: null,
  payload: {},
})

const isDirty = async (id: string) =>
  (await world.sql('select (dirty_seq > synced_seq)::text as dirty from item_products where id = $1', [id]))[0]?.[
    'dirty'
  ]

const runsOf = async (id: string) =>
  (await world.sql('select 1 from sync_runs where item_product_id = $1', [id])).length

/** Services that run `meanwhile` during the first call to Plaid for an item. */
function withCallDuring(meanwhile: () => Promise<unknown>) {
  let once: (() => Promise<unknown>) | null = meanwhile
  const services: World['services'] = {
    ...world.services,
    plaidFor: (caller) => {
      const plaid = world.services.plaidFor(caller)
      return {
        ...plaid,
        getItem: async (token) => {
          const act = once
          once = null
          await act?.()
          return await plaid.getItem(token)
        },
      }
    },
  }
  return world.job(services)
}

describe('a product that is queued', () => {
  it('is not queued again, however often its user presses', async () => {
    const item = await linkAndSync(world, 'presses')
    for (let press = 0; press < 5; press += 1)
      expect(await requestSync(world.user('presses'), null)).toBe(item.products.length)
    expect(products(world.queue).toSorted()).toEqual([...new Set(products(world.queue))].toSorted())
    expect(world.queue).toHaveLength(item.products.length)
    await world.drain()
    await requestSync(world.user('presses'), null)
    expect(world.queue).toHaveLength(item.products.length)
  })

  it('is queued once for two presses at the same time', async () => {
    const item = await linkAndSync(world, 'two presses')
    const ids = await Promise.all(item.products.map(({ product }) => productId(item.id, product)))
    const claimed = await Promise.all(
      [1, 2, 3].map(() => claimMessages(world.services.jobs, ids, 0, { burst: 30, perSecond: 10 })),
    )
    expect(
      claimed
        .flat()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.toSorted())
  })

  it('is not queued again by the sweep until its message is lost', async () => {
    const item = await linkAndSync(world, 'lost message')
    await requestSync(world.user('lost message'), item.id)
    const ids = products(world.queue.splice(0))
    await sweep(world.job())
    expect(products(world.queue).filter((id) => ids.includes(id))).toEqual([])
    world.queue.length = 0
    await world.sql(`update item_products set woken_until = now() - interval '1 second' where id = any($1::uuid[])`, [
      `{${ids.join(',')}}`,
    ])
    await sweep(world.job())
    expect(
      products(world.queue)
        .filter((id) => ids.includes(id))
        .toSorted(),
    ).toEqual(ids.toSorted())
  })

  it('is queued by the next press where the queue refused the first', async () => {
    const item = await linkAndSync(world, 'refused')
    const ids = await Promise.all(item.products.map(({ product }) => productId(item.id, product)))
    const { jobs } = world.services
    const sent: string[] = []
    let refuses = true
    const enqueue = coalesced({
      jobs,
      send: (messages) => {
        const all = messages.map(({ id }) => id)
        if (!refuses) sent.push(...all)
        return Promise.resolve(refuses ? all : [])
      },
      log: { error: () => undefined },
    })
    expect(await enqueue(ids, 'user')).toEqual(ids)
    refuses = false
    expect(await enqueue(ids, 'user')).toEqual([])
    expect(sent).toEqual(ids)
  })

  it('is queued again after its message met an item that waits for its user', async () => {
    const item = await linkAndSync(world, 'waits')
    const id = await productId(item.id, 'transactions')
    await world.sql(`update items set status = 'needs_update' where id = $1`, [item.id])
    await requestSync(world.user('waits'), item.id)
    expect(await syncProduct(world.job(), id, 'user')).toEqual({ kind: 'idle', why: 'stopped' })
    expect(
      (await claimMessages(world.services.jobs, [id], 0, { burst: 1, perSecond: 1 })).map((message) => message.id),
    ).toEqual([id])
  })
})

describe('a product that is being read', () => {
  it('is read once more after a press, and not queued before it ends', async () => {
    const item = await linkAndSync(world, 'during')
    const id = await productId(item.id, 'item')
    const before = await runsOf(id)
    await requestSync(world.user('during'), item.id)
    world.queue.length = 0
    let queuedDuring: string[] = []
    await syncProduct(
      withCallDuring(async () => {
        await requestSync(world.user('during'), item.id)
        await requestSync(world.user('during'), item.id)
        queuedDuring = products(world.queue)
      }),
      id,
      'user',
    )
    expect(queuedDuring).not.toContain(id)
    expect(products(world.queue).filter((queued) => queued === id)).toEqual([id])
    expect(await isDirty(id)).toBe('true')
    await world.drain()
    expect(await isDirty(id)).toBe('false')
    expect(await runsOf(id)).toBe(before + 2)
  })

  it('is read once more after three webhooks, and queued once', async () => {
    const item = await linkAndSync(world, 'webhooks during')
    const id = await productId(item.id, 'item')
    await requestSync(world.user('webhooks during'), item.id)
    world.queue.length = 0
    await syncProduct(
      withCallDuring(async () => {
        for (let count = 0; count < 3; count += 1) {
          const { itemProductIds } = await recordEvent(
            world.services.jobs,
            webhookAbout(item.plaidItemId),
            ['item'],
            {},
          )
          expect(itemProductIds).toEqual([id])
          await world.services.enqueue(itemProductIds, 'webhook')
        }
      }),
      id,
      'webhook',
    )
    expect(products(world.queue).filter((queued) => queued === id)).toEqual([id])
    await world.drain()
    expect(await isDirty(id)).toBe('false')
  })

  it('is queued by a press that comes when its run has just ended', async () => {
    const item = await linkAndSync(world, 'after')
    const id = await productId(item.id, 'item')
    await requestSync(world.user('after'), item.id)
    world.queue.length = 0
    await syncProduct(world.job(), id, 'user')
    await requestSync(world.user('after'), item.id)
    expect(products(world.queue)).toContain(id)
  })
})

describe('one press for many products', () => {
  it('sends thirty at once and the rest at ten a second, in order', async () => {
    const item = await linkAndSync(world, 'many')
    const ids = Array.from({ length: 65 }, () => crypto.randomUUID())
    await world.sql(
      `insert into item_products (id, item_id, user_id, product)
       select n.id, i.id, i.user_id, 'made up ' || n.id from items i, unnest($2::uuid[]) as n(id) where i.id = $1`,
      [item.id, `{${ids.join(',')}}`],
    )
    const claimed = await claimMessages(world.services.jobs, ids, 0, { burst: 30, perSecond: 10 })
    expect(claimed.map(({ id }) => id)).toEqual(ids)
    const counts = Map.groupBy(claimed, ({ delaySeconds }) => delaySeconds)
    expect([...counts].map(([delay, { length }]) => [delay, length])).toEqual([
      [0, 30],
      [1, 10],
      [2, 10],
      [3, 10],
      [4, 5],
    ])
  })

  it('comes after the messages of earlier ones of its user, and of no other user', async () => {
    const [busy, other] = [await linkAndSync(world, 'busy'), await linkAndSync(world, 'not busy')]
    const made = async (itemId: string, count: number) => {
      const ids = Array.from({ length: count }, () => crypto.randomUUID())
      await world.sql(
        `insert into item_products (id, item_id, user_id, product)
         select n.id, i.id, i.user_id, 'made up ' || n.id from items i, unnest($2::uuid[]) as n(id) where i.id = $1`,
        [itemId, `{${ids.join(',')}}`],
      )
      return ids
    }
    const pace = { burst: 30, perSecond: 10 }
    const delaysOf = async (ids: readonly string[]) =>
      (await claimMessages(world.services.jobs, ids, 0, pace)).map(({ delaySeconds }) => delaySeconds)
    await delaysOf(await made(busy.id, 60))
    const [later, others] = [await made(busy.id, 2), await made(other.id, 2)]
    expect(await delaysOf([...later, ...others])).toEqual([4, 4, 0, 0])
  })
})

describe('the record of runs', () => {
  it('keeps a thousand of a product, for any number of requests', async () => {
    const item = await linkAndSync(world, 'many runs')
    const id = await productId(item.id, 'item')
    await world.sql(
      `insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, plaid_request_ids, started_at)
       select gen_random_uuid(), p.user_id, p.item_id, p.id, p.product, 'user', 'committed', '{}', now() - interval '1 day' * n
       from item_products p, generate_series(1, 1200) n where p.id = $1`,
      [id],
    )
    await world.sql('update item_products set dirty_seq = 31, synced_seq = 31 where id = $1', [id])
    await requestSync(world.user('many runs'), item.id)
    await world.drain()
    expect(await runsOf(id)).toBeLessThan(1010)
    expect(await runsOf(id)).toBeGreaterThanOrEqual(1000)
  })
})
