// Concurrent statements that are forced to meet: the database holds one up while the other runs.
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import type { Services } from '../../../src/context.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

/** Marks a product dirty and returns its id. */
async function dirty(item: Item, product: string): Promise<string> {
  const [row] = await world.sql(
    'update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = $2 returning id',
    [item.id, product],
  )
  return String(row?.['id'])
}

const run = async (id: string, services?: Services) => await syncProduct(world.job(services), id, 'user')

/** Whether a session of this database waits for this event. */
const waits = async (how: string): Promise<boolean> =>
  (await world.sql(`select 1 from pg_stat_activity where datname = current_database() and ${how}`)).length > 0
const sleeping = "wait_event = 'PgSleep'"
const locked = "wait_event_type = 'Lock'"

/** Makes every insert into `table` sleep before its first row, while `act` runs. */
async function holdingUp(table: string, act: () => Promise<void>): Promise<void> {
  await world.sql(
    'create function hold_up() returns trigger language plpgsql as $$ begin perform pg_sleep(0.8); return null; end $$',
  )
  await world.sql(`create trigger hold_up before insert on ${table} for each statement execute function hold_up()`)
  try {
    await act()
  } finally {
    await world.sql(`drop trigger hold_up on ${table}`)
    await world.sql('drop function hold_up')
  }
}

/** Runs `during` once, after Plaid's first response to `call` and before the run continues. */
function pausing(call: 'syncTransactions' | 'getAccounts' | 'getItem', during: () => Promise<unknown>): Services {
  let first = true
  const after = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    const given = await answer
    if (first) {
      first = false
      await during()
    }
    return given
  }
  const { plaid } = world.services
  const paused = {
    syncTransactions: (...args: Parameters<typeof plaid.syncTransactions>) => after(plaid.syncTransactions(...args)),
    getAccounts: (...args: Parameters<typeof plaid.getAccounts>) => after(plaid.getAccounts(...args)),
    getItem: (...args: Parameters<typeof plaid.getItem>) => after(plaid.getItem(...args)),
  }
  return withPlaid(world.services, { [call]: paused[call] })
}

const syncCalls = async (item: Item) =>
  (await world.bank.calls()).filter(
    (call) => call.endpoint === '/transactions/sync' && 'item_id' in call && call.item_id === item.plaidItemId,
  ).length

describe('the changes of one user', () => {
  it('are numbered once, although two of the user’s items commit at the same time', async () => {
    const items = [await linkAndSync(world, 'numbers'), await linkAndSync(world, 'numbers')]
    const ids: string[] = []
    for (const item of items) {
      await world.bank.change(item.plaidItemId, { add: 3, remove: 1, silent: true })
      ids.push(await dirty(item, 'transactions'))
    }
    await holdingUp('transactions', async () => {
      const outcomes = await Promise.all(ids.map(async (id) => await run(id)))
      expect(outcomes).toEqual([{ kind: 'committed' }, { kind: 'committed' }])
    })
    const [row] = await world.sql(
      `select count(*) = count(distinct t.change_seq) as once, max(t.change_seq) = u.change_seq as counted
       from transactions t join users u on u.id = t.user_id where u.subject = 'numbers' group by u.change_seq`,
    )
    expect(row).toEqual({ once: 't', counted: 't' })
  })

  it('lose no edit of a pending transaction while the commit that posts it is under way', async () => {
    const item = await linkAndSync(world, 'posting')
    const user = world.user('posting')
    const { added } = await world.bank.change(item.plaidItemId, {
      add: [{ amount: 7, name: 'pending', pending: true }],
      silent: true,
    })
    await run(await dirty(item, 'transactions'))
    const pending = (await everyTransaction(world, 'posting')).find((row) => row.plaidTransactionId === added[0])
    await world.bank.change(item.plaidItemId, { post_pending: true, silent: true })
    const id = await dirty(item, 'transactions')
    await holdingUp('transactions', async () => {
      const posting = run(id)
      await expect.poll(() => waits(sleeping)).toBe(true)
      const edit = editTransaction(world.services.api, user.actor.identity, pending?.id ?? '', { note: 'too late' })
      // The edit runs after the commit and finds the transaction gone, so it is refused rather than lost.
      expect([await edit, await posting]).toEqual([null, { kind: 'committed' }])
    })
    expect(await world.sql("select id from transactions where note = 'too late'")).toEqual([])
    await expectTruth(world, 'posting', item.plaidItemId)
  })
})

