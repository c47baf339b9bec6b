// The removal and the repair of an item. A removed item is hidden immediately and ended at Plaid; a purge deletes its
// rows.
import { describe, expect, it } from 'vitest'
import { listAccounts } from '../../../src/db/records/accounts.ts'
import { listHoldings, listInvestmentTransactions } from '../../../src/db/records/investments.ts'
import { getItem, type Item, listItems } from '../../../src/db/items/items.ts'
import { listLiabilities } from '../../../src/db/records/liabilities.ts'
import { listRecurring } from '../../../src/db/records/recurring.ts'
import { listSyncRuns } from '../../../src/db/sync/runs.ts'
import { getTransaction, listTransactions } from '../../../src/db/records/transactions.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { markRepaired } from '../../../src/items/repair-item.ts'
import { createLinkToken, type LinkTokenInput } from '../../../src/link/create-link-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { expectTruth } from '../../support/equality.ts'
import { codeOf, letTimePass, useWorld } from '../../support/item-lifecycle.ts'
import { allProducts, linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const hide = { purge: false }
const purge = { purge: true }
const updateMode = (itemId: string, accountSelection = false): LinkTokenInput => ({
  itemId,
  redirectUri: null,
  products: null,
  hosted: false,
  accountSelection,
  language: null,
  countryCodes: null,
})

/** The endpoints of Plaid that were called for the item. */
const callsOf = async ({ plaidItemId }: Item): Promise<string[]> =>
  (await world.bank.calls()).flatMap((call) =>
    'item_id' in call && call.item_id === plaidItemId ? [call.endpoint] : [],
  )

const removals = async (item: Item) => (await callsOf(item)).filter((endpoint) => endpoint === '/item/remove').length

/** The number of rows that the user sees, by list. */
async function shown(subject: string): Promise<Record<string, number>> {
  const { api } = world.services
  const { identity } = world.user(subject).actor
  const lists = {
    items: await listItems(api, identity, 100, null),
    accounts: await listAccounts(api, identity, 100, null),
    transactions: await listTransactions(api, identity, {}, 100, null),
    streams: await listRecurring(api, identity, {}, 100, null),
    holdings: await listHoldings(api, identity, null, 100, null),
    investmentTransactions: await listInvestmentTransactions(api, identity, {}, 100, null),
    liabilities: await listLiabilities(api, identity, 100, null),
    runs: await listSyncRuns(api, identity, null, 100, null),
  }
  return Object.fromEntries(Object.entries(lists).map(([name, page]) => [name, page.rows.length]))
}

const nothing = {
  items: 0,
  accounts: 0,
  transactions: 0,
  streams: 0,
  holdings: 0,
  investmentTransactions: 0,
  liabilities: 0,
  runs: 0,
}

/** The number of rows of the item by table, for tables with any. */
async function stored(item: Item): Promise<Record<string, number>> {
  const tables = await world.sql(
    `select c.table_name as name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and c.column_name = 'item_id' and t.table_type = 'BASE TABLE'`,
  )
  const counts = tables.map(
    ({ name }) => `select '${String(name)}' as name, count(*) as n from ${String(name)} where item_id = $1`,
  )
  const rows = await world.sql(
    `${counts.join(' union all ')}
     union all select 'items', count(*) from items where id = $1
     union all select 'account_balances', count(*) from account_balances b join accounts a on a.id = b.account_id where a.item_id = $1`,
    [item.id],
  )
  return Object.fromEntries(rows.map((row) => [String(row['name']), Number(row['n'])]))
}

const rowOf = (item: Item) => world.sql('select * from items where id = $1', [item.id])

describe('an item that its user removes', () => {
  it('is ended at Plaid and hidden everywhere at once, and nothing looks at it any more', async () => {
    const user = world.user('hidden')
    const item = await linkAndSync(world, 'hidden', allProducts)
    const before = await shown('hidden')
    expect(Object.values(before).every((count) => count > 0)).toBe(true)
    const [transaction] = (await listTransactions(world.services.api, user.actor.identity, {}, 1, null)).rows
    await requestSync(user, item.id)

    await removeItem(user, item.id, hide)

    expect(await removals(item)).toBe(1)
    expect(await shown('hidden')).toEqual(nothing)
    expect(await getItem(world.services.api, user.actor.identity, item.id)).toBeNull()
    expect(await getTransaction(world.services.api, user.actor.identity, transaction?.id ?? '')).toBeNull()
    expect(await codeOf(requestSync(user, item.id))).toBe('not_found')
    expect(await codeOf(markRepaired(user, item.id))).toBe('not_found')
    expect(await codeOf(createLinkToken(user, updateMode(item.id)))).toBe('not_found')
    expect(await requestSync(user, null)).toBe(0)
    const calls = await callsOf(item)
    // The queued messages have no effect, and the sweep enqueues nothing.
    expect(world.queue).not.toHaveLength(0)
    await world.drain()
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    expect(await callsOf(item)).toEqual(calls)
    expect((await stored(item))['transactions']).toBeGreaterThan(0)
  })

  it('leaves the user’s other items alone', async () => {
    const [gone, kept] = [await linkAndSync(world, 'two'), await linkAndSync(world, 'two')]
    await removeItem(world.user('two'), gone.id, purge)
    await expectTruth(world, 'two', kept.plaidItemId)
    expect(await shown('two')).toMatchObject({ items: 1 })
    expect(await removals(kept)).toBe(0)
  })

  it('can be removed twice with one call to Plaid', async () => {
    const item = await linkAndSync(world, 'again')
    await removeItem(world.user('again'), item.id, hide)
    const [row] = await rowOf(item)
    await removeItem(world.user('again'), item.id, hide)
    expect(await removals(item)).toBe(1)
    expect((await rowOf(item))[0]?.['removed_at']).toBe(row?.['removed_at'])
  })

  it('may be gone at Plaid already', async () => {
    const item = await linkAndSync(world, 'gone already')
    await world.bank.fault({ endpoint: '/item/remove', times: 1, error: 'ITEM_NOT_FOUND' })
    await removeItem(world.user('gone already'), item.id, hide)
    expect(await shown('gone already')).toEqual(nothing)
  })

  it('is hidden while Plaid is unavailable, is not synced, and is removed at Plaid later', async () => {
    const item = await linkAndSync(world, 'down')
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await removeItem(world.user('down'), item.id, hide)
    expect(await shown('down')).toEqual(nothing)
    expect((await rowOf(item))[0]).toMatchObject({ status: 'removing' })
    const calls = await callsOf(item)
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    expect(await callsOf(item)).toEqual(calls)
    await letTimePass(world)
    await reconcile(world.job())
    expect(await callsOf(item)).toEqual([...calls, '/item/remove'])
    expect((await rowOf(item))[0]).toMatchObject({ status: 'removed' })
  })

  it('is untouched while the database is unavailable, and hidden by the next attempt', async () => {
    const item = await linkAndSync(world, 'half')
    const row = await rowOf(item)
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'update items set status' })
    expect(await codeOf(removeItem(world.user('half'), item.id, hide))).toBe('unavailable')
    expect(await removals(item)).toBe(0)
    expect(await rowOf(item)).toEqual(row)
    expect(await shown('half')).toMatchObject({ items: 1 })
    await removeItem(world.user('half'), item.id, hide)
    expect(await removals(item)).toBe(1)
    expect(await shown('half')).toEqual(nothing)
  })

  it('is hidden when the database fails after the call to Plaid, and confirmed later', async () => {
    const item = await linkAndSync(world, 'confirmed later')
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'delete from plaid_removals' })
    expect(await codeOf(removeItem(world.user('confirmed later'), item.id, hide))).toBe('unavailable')
    expect(await shown('confirmed later')).toEqual(nothing)
    expect((await rowOf(item))[0]).toMatchObject({ status: 'removing' })
    await letTimePass(world)
    await reconcile(world.job())
    expect((await rowOf(item))[0]).toMatchObject({ status: 'removed' })
  })

  it('stays when another user removes it: the response is that of an unknown item', async () => {
    const item = await linkAndSync(world, 'owner')
    const thief = world.user('thief')
    for (const id of [item.id, crypto.randomUUID()])
      for (const how of [hide, purge]) expect(await codeOf(removeItem(thief, id, how))).toBe('not_found')
    expect(await codeOf(markRepaired(thief, item.id))).toBe('not_found')
    expect(await codeOf(createLinkToken(thief, updateMode(item.id)))).toBe('not_found')
    expect(await removals(item)).toBe(0)
    await expectTruth(world, 'owner', item.plaidItemId)
  })
})

