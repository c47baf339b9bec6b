// Webhooks during runs, two concurrent runs, and expired leases: a run that lost its lease never changes the data.
import { describe, expect, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import type { Services } from '../../../src/context.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const transactionsOf = async (itemId: string): Promise<string> => {
  const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
    itemId,
  ])
  return String(row?.['id'])
}

/** Services that run `during` after Plaid's next page and before the Worker gets it. */
function pausing(during: () => Promise<unknown>): Services {
  let first = true
  return withPlaid(world.services, {
    async syncTransactions(...args) {
      const answer = await world.services.plaid.syncTransactions(...args)
      if (first) {
        first = false
        await during()
      }
      return answer
    },
  })
}

describe('a run', () => {
  it('is followed by another when a webhook comes while it reads', async () => {
    const item = await linkAndSync(world, 'during')
    const id = await transactionsOf(item.id)
    await requestSync(world.user('during'), item.id)
    world.queue.length = 0
    const outcome = await syncProduct(
      world.job(
        pausing(async () => {
          await world.bank.change(item.plaidItemId, { add: 3 })
          let arrived = 0
          await expect
            .poll(async () => {
              for (const delivery of await world.delivered()) {
                await world.deliver(delivery)
                arrived += 1
              }
              return arrived
            })
            .toBeGreaterThan(0)
          // The webhook's message cannot acquire the lease.
          await world.drain()
        }),
      ),
      id,
      'user',
    )
    expect(outcome.kind).toBe('committed')
    expect(world.queue).toContainEqual({ item_product_id: id, reason: 'again' })
    await world.drain()
    await expectTruth(world, 'during', item.plaidItemId)
  })

  it('has nothing to do when another run has the lease, or the product is not dirty', async () => {
    const item = await linkAndSync(world, 'busy')
    const id = await transactionsOf(item.id)
    await expect(syncProduct(world.job(), id, 'user')).resolves.toEqual({ kind: 'idle', why: 'clean' })
    await requestSync(world.user('busy'), item.id)
    let inner: unknown
    await syncProduct(world.job(pausing(async () => (inner = await syncProduct(world.job(), id, 'user')))), id, 'user')
    expect(inner).toEqual({ kind: 'idle', why: 'busy' })
  })

  it('writes nothing after its lease expired, and does not disturb its successor', async () => {
    const item = await linkAndSync(world, 'late')
    const id = await transactionsOf(item.id)
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    await requestSync(world.user('late'), item.id)
    world.queue.length = 0
    const late = await syncProduct(
      world.job(
        pausing(async () => {
          await world.elapse()
          await world.bank.change(item.plaidItemId, { add: 2, remove: 1, silent: true })
          await expect(syncProduct(world.job(), id, 'sweep')).resolves.toEqual({ kind: 'committed' })
        }),
      ),
      id,
      'user',
    )
    expect(late).toEqual({ kind: 'superseded' })
    await expectTruth(world, 'late', item.plaidItemId)
  })

  it('stores nothing for an item that is removed meanwhile', async () => {
    const item = await linkAndSync(world, 'removed')
    const id = await transactionsOf(item.id)
    const before = await world.sql('select count(*) as n from transactions where item_id = $1', [item.id])
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    await requestSync(world.user('removed'), item.id)
    const outcome = await syncProduct(
      world.job(
        pausing(() => world.sql("update items set removed_at = now(), status = 'removed' where id = $1", [item.id])),
      ),
      id,
      'user',
    )
    expect(outcome).toEqual({ kind: 'superseded' })
    expect(await world.sql('select count(*) as n from transactions where item_id = $1', [item.id])).toEqual(before)
  })

  it('loses no edit that the user makes while it reads', async () => {
    const item = await linkAndSync(world, 'edit')
    const user = world.user('edit')
    const { added } = await world.bank.change(item.plaidItemId, {
      add: [{ amount: 5, name: 'soon posted', pending: true }],
      silent: true,
    })
    await requestSync(user, item.id)
    await world.drain()
    const row = (await everyTransaction(world, 'edit')).find(({ plaidTransactionId }) =>
      added.includes(plaidTransactionId),
    )
    await world.bank.change(item.plaidItemId, { post_pending: true, silent: true })
    await requestSync(user, item.id)
    world.queue.length = 0
    await syncProduct(
      world.job(
        pausing(() =>
          editTransaction(world.services.api, user.actor.identity, row?.id ?? '', { note: 'written meanwhile' }),
        ),
      ),
      await transactionsOf(item.id),
      'user',
    )
    const posted = (await expectTruth(world, 'edit', item.plaidItemId)).find(({ note }) => note === 'written meanwhile')
    expect(posted).toMatchObject({ pending: false })
  })
})