describe('a transaction that locks rows of an item', () => {
  const everyProduct = async (item: Item, how = ''): Promise<number> =>
    (await world.sql(`select id from item_products where item_id = $1 ${how}`, [item.id])).length

  /** How many products of the item are unlocked while `act` waits for the lock on the item itself. */
  async function freeWhileWaiting(item: Item, act: () => Promise<unknown>): Promise<number> {
    const holder = world.sql(
      'with held as (select id from items where id = $1 for no key update) select pg_sleep(1.5) from held',
      [item.id],
    )
    await expect.poll(() => waits(sleeping)).toBe(true)
    const acting = act()
    await expect.poll(() => waits(locked)).toBe(true)
    const free = await everyProduct(item, 'for update skip locked')
    await Promise.all([holder, acting])
    return free
  }

  it('takes the item first: a user’s request', async () => {
    const item = await linkAndSync(world, 'asks')
    const free = await freeWhileWaiting(item, () => requestSync(world.user('asks'), item.id))
    expect(free).toBe(await everyProduct(item))
  })

  it('takes the item first: a webhook', async () => {
    const item = await linkAndSync(world, 'webhook')
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await world.bank.change(item.plaidItemId, { login_repaired: true })
    const deliveries: Awaited<ReturnType<World['delivered']>> = []
    await expect
      .poll(
        async () =>
          deliveries.push(...(await world.delivered())) &&
          deliveries.some(({ body }) => body.includes('LOGIN_REPAIRED')),
      )
      .toBe(true)
    const delivery = deliveries.find(({ body }) => body.includes('LOGIN_REPAIRED'))
    const free = await freeWhileWaiting(item, async () => {
      if (delivery !== undefined) await world.deliver(delivery)
    })
    expect(free).toBe(await everyProduct(item))
  })

  it.each([
    ['a commit', undefined],
    ['a run that failed', 'ITEM_LOGIN_REQUIRED'],
  ])('takes the item first: %s', async (what, error) => {
    const item = await linkAndSync(world, what)
    const id = await dirty(item, 'balances')
    if (error !== undefined) await world.bank.fault({ endpoint: '/accounts/get', times: 1, error })
    const free = await freeWhileWaiting(item, () => run(id))
    expect(free).toBe(await everyProduct(item))
  })
})