describe('an item that is purged', () => {
  it('leaves no row behind, in any table', async () => {
    const item = await linkAndSync(world, 'purged', allProducts)
    await world.bank.alter({ endpoint: '/transactions/sync', path: 'added[0].amount', value: 'odd', times: 1 })
    await world.bank.change(item.plaidItemId, { add: 2 })
    await expect
      .poll(async () => {
        const deliveries = await world.delivered()
        for (const delivery of deliveries) await world.deliver(delivery)
        return deliveries.length
      })
      .toBeGreaterThan(0)
    await world.drain()
    await createLinkToken(world.user('purged'), updateMode(item.id))
    const {
      sync_staging: _staging,
      investment_staging: _investments,
      plaid_removals: _removals,
      // Written where an endpoint listens; they stay for their retention time.
      webhook_deliveries: _deliveries,
      ...before
    } = await stored(item)
    expect(Object.entries(before).filter(([, count]) => count === 0)).toEqual([])
    await removeItem(world.user('purged'), item.id, purge)
    expect(await removals(item)).toBe(1)
    expect(Object.entries(await stored(item)).filter(([, count]) => count > 0)).toEqual([])
  })

  it('can be purged after its removal, without another call to Plaid', async () => {
    const item = await linkAndSync(world, 'later')
    await removeItem(world.user('later'), item.id, hide)
    await removeItem(world.user('later'), item.id, purge)
    expect(await removals(item)).toBe(1)
    expect(await rowOf(item)).toEqual([])
  })

  it('is not written to by a run that reads it', async () => {
    const item = await linkAndSync(world, 'meanwhile')
    const user = world.user('meanwhile')
    await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    await requestSync(user, item.id)
    let purged = false
    const { plaid } = world.services
    await world.drain(
      withPlaid(world.services, {
        async syncTransactions(...args) {
          const answer = await plaid.syncTransactions(...args)
          if (!purged) await removeItem(user, item.id, purge)
          purged = true
          return answer
        },
      }),
    )
    expect(purged).toBe(true)
    expect(Object.entries(await stored(item)).filter(([, count]) => count > 0)).toEqual([])
  })
})

