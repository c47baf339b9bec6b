// An isolate dies at any call between a webhook's arrival and the commit. The next sweep brings the data up to date,
// and stores no row twice.
import { describe, expect, it } from 'vitest'
import { sweep } from '../../../src/sync/sweep.ts'
import { expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { failAt, type Moment } from '../../support/fault-injection.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'
import { sampledCalls } from '../../support/sampled.ts'

let world: World
useWorld((made) => {
  world = made
})

/** Delivers one webhook to an isolate that dies at its nth call. Returns the calls that it made. */
async function carry(plaidItemId: string, dieAt: number, moment: Moment): Promise<readonly string[]> {
  await world.bank.change(plaidItemId, { add: 510, modify: 3, remove: 505, post_pending: true })
  let delivery
  await expect
    .poll(
      async () => (delivery = (await world.delivered()).find(({ body }) => body.includes('SYNC_UPDATES_AVAILABLE'))),
      { timeout: 5000 },
    )
    .toBeDefined()
  if (delivery === undefined) throw new Error('no webhook came')
  const isolate = failAt(world.services, { call: dieAt, fault: `dies ${moment}` })
  try {
    await world.deliver(delivery, isolate.services)
    await world.drain(isolate.services)
  } catch (error) {
    if (!isolate.isDead()) throw error
  }
  // A local queue loses its messages with the isolate; leases and retry times expire.
  world.queue.length = 0
  await world.elapse()
  return isolate.calls
}

async function heal(): Promise<void> {
  await sweep(world.job())
  await world.drain()
  await world.elapse()
  await sweep(world.job())
  await world.drain()
}

async function expectOnce(itemId: string): Promise<void> {
  const [row] = await world.sql(
    `select count(*) = count(distinct change_seq) as changes_once,
       (select change_seq from users u where u.id = t.user_id) >= max(change_seq) as counted
     from transactions t where item_id = $1 group by user_id`,
    [itemId],
  )
  expect(row).toEqual({ changes_once: 't', counted: 't' })
}

describe('an isolate that dies', () => {
  it('loses nothing and does nothing twice, whichever call was its last', async () => {
    const item = await linkAndSync(world, 'mortal')
    const calls = await carry(item.plaidItemId, 0, 'before')
    expect(calls).toEqual(expect.arrayContaining(['jobs', 'enqueue', 'plaid.syncTransactions']))
    await expectTruth(world, 'mortal', item.plaidItemId)
    for (const [place, moment] of (['before', 'after'] as const).entries())
      for (const dieAt of sampledCalls(calls.length, 5, place)) {
        await carry(item.plaidItemId, dieAt, moment)
        await heal()
        await expectTruth(world, 'mortal', item.plaidItemId)
        await expectOnce(item.id)
      }
  }, 120_000)

  it('does not commit again after a commit whose response was lost', async () => {
    const item = await linkAndSync(world, 'answer')
    const runs = () =>
      world.sql(
        "select count(*) as n from sync_runs where item_id = $1 and product = 'transactions' and outcome = 'committed'",
        [item.id],
      )
    const [before] = await runs()
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: 'begin_commit' })
    await carry(item.plaidItemId, 0, 'before')
    const [after] = await runs()
    expect(Number(after?.['n'])).toBe(Number(before?.['n']) + 1)
    await expectTruth(world, 'answer', item.plaidItemId)
    await expectOnce(item.id)
  })

  it('leaves the old data when its commit failed before it began, and the retry stores the new data', async () => {
    const item = await linkAndSync(world, 'refused')
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'begin_commit', times: 3 })
    await carry(item.plaidItemId, 0, 'before')
    await world.stack.clearFaults(world.database.name)
    await heal()
    await expectTruth(world, 'refused', item.plaidItemId)
  })
})
