// The gauges of the database: what they count, and that they read no large table, with any statistics.
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { makeItem } from '../../../src/cli/bench/bank-rows.ts'
import { connect, type JobsDatabase } from '../../../src/db/core/client.ts'
import { claimDue } from '../../../src/db/sync/due.ts'
import { type DatabaseGauges, readGauges } from '../../../src/db/operations/gauges.ts'
import { connectStack, type TestDatabase } from '../../support/stack.ts'
import { runExplained, statementsOf } from '../../support/statement-plans.ts'

const stack = connectStack(inject('control'))
let database: TestDatabase
let owner: Client
let jobs: JobsDatabase
let userId: string
beforeAll(async () => {
  database = await stack.createDatabase()
  owner = new Client(database.ownerUrl)
  await owner.connect()
  jobs = connect('wn_jobs', database.jobsUrl, database.endpoint)
  userId = (await makeItem(owner, 'crowd')).userId
})
afterAll(async () => {
  await owner.end()
  await stack.dropDatabase(database.name)
})
beforeEach(async () => {
  await owner.query('delete from items')
  await owner.query('delete from plaid_removals')
})

const products = ['balances', 'transactions']
const gauges = (): Promise<DatabaseGauges> => readGauges(jobs, products)

/** Items in a state, whose two products were read so many hours ago. */
async function addItems(count: number, status: string, hours: number, product = 'pending'): Promise<void> {
  await owner.query(
    `with crowd as (insert into items (user_id, plaid_item_id, access_token_sealed, status, created_at)
        select $1, gen_random_uuid()::text, '', $2, now() - interval '30 hours' from generate_series(1, $3) returning id, user_id)
      insert into item_products (item_id, user_id, product, status, synced_seq, last_synced_at)
      select id, user_id, name, $5, 1, now() - make_interval(hours => $4)
      from crowd, (values ('transactions'), ('balances')) as p (name)`,
    [userId, status, count, hours, product],
  )
}

describe('the gauges', () => {
  it('count live items that were not read within a day once, for any number of products', async () => {
    await addItems(7, 'healthy', 2)
    await addItems(3, 'pending_disconnect', 26)
    await addItems(5, 'needs_update', 300)
    const { itemsByStatus, staleItems, overdueByProduct } = await gauges()
    expect(Object.fromEntries(itemsByStatus.map(({ status, count }) => [status, count]))).toEqual({
      healthy: 7,
      pending_disconnect: 3,
      needs_update: 5,
    })
    expect(staleItems).toBe(3)
    expect(overdueByProduct.map(({ product, products: stale }) => [product, stale])).toEqual([
      ['balances', 3],
      ['transactions', 3],
    ])
    for (const { seconds } of overdueByProduct) expect(seconds / 3600).toBeCloseTo(2, 1)
  })

  it('count no item whose bank is down, but its overdue products', async () => {
    await addItems(4, 'institution_down', 26)
    await addItems(1, 'healthy', 26)
    const { staleItems, overdueByProduct } = await gauges()
    expect(staleItems).toBe(1)
    expect(overdueByProduct.map(({ products: stale }) => stale)).toEqual([5, 5])
  })

  it('count an item once that is stale and has no transactions yet', async () => {
    await addItems(2, 'initializing', 26)
    expect((await gauges()).staleItems).toBe(2)
  })

  it('count as due what the next sweep claims', async () => {
    const dueAfter = async (change: string): Promise<number> => {
      await owner.query('delete from items')
      await addItems(1, 'healthy', 1)
      await owner.query("update item_products set dirty_seq = 2, next_attempt_at = now() - interval '1 minute'")
      await owner.query(change)
      const { dueProducts } = await gauges()
      expect((await claimDue(jobs, 100, 60)).ids).toHaveLength(dueProducts)
      return dueProducts
    }
    const on = (assignment: string) => `update item_products set ${assignment} where product = 'balances'`
    expect(await dueAfter('select 1')).toBe(2)
    expect(await dueAfter(on("woken_until = now() + interval '1 minute'"))).toBe(1)
    expect(await dueAfter(on("lease_expires_at = now() + interval '1 minute'"))).toBe(1)
    expect(await dueAfter(on("next_attempt_at = now() + interval '1 minute'"))).toBe(1)
    expect(await dueAfter("update items set status = 'needs_update'")).toBe(0)
    expect(await dueAfter("update users set not_allowed = '{linking_and_sync}'")).toBe(0)
    await owner.query("update users set not_allowed = '{}'")
  })

  it('count no product that Plaid refuses or whose person does not allow syncs', async () => {
    await addItems(2, 'healthy', 30, 'absent')
    expect((await gauges()).staleItems).toBe(0)
    await addItems(2, 'healthy', 30)
    expect((await gauges()).staleItems).toBe(2)
    await owner.query("update users set not_allowed = '{linking_and_sync}' where id = $1", [userId])
    expect((await gauges()).staleItems).toBe(0)
    await owner.query("update users set not_allowed = '{}' where id = $1", [userId])
  })

  it('count current items when overdue ones exceed the cap', async () => {
    await addItems(6, 'healthy', 2)
    await addItems(9, 'healthy', 30)
    await addItems(4, 'needs_update', 2)
    expect(await readGauges(jobs, products, 10)).toMatchObject({ staleItems: 9, freshItems: null })
    expect(await readGauges(jobs, products, 9)).toMatchObject({ freshItems: 6 })
    expect(await readGauges(jobs, products, 3)).toMatchObject({ freshItems: 6 })
  })

  it('count no item whose bank is down among those that were read instead', async () => {
    await addItems(6, 'healthy', 2)
    await addItems(9, 'healthy', 30)
    await addItems(5, 'institution_down', 2)
    await addItems(3, 'institution_down', 30)
    expect(await readGauges(jobs, products, 9)).toMatchObject({ staleItems: 9, freshItems: 6 })
  })

  it('count items that were linked a day ago and never read', async () => {
    await owner.query(
      `insert into items (user_id, plaid_item_id, access_token_sealed, created_at) values
        ($1, 'old', '', now() - interval '25 hours'), ($1, 'new', '', now())`,
      [userId],
    )
    expect((await gauges()).staleItems).toBe(1)
  })

  it('show what waits: due products, exchanges, removals, dead letters', async () => {
    await addItems(2, 'healthy', 1)
    await owner.query("update item_products set dirty_seq = 2, next_attempt_at = now() - interval '1 minute'")
    await owner.query(
      `insert into plaid_removals (user_id, plaid_item_id, reason, created_at) values
        ($1, 'one', 'orphan', now() - interval '2 hours'), ($1, 'two', 'orphan', now())`,
      [userId],
    )
    await owner.query(
      `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, created_at) values
        (gen_random_uuid(), $1, 'a', 'started', false, now(), now() - interval '1 hour'),
        (gen_random_uuid(), $1, 'b', 'linked', false, now(), now())`,
      [userId],
    )
    await owner.query(
      `insert into dead_letters (queue, message_id, reason, payload, replayed_at) values
        ('q', '1', 'malformed', '{}', null), ('q', '2', 'malformed', '{}', now())`,
    )
    const found = await gauges()
    expect(found).toMatchObject({
      dueProducts: 4,
      openDeadLetters: 1,
      openExchanges: { count: 1 },
      removals: [{ reason: 'orphan', count: 2 }],
    })
    expect(found.openExchanges.seconds / 3600).toBeCloseTo(1, 1)
    expect((found.removals[0]?.seconds ?? 0) / 3600).toBeCloseTo(2, 1)
    expect(found.connections.used).toBeGreaterThan(0)
    expect(found.connections.most).toBeGreaterThan(found.connections.used)
  })

  it('know the last complete backup and the last that was restored', async () => {
    expect(await gauges()).toMatchObject({ lastBackup: null, lastVerifiedRestore: null })
    await owner.query(
      `insert into backups (id, place, state, started_at, verified_at) values
        ('a', 'bucket', 'complete', '2031-03-04T05:06:07Z', '2031-03-09T00:00:00Z'),
        ('b', 'bucket', 'complete', '2031-03-05T05:06:07Z', null),
        ('c', 'bucket', 'failed', '2031-03-06T05:06:07Z', null)`,
    )
    expect(await gauges()).toMatchObject({
      lastBackup: new Date('2031-03-05T05:06:07Z'),
      lastVerifiedRestore: new Date('2031-03-09T00:00:00Z'),
    })
  })
})

