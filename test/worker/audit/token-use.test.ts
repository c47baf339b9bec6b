// The use of an access token by a job: one row per item and UTC day, before Plaid is called.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { recordTokenUse } from '../../../src/audit/token-use.ts'
import { queueRemoval } from '../../../src/items/queue-removal.ts'
import { removeAtPlaid } from '../../../src/items/remove-at-plaid.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { anyAudit } from '../../support/audit.ts'
import { link } from '../../support/linked.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())
afterEach(async () => {
  await world.stack.clearFaults(world.database.name)
  world.queue.length = 0
})

const uses = (itemId: string) =>
  world.sql(
    `select l.actor_kind, p.person from audit_log l left join audit_people p on p.audit_id = l.id and p.part = 'owner'
      where l.target_id = $1 and l.action = 'token_used' order by l.at`,
    [itemId],
  )
const callsOf = async (plaidItemId: string) =>
  (await world.bank.calls()).filter((call) => 'item_id' in call && call.item_id === plaidItemId).length
/** The id of a dirty product of an item. */
async function dirty(itemId: string): Promise<string> {
  const [row] = await world.sql(
    `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), lease_owner = null,
       lease_expires_at = null where item_id = $1 and product = 'balances' returning id`,
    [itemId],
  )
  return String(row?.['id'])
}

describe('a sync', () => {
  it('is one row in the trail of the user, for any number of syncs of any products on one day', async () => {
    const item = await link(world, 'synced')
    await world.drain()
    expect(await callsOf(item.plaidItemId)).toBeGreaterThan(3)
    const row = { actor_kind: 'queue', person: '20:wealthnavigator-edgesynced' }
    expect(await uses(item.id)).toEqual([row])
    await syncProduct(world.job(), await dirty(item.id), 'user')
    expect(await uses(item.id)).toEqual([row])
  })

  it('is another row on another day, here of a removal', async () => {
    const item = await link(world, 'next day')
    await syncProduct(world.job(), await dirty(item.id), 'user')
    const [row] = await world.sql('select user_id from items where id = $1', [item.id])
    const owned = { id: item.id, userId: String(row?.['user_id']), plaidItemId: item.plaidItemId }
    await queueRemoval(world.job(), owned, { keepDays: 30 }, await anyAudit(world))
    const tomorrow = { ...world.job(), now: () => new Date(Date.now() + 86_400_000) }
    await removeAtPlaid(tomorrow, item.plaidItemId)
    expect(await uses(item.id)).toHaveLength(2)
    expect(await callsOf(item.plaidItemId)).toBeGreaterThan(1)
  })

  it('is one row also where two jobs of the same day meet', async () => {
    const item = await link(world, 'two jobs')
    const [row] = await world.sql('select user_id from items where id = $1', [item.id])
    const owner = { itemId: item.id, userId: String(row?.['user_id']) }
    const sweep = { ...world.job(), actor: { kind: 'cron', name: 'sweep' } } as const
    await Promise.all([recordTokenUse(world.job(), owner), recordTokenUse(sweep, owner)])
    await recordTokenUse(world.job(), owner)
    // What a user does has another row.
    await recordTokenUse(world.user('two jobs'), owner)
    expect(await uses(item.id)).toHaveLength(1)
  })

  it('calls Plaid for nothing while the row cannot be stored, and leaves the product due', async () => {
    const item = await link(world, 'not stored')
    const before = await callsOf(item.plaidItemId)
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'app.record_audit' })
    await expect(syncProduct(world.job(), await dirty(item.id), 'user')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await callsOf(item.plaidItemId)).toBe(before)
    expect(await uses(item.id)).toEqual([])
    await world.stack.clearFaults(world.database.name)
    await syncProduct(world.job(), await dirty(item.id), 'user')
    expect(await uses(item.id)).toHaveLength(1)
  })

  it('asks the database for nothing more once the row is there', async () => {
    const item = await link(world, 'cheap')
    const count = async () => {
      const id = await dirty(item.id)
      const requests: string[] = []
      const spied = globalThis.fetch
      globalThis.fetch = async (input, init) => {
        const url = input instanceof Request ? input.url : String(input)
        if (url.startsWith(world.database.endpoint)) requests.push(url)
        return await spied(input, init)
      }
      try {
        await syncProduct(world.job(), id, 'user')
      } finally {
        globalThis.fetch = spied
      }
      return requests.length
    }
    const [first, second, third] = [await count(), await count(), await count()]
    expect([first - second, third - second]).toEqual([1, 0])
  })
})
