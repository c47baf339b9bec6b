// Products whose item waits for its user, or is lost, are outside the sweep's indexes: however many there are, a sweep
// does not read them.
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeItem } from '../../../src/cli/bench/bank-rows.ts'
import { connect } from '../../../src/db/core/client.ts'
import { claimDue, markStale } from '../../../src/db/sync/due.ts'
import { itemStatusTable } from '../../../src/item-status.ts'
import { syncProducts } from '../../../src/sync/products.ts'
import { connectStack, type TestDatabase } from '../../support/stack.ts'
import { runExplained, statementsOf } from '../../support/statement-plans.ts'

const stack = connectStack(inject('control'))
let database: TestDatabase
let owner: Client
let other: Client
beforeAll(async () => {
  database = await stack.createDatabase()
  owner = new Client(database.ownerUrl)
  other = new Client(database.ownerUrl)
  await owner.connect()
  await other.connect()
})
afterAll(async () => {
  await owner.end()
  await other.end()
  await stack.dropDatabase(database.name)
})

const addProduct =
  'insert into item_products (item_id, user_id, product) select id, user_id, $2 from items where id = $1'
const setStatus = 'update items set status = $2 where id = $1'
const stoppedProducts = async (itemId: string): Promise<string[]> => {
  const { rows } = await owner.query<{ product: string }>(
    'select product from item_products where item_id = $1 and is_stopped',
    [itemId],
  )
  return rows.map(({ product }) => product).toSorted()
}

/** The products that are not read in the background, by the table of states. */
function expectedOf(background: 'all' | 'item' | 'none'): string[] {
  if (background === 'all') return []
  return syncProducts.filter((product) => background === 'none' || product !== 'item').toSorted()
}

describe('a product', () => {
  it.each(Object.entries(itemStatusTable))('is stopped as the state says: %s', async (status, { background }) => {
    const { itemId } = await makeItem(owner, `after ${status}`)
    await owner.query('delete from item_products where item_id = $1', [itemId])
    for (const product of syncProducts) await owner.query(addProduct, [itemId, product])
    await owner.query(setStatus, [itemId, status])
    expect(await stoppedProducts(itemId)).toEqual(expectedOf(background))
    await owner.query('delete from item_products where item_id = $1', [itemId])
    for (const product of syncProducts) await owner.query(addProduct, [itemId, product])
    expect(await stoppedProducts(itemId)).toEqual(expectedOf(background))
    await owner.query(setStatus, [itemId, 'healthy'])
    expect(await stoppedProducts(itemId)).toEqual([])
  })

  it('gets the new state when it is added while the state changes', async () => {
    const { itemId } = await makeItem(owner, 'concurrent')
    await owner.query('delete from item_products where item_id = $1', [itemId])
    await owner.query(setStatus, [itemId, 'needs_update'])
    await owner.query('begin')
    await owner.query(setStatus, [itemId, 'healthy'])
    // Waits for the other transaction: without the lock it would read the old state and stay stopped for ever.
    const added = other.query(addProduct, [itemId, 'transactions'])
    await expect
      .poll(async () => {
        const waiting = await owner.query(
          "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        )
        return waiting.rowCount
      })
      .toBe(1)
    await owner.query('commit')
    await added
    expect(await stoppedProducts(itemId)).toEqual([])
  })
})

describe('a sweep', () => {
  it('reads no row of a stopped item, also where they are the longest due', async () => {
    const { userId } = await makeItem(owner, 'crowd')
    await owner.query('delete from items')
    await owner.query(
      `with crowd as (insert into items (user_id, plaid_item_id, access_token_sealed, status)
          select $1, 'crowd ' || n, '', case when n <= 10 then 'healthy' else 'needs_update' end
          from generate_series(1, 3000) n returning id, user_id)
        insert into item_products (item_id, user_id, product, next_attempt_at, dirty_seq, synced_seq, last_synced_at)
        select id, user_id, p.product, now() - interval '9 days', p.dirty, 1, now() - interval '9 days'
        from crowd, (values ('transactions', 2), ('balances', 1)) as p (product, dirty)`,
      [userId],
    )
    const jobs = connect('wn_jobs', database.jobsUrl, database.endpoint)
    const sweeps = {
      due: () => claimDue(jobs, 100, 600),
      stale: () => markStale(jobs, 'balances', { olderThanSeconds: 3600, spreadSeconds: 0, limit: 100 }),
    }
    for (const [name, sweep] of Object.entries(sweeps)) {
      const statements = await statementsOf(sweep)
      await owner.query(
        "update item_products set next_attempt_at = now() - interval '9 days', dirty_seq = 1 + (product = 'transactions')::int",
      )
      const steps = await runExplained(
        owner,
        name === 'due' ? [{ query: 'select 1', params: [] }, ...statements] : statements,
      )
      const read = steps.filter((step) => step.name.includes('item_products')).map(({ rows }) => rows)
      expect([name, Math.max(...read)]).toEqual([name, 10])
    }
  })
})