describe('an item that its user repairs', () => {
  const finishLink = async (linkToken: string): Promise<void> => {
    const response = await fetch(`${world.simulator.url}/simulator/link`, {
      method: 'POST',
      body: JSON.stringify({ link_token: linkToken }),
    })
    expect(response.status).toBe(200)
  }

  it('through update mode works again at once, with all that happened meanwhile', async () => {
    const user = world.user('update mode')
    const item = await linkAndSync(world, 'update mode')
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await requestSync(user, item.id)
    await world.drain()
    expect(await getItem(world.services.api, user.actor.identity, item.id)).toMatchObject({ status: 'needs_update' })
    await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    const { linkToken } = await createLinkToken(user, updateMode(item.id))
    await finishLink(linkToken)
    const repaired = await markRepaired(user, item.id)
    expect(repaired.id).toBe(item.id)
    expect(world.queue).toEqual(repaired.products.map(() => ({ item_product_id: expect.any(String), reason: 'user' })))
    await world.drain()
    expect(await getItem(world.services.api, user.actor.identity, item.id)).toMatchObject({
      status: 'healthy',
      statusReason: null,
    })
    // Syncs the products that the item's own sync marked dirty.
    await world.drain()
    await expectTruth(world, 'update mode', item.plaidItemId)
  })

  it('still requires an action if it is not repaired', async () => {
    const user = world.user('not repaired')
    const item = await linkAndSync(world, 'not repaired')
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await requestSync(user, item.id)
    await world.drain()
    await markRepaired(user, item.id)
    await world.drain()
    expect(await getItem(world.services.api, user.actor.identity, item.id)).toMatchObject({ status: 'needs_update' })
  })

  it('is no longer about to be disconnected, and its new accounts are there', async () => {
    const user = world.user('announced')
    const item = await linkAndSync(world, 'announced')
    const before = await shown('announced')
    await world.bank.change(item.plaidItemId, { pending_disconnect: true, new_account: true })
    await expect
      .poll(async () => {
        for (const delivery of await world.delivered()) await world.deliver(delivery)
        return await getItem(world.services.api, user.actor.identity, item.id)
      })
      .toMatchObject({ status: 'pending_disconnect', newAccountsAvailable: true })
    const { linkToken } = await createLinkToken(user, updateMode(item.id, true))
    await finishLink(linkToken)
    await markRepaired(user, item.id)
    await world.drain()
    expect(await getItem(world.services.api, user.actor.identity, item.id)).toMatchObject({
      status: 'healthy',
      statusReason: null,
      disconnectAt: null,
      newAccountsAvailable: false,
    })
    expect((await shown('announced'))['accounts']).toBe((before['accounts'] ?? 0) + 1)
  })
})
