// How many products the crons enqueue, and how they spread them: a sweep's messages over the time until the next sweep,
// stale products over hours.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { claimDue, releaseDue } from '../../../src/db/sync/due.ts'
import { limitsWith } from '../../../src/plaid/rate-limit/limits.ts'
import { markStaleProducts, mostMarkedOf, sweep } from '../../../src/sync/sweep.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
beforeEach(() => world.sql('truncate users cascade'))

/** Inserts items with one product each, which was synced this long ago and may be dirty. */
async function items(count: number, product: string, age: string, dirty: boolean): Promise<void> {
  await world.sql(`with u as (insert into users (issuer, subject) values ('scheduling', gen_random_uuid()::text) returning id),
    i as (insert into items (user_id, plaid_item_id, access_token_sealed, status)
      select u.id, gen_random_uuid()::text, 'none', 'healthy' from u, generate_series(1, ${count}) returning id, user_id)
    insert into item_products (item_id, user_id, product, status, dirty_seq, synced_seq, last_synced_at)
    select id, user_id, '${product}', 'ok', ${dirty ? 2 : 1}, 1, now() - interval '${age}' from i`)
}

interface Sent {
  readonly count: number
  readonly delaySeconds: number
}

/** The batches of messages that a sweep sends. */
async function swept(): Promise<Sent[]> {
  const sent: Sent[] = []
  const ctx: Ctx = world.job()
  const enqueue: Ctx['services']['enqueue'] = (ids, _reason, delaySeconds = 0) => {
    sent.push({ count: ids.length, delaySeconds })
    return Promise.resolve([])
  }
  await sweep({ ...ctx, services: { ...ctx.services, enqueue } })
  return sent
}

const total = (sent: readonly Sent[]): number => sent.reduce((sum, { count }) => sum + count, 0)

describe('a sweep', () => {
  it('enqueues at most what the queue processes until the next sweep, spread over that time', async () => {
    await items(9000, 'holdings', '1 hour', true)
    const sent = await swept()
    expect(total(sent)).toBe(7500)
    expect(Math.max(...sent.map(({ count }) => count))).toBe(100)
    // At most 25 messages a second in the five minutes, and the last before the next sweep.
    for (const [batch, { delaySeconds }] of sent.entries()) expect(delaySeconds).toBe(batch * 4)
    expect(sent.at(-1)?.delaySeconds).toBeLessThan(300)
  })

  it('enqueues few immediately', async () => {
    await items(60, 'holdings', '1 hour', true)
    expect(await swept()).toEqual([{ count: 60, delaySeconds: 0 }])
  })

  it('skips products that the last sweep enqueued, until their messages must have arrived', async () => {
    await items(9000, 'holdings', '1 hour', true)
    await swept()
    await world.sql("update item_products set next_attempt_at = next_attempt_at - interval '5 minutes'")
    expect(total(await swept())).toBe(1500)
    await world.sql("update item_products set next_attempt_at = next_attempt_at - interval '5 minutes'")
    expect(total(await swept())).toBe(7500)
  })

  it('probes five hundred items at most', async () => {
    await items(800, 'item', '1 hour', false)
    await swept()
    expect(await world.sql('select count(*) as n from item_products where dirty_seq > synced_seq')).toEqual([
      { n: '500' },
    ])
  })
})

describe('what is stale', () => {
  const spread = async () => {
    const [row] =
      await world.sql(`select count(*)::int as marked, count(distinct width_bucket(greatest(extract(epoch from next_attempt_at - now()), 0), 0, 28800, 24))::int as parts,
      max(extract(epoch from next_attempt_at - now()))::int as last from item_products where dirty_seq > synced_seq`)
    return { marked: Number(row?.['marked']), parts: Number(row?.['parts']), last: Number(row?.['last']) }
  }

  it('is spread over a third of its freshness after an outage', async () => {
    await items(6000, 'liabilities', '3 days', false)
    expect(await markStaleProducts(world.job())).toBe(6000)
    const { marked, parts, last } = await spread()
    expect([marked, parts]).toEqual([6000, 24])
    expect(last).toBeLessThanOrEqual(8 * 3600)
    expect(total(await swept())).toBeLessThan(100)
  })

  it('is marked before it is stale, and not much before', async () => {
    await items(10, 'transactions', '15 hours 50 minutes', false)
    expect(await markStaleProducts(world.job())).toBe(0)
    await items(10, 'transactions', '16 hours 10 minutes', false)
    expect(await markStaleProducts(world.job())).toBe(10)
  })

  it(
    'is marked in steps, and of each product as much as half of Plaid’s limit allows',
    { timeout: 60_000 },
    async () => {
      await items(7000, 'liabilities', '2 days', false)
      const { services } = world
      const { config } = services
      const plaid = { ...config.plaid, limits: { liabilities: { client: 200 } } }
      const job = world.job({ ...services, config: { ...config, plaid } })
      expect(await markStaleProducts(job)).toBe(6000)
      expect(await markStaleProducts(job)).toBe(1000)
      expect(mostMarkedOf(limitsWith({}), 'liabilities')).toBe(30_000)
      expect(mostMarkedOf(limitsWith({}), 'item')).toBe(150_000)
    },
  )
})

describe('a search for products uses keys where the statistics take the tables for empty', () => {
  beforeEach(async () => {
    await items(6000, 'liabilities', '1 minute', false)
    await world.sql('delete from items')
    for (const table of ['items', 'item_products']) await world.sql(`vacuum (analyze, truncate off) ${table}`)
  })

  // The login's limit of a minute would cancel a plan that compares each product with each item.
  it('marks stale products', async () => {
    await items(6000, 'liabilities', '3 days', false)
    expect(await markStaleProducts(world.job())).toBe(6000)
  })

  it('claims due products and releases them', async () => {
    await items(15_000, 'liabilities', '1 minute', true)
    const claim = await claimDue(world.services.jobs, 15_000, 600)
    expect(claim.ids).toHaveLength(15_000)
    expect(await releaseDue(world.services.jobs, claim, claim.ids)).toBe(15_000)
  })
})