describe('a run', () => {
  it('does not undo a newer snapshot when it is late', async () => {
    const item = await linkAndSync(world, 'late snapshot')
    const id = await dirty(item, 'balances')
    const closed = () => world.sql('select id from accounts where item_id = $1 and closed', [item.id])
    const late = await run(
      id,
      pausing('getAccounts', async () => {
        await world.bank.change(item.plaidItemId, { close_account: true })
        await world.elapse()
        expect(await run(id)).toEqual({ kind: 'committed' })
      }),
    )
    expect(late).toEqual({ kind: 'superseded' })
    expect(await closed()).toHaveLength(1)
  })

  it('does not undo the success of a newer run when it fails late', async () => {
    const item = await linkAndSync(world, 'late failure')
    const id = await dirty(item, 'balances')
    await world.bank.fault({ endpoint: '/accounts/get', times: 1, error: 'ITEM_LOGIN_REQUIRED' })
    const late = await run(
      id,
      pausing('getAccounts', async () => {
        await world.elapse()
        expect(await run(id)).toEqual({ kind: 'committed' })
      }),
    )
    expect(late).toEqual({ kind: 'superseded' })
    expect(await world.sql('select status from items where id = $1', [item.id])).toEqual([{ status: 'healthy' }])
  })

  it('writes nothing after its cursor was moved', async () => {
    const item = await linkAndSync(world, 'moved')
    const before = await everyTransaction(world, 'moved')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    const [row] = await world.sql("select cursor from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    const move = (cursor: unknown) => () =>
      world.sql("update item_products set cursor = $2 where item_id = $1 and product = 'transactions'", [
        item.id,
        cursor,
      ])
    const id = await dirty(item, 'transactions')
    expect(await run(id, pausing('syncTransactions', move('elsewhere')))).toEqual({ kind: 'superseded' })
    expect(await everyTransaction(world, 'moved')).toEqual(before)
    await move(row?.['cursor'])()
    await world.elapse()
    await run(id)
    await expectTruth(world, 'moved', item.plaidItemId)
  })

  it('recognises its commit after a lost response, and runs again', async () => {
    const item = await linkAndSync(world, 'lost answer')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    const id = await dirty(item, 'transactions')
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: 'begin_commit' })
    expect(await run(id)).toEqual({ kind: 'committed' })
    expect(world.queue).toEqual([{ item_product_id: id, reason: 'again' }])
    await expectTruth(world, 'lost answer', item.plaidItemId)
  })

  it('reads at most one further page after it has lost its lease', async () => {
    const item = await linkAndSync(world, 'stops')
    await world.bank.change(item.plaidItemId, { add: 1100, silent: true })
    const id = await dirty(item, 'transactions')
    const before = await syncCalls(item)
    let others = 0
    const late = await run(
      id,
      pausing('syncTransactions', async () => {
        await world.elapse()
        await run(id)
        others = (await syncCalls(item)) - before - 1
      }),
    )
    expect(late).toEqual({ kind: 'superseded' })
    expect(others).toBe(3)
    // The lease is renewed during the request for the next page, so the loss shows with that page's response.
    expect(await syncCalls(item)).toBe(before + 2 + others)
    await expectTruth(world, 'stops', item.plaidItemId)
  })

  it('does not change the status of the item when it fails after a revocation', async () => {
    const item = await linkAndSync(world, 'withdrawn')
    await world.bank.fault({ endpoint: '/accounts/get', times: 1, error: 'ITEM_LOGIN_REQUIRED' })
    const revoke = () => world.sql("update items set status = 'revoked' where id = $1", [item.id])
    await run(await dirty(item, 'balances'), pausing('getAccounts', revoke))
    expect(await world.sql('select status from items where id = $1', [item.id])).toEqual([{ status: 'revoked' }])
    await world.sql("update items set status = 'healthy' where id = $1", [item.id])
    await run(await dirty(item, 'item'), pausing('getItem', revoke))
    expect(await world.sql('select status from items where id = $1', [item.id])).toEqual([{ status: 'revoked' }])
  })
})

describe('the sweep', () => {
  it('enqueues due products once, and again only after a while', async () => {
    const item = await linkAndSync(world, 'woken')
    const id = await dirty(item, 'transactions')
    const woken = () =>
      world.queue.filter((message) => 'item_product_id' in message && message.item_product_id === id).length
    await Promise.all([sweep(world.job()), sweep(world.job())])
    expect(woken()).toBe(1)
    await sweep(world.job())
    expect(woken()).toBe(1)
    await world.elapse()
    await sweep(world.job())
    expect(woken()).toBe(2)
  })

  it('leaves alone what is not due, what is being read, and what has nothing to read', async () => {
    const item = await linkAndSync(world, 'left')
    const later = await dirty(item, 'transactions')
    await world.sql("update item_products set next_attempt_at = now() + interval '1 hour' where id = $1", [later])
    const read = await dirty(item, 'balances')
    await world.sql(
      "update item_products set lease_owner = gen_random_uuid(), lease_expires_at = now() + interval '1 minute' where id = $1",
      [read],
    )
    const absent = await dirty(item, 'item')
    await world.sql(
      "update item_products set status = 'absent', next_attempt_at = now() + interval '1 day' where id = $1",
      [absent],
    )
    await sweep(world.job())
    const woken = world.queue.map((message) => ('item_product_id' in message ? message.item_product_id : null))
    for (const id of [later, read, absent]) expect(woken).not.toContain(id)
  })

  it('clears what dead runs have staged, and nothing of a run that lives', async () => {
    const item = await linkAndSync(world, 'staged')
    const stage = (age: string) =>
      world.sql(
        `insert into sync_staging (run_id, user_id, seq, removed, plaid_transaction_id, staged_at)
         select gen_random_uuid(), user_id, 1, true, $2::text, now() - $2::text::interval from items where id = $1`,
        [item.id, age],
      )
    await stage('2 hours')
    await stage('1 minute')
    await sweep(world.job())
    expect(await world.sql('select plaid_transaction_id as age from sync_staging')).toEqual([{ age: '1 minute' }])
    await world.sql('delete from sync_staging')
  })
})
