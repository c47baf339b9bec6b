// The sync engine with a real database and the simulator: the stored data equal the bank's.
import { describe, expect, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { link, linkAndSync, settle } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const changed = async (plaidItemId: string, wanted: object | string) => {
  const change = await world.bank.change(plaidItemId, wanted)
  await settleWhenDelivered()
  return change
}

/** Waits until the webhook for the change of transactions arrives, then syncs. */
async function settleWhenDelivered(): Promise<void> {
  await expect.poll(async () => (await settleOnce()) > 0, { timeout: 5000 }).toBe(true)
}

async function settleOnce(): Promise<number> {
  const deliveries = await world.delivered()
  for (const delivery of deliveries) await world.deliver(delivery)
  await world.drain()
  return deliveries.length
}

describe('transactions', () => {
  it('are all there after a link, and after the bank adds, modifies and removes some', async () => {
    const item = await linkAndSync(world, 'changes')
    await expectTruth(world, 'changes', item.plaidItemId)
    await changed(item.plaidItemId, { add: 7, modify: 5, remove: 4 })
    await expectTruth(world, 'changes', item.plaidItemId)
  })

  it('keep every digit, and add none', async () => {
    const item = await linkAndSync(world, 'digits')
    await changed(
      item.plaidItemId,
      '{"add":[{"amount":1234567890123456.10,"name":"long"},{"amount":0.000000000000000001,"name":"small"},{"amount":-12.50,"name":"refund"},{"amount":5,"name":"no such coin","iso_currency_code":null,"unofficial_currency_code":"DOGE"}]}',
    )
    const stored = await expectTruth(world, 'digits', item.plaidItemId)
    const amounts = Object.fromEntries(stored.map((row) => [row.name, `${row.amount} ${row.currency}`]))
    expect(amounts).toMatchObject({
      long: '1234567890123456.1 USD',
      small: '0.000000000000000001 USD',
      refund: '-12.5 USD',
      'no such coin': '5 DOGE',
    })
  })

  it('carry the user’s edits from pending to posted, although the removal comes on another page', async () => {
    const item = await linkAndSync(world, 'edits')
    const user = world.user('edits')
    const names = Array.from({ length: 3 }, (_, index) => ({
      amount: 10 + index,
      name: `pending ${index}`,
      pending: true,
    }))
    const { added } = await changed(item.plaidItemId, { add: names })
    const before = await everyTransaction(world, 'edits')
    for (const row of before.filter(({ plaidTransactionId }) => added.includes(plaidTransactionId)))
      await editTransaction(world.services.api, user.actor.identity, row.id, {
        note: `note on ${row.name}`,
        userCategory: 'mine',
        hidden: true,
      })
    // More than a page of changes, so that a posting and its removal are on different pages.
    const { posted } = await changed(item.plaidItemId, { add: 700, post_pending: true })
    expect(posted.map((pair) => pair.pending_transaction_id)).toEqual(expect.arrayContaining(added))
    const after = await expectTruth(world, 'edits', item.plaidItemId)
    for (const pendingId of added) {
      const row = after.find(({ plaidTransactionId }) =>
        posted.some((pair) => pair.pending_transaction_id === pendingId && pair.transaction_id === plaidTransactionId),
      )
      const original = names[added.indexOf(pendingId)]
      expect(row).toMatchObject({
        note: `note on ${original?.name}`,
        userCategory: 'mine',
        hidden: true,
        pending: false,
      })
    }
  })

  it('keep the user’s edits when the bank modifies them', async () => {
    const item = await linkAndSync(world, 'kept')
    const user = world.user('kept')
    const [row] = await everyTransaction(world, 'kept')
    if (row === undefined) throw new Error('nothing was synced')
    await editTransaction(world.services.api, user.actor.identity, row.id, { note: 'mine' })
    await changed(item.plaidItemId, {
      modify: [{ transaction_id: row.plaidTransactionId, name: 'renamed by the bank' }],
    })
    const after = (await expectTruth(world, 'kept', item.plaidItemId)).find(({ id }) => id === row.id)
    expect(after).toMatchObject({ note: 'mine', name: 'renamed by the bank' })
  })

  it('start the loop again from its first cursor when the bank changes between two pages', async () => {
    const item = await linkAndSync(world, 'mutation')
    await world.bank.change(item.plaidItemId, { add: 1200, silent: true })
    await world.bank.fault({ endpoint: '/transactions/sync', times: 1, after: 1, mutate_during_pagination: true })
    await requestSync(world.user('mutation'), item.id)
    await world.drain()
    await expectTruth(world, 'mutation', item.plaidItemId)
    const [run] = await world.sql(
      "select max(restarts) as restarts from sync_runs where item_id = $1 and product = 'transactions'",
      [item.id],
    )
    // The item's own sync may cause another run.
    expect(Number(run?.['restarts'])).toBeGreaterThan(0)
  })

  it('wait, without an error and without progress, while Plaid has nothing ready', async () => {
    const item = await link(world, 'early')
    await world.drain()
    const [product] = await world.sql(
      "select cursor, status, last_error, dirty_seq > synced_seq as dirty from item_products where item_id = $1 and product = 'transactions'",
      [item.id],
    )
    expect(product).toEqual({ cursor: null, status: 'pending', last_error: null, dirty: 't' })
    await world.bank.change(item.plaidItemId, { history: 'initial' })
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await settleWhenDelivered()
    await world.elapse()
    await requestSync(world.user('early'), item.id)
    await world.drain()
    await expectTruth(world, 'early', item.plaidItemId)
  })

  it('write nothing when nothing has changed', async () => {
    const item = await linkAndSync(world, 'idle')
    const state = () =>
      world.sql(
        'select max(xmin::text::bigint) as newest, max(change_seq) as seq, count(*) as n from transactions where item_id = $1',
        [item.id],
      )
    const before = await state()
    await world.sql(
      "update item_products set cursor = null, dirty_seq = dirty_seq + 1 where item_id = $1 and product = 'transactions'",
      [item.id],
    )
    const ids = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    await world.services.enqueue(
      ids.map((row) => String(row['id'])),
      'user',
    )
    await world.drain()
    const [run] = await world.sql(
      "select outcome, upserted, removed from sync_runs where item_id = $1 and product = 'transactions' order by started_at desc limit 1",
      [item.id],
    )
    expect(run).toEqual({ outcome: 'committed', upserted: '0', removed: '0' })
    expect(await state()).toEqual(before)
  })

  it('number every change once and without a gap', async () => {
    const item = await linkAndSync(world, 'numbers')
    await changed(item.plaidItemId, { add: 3, remove: 2 })
    const [row] = await world.sql(
      'select u.change_seq as counter, max(t.change_seq) as newest, count(distinct t.change_seq) = count(*) as once from users u join transactions t on t.user_id = u.id where t.item_id = $1 group by u.change_seq',
      [item.id],
    )
    expect(row?.['counter']).toBe(row?.['newest'])
    expect(row?.['once']).toBe('t')
  })

  it('pass through the staging table when they are many, and leave nothing there', async () => {
    const item = await linkAndSync(world, 'many')
    await world.bank.change(item.plaidItemId, { add: 6200, silent: true })
    await requestSync(world.user('many'), item.id)
    await world.drain()
    await expectTruth(world, 'many', item.plaidItemId)
    expect(await world.sql('select count(*) as n from sync_staging')).toEqual([{ n: '0' }])
  })
})

describe('a missed webhook', () => {
  it('is made good by the sweep', async () => {
    const item = await linkAndSync(world, 'missed')
    await world.bank.change(item.plaidItemId, { add: 4, silent: true })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'missed', item.plaidItemId)
  })
})

