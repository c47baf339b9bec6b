// The Worker's processes are killed at the worst moments, as in a power failure, and started again on the stored state.
// The next sweep brings the data up to date, and stores no row twice. A local queue forgets its messages at a restart,
// so only the database knows what is left to do.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type KillableWorker, startKillableBundle } from '../support/bundle.ts'
import { type Edge, startEdge } from '../support/edge.ts'
import { expectTransactionsEqual } from '../support/truth.ts'
import { runsLongProofs } from '../support/sampled.ts'

let edge: Edge
let worker: KillableWorker
let state: string

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-restart-'))
  edge = await startEdge({
    start: async (options) => {
      worker = await startKillableBundle({ ...options, stateFolder: state })
      return { ...worker, dispose: () => worker.dispose() }
    },
  })
})
afterAll(async () => {
  await edge.stop()
  await rm(state, { recursive: true, force: true })
})

async function kill(): Promise<void> {
  await worker.kill()
  await worker.dispose()
  await expect(fetch(`${edge.url}/health`)).rejects.toThrow(TypeError)
}

/** Starts the Worker again, later than the time after which it enqueues lost messages anew. */
async function restart(): Promise<void> {
  await edge.sql(`update item_products set woken_until = woken_until - interval '2 minutes'`)
  worker = await startKillableBundle({ bindings: { ...edge.variables }, port: edge.port, stateFolder: state })
}

/** Transactions that are stored more than once. */
const twice = () =>
  edge.sql(`select plaid_transaction_id from transactions where removed_at is null
    group by item_id, plaid_transaction_id having count(*) > 1`)

/** The number of /transactions/sync calls for the item. Calls for items of other tests do not count. */
async function readsOf({ plaidItemId }: { readonly plaidItemId: string }): Promise<number> {
  const calls = await edge.bank.calls()
  return calls.filter((call) => call.endpoint === '/transactions/sync' && call.item_id === plaidItemId).length
}

/** Makes every sync run fail until the kill, so that only the database knows what is left to do. */
const holdQueue = () =>
  edge.stack.addFault(edge.database.name, { kind: 'fail-before', matching: 'set lease_owner = ', times: 1000 })

/** Changes the bank without webhooks. */
async function changeWithoutWebhook(plaidItemId: string, wanted: object): Promise<void> {
  await edge.bank.webhooks({ drop: true })
  await edge.bank.change(plaidItemId, wanted)
  await edge.bank.webhooks({ drop: false })
}

test.runIf(runsLongProofs())(
  'right after an exchange was answered: the item is there, and the sweep syncs it',
  async () => {
    await holdQueue()
    const item = await edge.link('linker')
    await kill()
    await edge.stack.clearFaults(edge.database.name)
    await changeWithoutWebhook(item.plaidItemId, { history: 'historical' })
    expect(await edge.sql('select 1 from sync_runs')).toEqual([])
    await restart()
    await edge.sweep()
    await edge.settled()
    await expectTransactionsEqual(edge, 'linker', item.plaidItemId)
    expect(await twice()).toEqual([])
  },
)

test('right after a webhook was answered: the sweep does what the webhook asked for', async () => {
  const item = await edge.linkAndSync('hearer')
  const dirty = () =>
    edge.sql(
      `select dirty_seq > synced_seq as dirty from item_products where product = 'transactions' and item_id = $1`,
      [item.id],
    )
  await holdQueue()
  await edge.bank.change(item.plaidItemId, { add: 5, modify: 3, remove: 2 })
  await vi.waitFor(async () => expect(await dirty()).toEqual([{ dirty: 't' }]), { timeout: 20_000, interval: 10 })
  await edge.delivered()
  await kill()
  await edge.stack.clearFaults(edge.database.name)
  expect(await dirty()).toEqual([{ dirty: 't' }])
  await restart()
  await edge.sweep()
  await edge.settled()
  await expectTransactionsEqual(edge, 'hearer', item.plaidItemId)
  expect(await twice()).toEqual([])
})

test('a restart during a sync is recovered by the sweep after the lease has expired, and not before', async () => {
  const item = await edge.linkAndSync('syncer')
  await edge.bank.change(item.plaidItemId, { add: 5, modify: 3, remove: 2, silent: true })
  await edge.bank.fault({ endpoint: '/transactions/sync', latency_ms: 60_000, times: 1 })
  const before = await readsOf(item)
  await edge.as('syncer')('POST', `/api/v1/plaid/sync/item/${item.id}`)
  await vi.waitFor(async () => expect(await readsOf(item)).toBe(before + 1), { timeout: 20_000 })
  await kill()
  await restart()

  const product = `product = 'transactions' and item_id = '${item.id}'`
  const row = () =>
    edge.sql(`select lease_owner, lease_expires_at, lease_expires_at > now() as held, next_attempt_at
      from item_products where ${product}`)
  const [held] = await row()
  expect(held).toMatchObject({ held: 't' })
  await edge.sweep()
  // A sweep would change `next_attempt_at` of a product that it enqueues. This one is leased, so the row stays the
  // same.
  expect(await row()).toEqual([held])
  expect(await readsOf(item)).toBe(before + 1)

  await edge.sql(`update item_products set lease_expires_at = now() - interval '1 second' where item_id = $1`, [
    item.id,
  ])
  await edge.sweep()
  await edge.settled()
  await expectTransactionsEqual(edge, 'syncer', item.plaidItemId)
  expect(await twice()).toEqual([])
})

test.runIf(runsLongProofs())(
  'the sweep finds changes at the bank during downtime although webhooks were lost',
  async () => {
    const item = await edge.linkAndSync('sleeper')
    await kill()
    await changeWithoutWebhook(item.plaidItemId, { add: 4, remove: 1 })
    await restart()
    // The sweep asks Plaid for its last update only when the item was not synced for a while.
    await edge.sql(`update item_products set last_synced_at = last_synced_at - interval '1 hour' where item_id = $1`, [
      item.id,
    ])
    await edge.sweep()
    await edge.settled()
    await vi.waitFor(() => expectTransactionsEqual(edge, 'sleeper', item.plaidItemId), { timeout: 20_000 })
    expect(await twice()).toEqual([])
  },
)