describe('their statements', () => {
  it('read a large table by an index, and no row of a product that was read within a day', async () => {
    await addItems(3000, 'healthy', 2)
    await addItems(4, 'healthy', 30)
    await addItems(3000, 'needs_update', 300)
    const steps = await runExplained(owner, await statementsOf(gauges))
    const named = steps.filter(({ name }) => /item_products|items|users|audit_log|transactions/.test(name))
    expect(named.filter(({ name }) => name.startsWith('Seq Scan'))).toEqual([])
    expect(named.some(({ name }) => name.endsWith(' transactions'))).toBe(false)
    const read = (table: string) =>
      named.filter(({ name }) => name.endsWith(` ${table}`)).map(({ name, rows }) => [name.split(' Scan')[0], rows])
    expect(Math.max(...read('item_products').map(([, rows]) => Number(rows)))).toBe(4 * products.length)
    // The states of all items, from the index alone.
    expect(read('items')).toContainEqual(['Index Only', 6004])
  })

  it('count events that are due, of endpoints that do not fail, and say how long the oldest has been', async () => {
    const nothing = (await gauges()).dueDeliveries
    expect(nothing).toEqual([])
    const application = crypto.randomUUID()
    await owner.query("insert into applications (id, name, issuer) values ($1, 'app', 'issuer')", [application])
    const add = async (columns: string, application_id: string | null, state: string, minutes: number) =>
      await owner.query(
        `with e as (insert into webhook_endpoints (application_id, url, secret_sealed, state, failures)
            values ($1, 'u', 's', ${columns}) returning id, application_id)
          insert into webhook_deliveries (event_id, endpoint_id, application_id, type, data, state, next_attempt_at)
          select gen_random_uuid(), id, application_id, 'ping', '{}', $2, now() - make_interval(mins => $3) from e`,
        [application_id, state, minutes],
      )
    await add("'enabled', 0", null, 'pending', 10)
    await add("'enabled', 0", null, 'pending', 20)
    await add("'enabled', 0", application, 'pending', 30)
    // None of these is late: a failing endpoint, a disabled one, what is delivered, and what is due later.
    await add("'enabled', 1", null, 'pending', 90)
    await add("'disabled', 0", null, 'pending', 90)
    await add("'enabled', 0", null, 'delivered', 90)
    await add("'enabled', 0", null, 'pending', -90)
    const { dueDeliveries } = await gauges()
    const found = new Map(dueDeliveries.map((row) => [row.applications, row]))
    expect([found.get(false)?.count, found.get(true)?.count]).toEqual([2, 1])
    expect(found.get(false)?.seconds).toBeGreaterThanOrEqual(1200)
    expect(found.get(false)?.seconds).toBeLessThan(1260)
    expect(found.get(true)?.seconds).toBeGreaterThanOrEqual(1800)
    await owner.query('delete from webhook_endpoints')
    await owner.query('delete from applications')
  })
})