describe('the other products', () => {
  it('are what the bank holds', async () => {
    const item = await linkAndSync(world, 'products', { products: ['transactions', 'investments', 'liabilities'] })
    await settle(world)
    const truth = await world.bank.truth(item.plaidItemId)
    const holdings = await world.sql(
      `select a.plaid_account_id as account_id, s.plaid_security_id as security_id, trim_scale(h.quantity)::text as quantity
       from holdings h join accounts a on a.id = h.account_id join securities s on s.id = h.security_id where h.item_id = $1`,
      [item.id],
    )
    const key = (row: Record<string, unknown>) =>
      `${String(row['account_id'])} ${String(row['security_id'])} ${String(row['quantity'])}`
    expect(truth.holdings.length).toBeGreaterThan(0)
    expect(holdings.map(key).toSorted()).toEqual(truth.holdings.map(key).toSorted())
    const moves = await world.sql(
      'select plaid_investment_transaction_id as id, trim_scale(amount)::text as amount from investment_transactions where item_id = $1 and removed_at is null',
      [item.id],
    )
    expect(truth.investment_transactions.length).toBeGreaterThan(0)
    expect(moves.map((row) => `${String(row['id'])} ${String(row['amount'])}`).toSorted()).toEqual(
      truth.investment_transactions.map((row) => `${row.investment_transaction_id} ${row.amount}`).toSorted(),
    )
    const owed = await world.sql(
      'select kind, count(*) as n from liabilities where item_id = $1 group by kind order by kind',
      [item.id],
    )
    expect(owed.map((row) => row['kind'])).toEqual(['credit', 'mortgage', 'student'])
  })

  it('closes an account that the bank closed, and keeps its history', async () => {
    const item = await linkAndSync(world, 'closed')
    const before = await everyTransaction(world, 'closed')
    await world.bank.change(item.plaidItemId, { close_account: true })
    await requestSync(world.user('closed'), item.id)
    await world.drain()
    expect(await world.sql('select count(*) as n from accounts where item_id = $1 and closed', [item.id])).toEqual([
      { n: '1' },
    ])
    expect(await everyTransaction(world, 'closed')).toHaveLength(before.length)
  })
})
