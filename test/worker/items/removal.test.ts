// Removal as a stored intent: the item is hidden from its user immediately, and removed at Plaid as soon as Plaid
// responds, for every failure in between.
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { batch, execute } from '../../../src/db/core/client.ts'
import { anyRow, command, query } from '../../../src/db/core/statement.ts'
import { publishRemoval } from '../../../src/db/items/removal.ts'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { purgeItem } from '../../../src/db/items/purge.ts'
import { queueRemoval } from '../../../src/items/queue-removal.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { anyAudit } from '../../support/audit.ts'
import { everyTransaction } from '../../support/equality.ts'
import { follow } from '../../support/feed.ts'
import {
  codeOf,
  expectAtRest,
  expectNoTokens,
  heal,
  heldAtPlaid,
  heldHere,
  letTimePass,
  linkAndSyncSmallBank,
  rotate,
  rowOf,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { sampledCalls } from '../../support/sampled.ts'
import { callFaults, failAt } from '../../support/fault-injection.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const linked = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)
const hide = { purge: false }
const plaidDown = () => world.bank.fault({ endpoint: '/item/remove', times: 50, error: 'INTERNAL_SERVER_ERROR' })
const pending = (item: Item) =>
  world.sql('select reason, attempts, last_error from plaid_removals where plaid_item_id = $1', [item.plaidItemId])

const userOf = async (item: Item): Promise<string> =>
  String((await world.sql('select user_id from items where id = $1', [item.id]))[0]?.['user_id'])
const rowOfUser = async (id: string) => (await world.sql('select change_seq from users where id = $1', [id]))[0]

describe('an unavailable Plaid', () => {
  async function removeWhileDown(subject: string, how: { purge: boolean }): Promise<Item> {
    const item = await linked(subject)
    await plaidDown()
    await removeItem(world.user(subject), item.id, how)
    return item
  }

  it.each([{ purge: false }, { purge: true }])('an item is hidden at once, and ended later (%o)', async (how) => {
    const subject = `down ${how.purge}`
    const item = await removeWhileDown(subject, how)
    expect(await getItem(world.services.api, world.user(subject).actor.identity, item.id)).toBeNull()
    expect(await everyTransaction(world, subject)).toEqual([])
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    expect(await pending(item)).toEqual([{ reason: 'removed', attempts: '1', last_error: 'INTERNAL_SERVER_ERROR' }])
    const logged = world.lines.find((line) => line.includes('item_not_ended') && line.includes(item.plaidItemId))
    expect(logged).toContain('"level":"error"')

    // The next attempt is not due yet.
    await reconcile(world.job())
    expect(await pending(item)).toMatchObject([{ attempts: '1' }])
    await letTimePass(world)
    await reconcile(world.job())
    expect(await pending(item)).toMatchObject([{ attempts: '2' }])

    await world.bank.clearFaults()
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('an item is `removing`, and `removed` with Plaid’s word for it', async () => {
    const item = await removeWhileDown('states', hide)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removing' })
    await world.bank.clearFaults()
    await heal(world)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removed', access_token_sealed: '' })
  })

  it('what is purged is deleted all the same, and the token kept until Plaid has ended the item', async () => {
    const item = await removeWhileDown('purged while down', { purge: true })
    expect(await world.sql('select 1 as one from items where id = $1', [item.id])).toEqual([])
    const sealed = () =>
      world.sql('select access_token_sealed is not null as kept from plaid_removals where plaid_item_id = $1', [
        item.plaidItemId,
      ])
    expect(await sealed()).toEqual([{ kept: 't' }])
    await world.bank.clearFaults()
    await heal(world)
    expect(await sealed()).toEqual([])
  })

  it('an item that was removed may be removed again, and is asked for once', async () => {
    const subject = 'twice'
    const item = await linked(subject)
    await plaidDown()
    for (let round = 0; round < 3; round += 1) await removeItem(world.user(subject), item.id, hide)
    expect(await pending(item)).toHaveLength(1)
    await world.bank.clearFaults()
    await removeItem(world.user(subject), item.id, hide)
    expect(await pending(item)).toEqual([])
    expect(await rowOf(world, item)).toMatchObject({ status: 'removed' })
  })
})

describe('a removal', () => {
  it.each(callFaults)(
    'eventually happens, or never starts, when it %s at any call',
    async (fault) => {
      const first = await linked(`unharmed ${fault}`)
      const unharmed = failAt(world.services, { call: 0, fault })
      await removeItem(userWith(world, `unharmed ${fault}`, unharmed.services), first.id, hide)
      expect(unharmed.calls).toEqual(['api', 'jobs', 'jobs', 'jobs', 'plaid.removeItem', 'jobs', 'jobs'])
      const cases: { subject: string; item: Item; at: number }[] = []
      for (const at of sampledCalls(unharmed.calls.length, 8, callFaults.indexOf(fault))) {
        const subject = `removal ${fault} ${at}`
        const item = await linked(subject)
        await codeOf(
          removeItem(userWith(world, subject, failAt(world.services, { call: at, fault }).services), item.id, hide),
        )
        cases.push({ subject, item, at })
      }
      await heal(world)
      // The first call finds the item, the second reads its token, the third hides it.
      const begun = fault === 'dies before' || fault === 'fails before' ? 3 : 2
      for (const { subject, item, at } of cases)
        expect(await expectAtRest(world, subject)).toBe(at <= begun ? item.plaidItemId : null)
      await expectNoTokens(world)
    },
    120_000,
  )

  it('is sent to Plaid once by two concurrent reconcilers', async () => {
    const subject = 'reconcilers'
    const item = await linked(subject)
    await plaidDown()
    await removeItem(world.user(subject), item.id, hide)
    await world.bank.clearFaults()
    await letTimePass(world)
    const asked = async () => (await world.bank.calls()).filter((call) => call.endpoint === '/item/remove').length
    const before = await asked()
    await Promise.all([1, 2, 3, 4].map(() => reconcile(world.job())))
    expect(await asked()).toBe(before + 1)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('waits for a rotation of the token, and uses the new token', async () => {
    const subject = 'rotating'
    const item = await linked(subject)
    const rotating = withPlaid(world.services, {
      async invalidateAccessToken(token) {
        const answer = await world.services.plaid.invalidateAccessToken(token)
        await removeItem(world.user(subject), item.id, hide)
        expect(await rowOf(world, item)).toMatchObject({ status: 'removing' })
        return answer
      },
      // Not every item has a Plaid user, so the removal by user must not be needed.
      removeUserItems: () => Promise.reject(new Error('not by the user')),
    })
    await rotate(world, userWith(world, subject, rotating), item.id)
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    await letTimePass(world)
    await reconcile(world.job(withPlaid(world.services, { removeUserItems: () => Promise.reject(new Error('no')) })))
    expect(await heldAtPlaid(world, subject)).toEqual([])
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('uses Plaid’s id of the user when the token is invalid', async () => {
    const subject = 'dead token'
    const item = await linked(subject)
    const lost = withPlaid(world.services, {
      async invalidateAccessToken(token) {
        await world.services.plaid.invalidateAccessToken(token)
        throw new TypeError('the isolate died')
      },
    })
    await codeOf(rotate(world, userWith(world, subject, lost), item.id))
    await letTimePass(world)
    await removeItem(world.user(subject), item.id, hide)
    expect(await heldAtPlaid(world, subject)).toEqual([])
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('is repeated when Plaid confirmed it but still lists the item', async () => {
    const subject = 'said so'
    const item = await linked(subject)
    const lying = withPlaid(world.services, {
      removeItem: () => Promise.resolve({ ok: true, value: {}, requestId: '' }),
    })
    await removeItem(userWith(world, subject, lying), item.id, hide)
    expect(await rowOf(world, item)).toMatchObject({ status: 'removed' })
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    await heal(world, 3)
    expect(await expectAtRest(world, subject)).toBeNull()
  })
})

describe('the removal of a large item', () => {
  /** A linked item, and a follower of the change feed that has read all of its transactions. */
  async function begun(subject: string) {
    const item = await linked(subject)
    const follower = follow(world, subject)
    await follower.catchUp()
    expect(follower.copy.size).toBeGreaterThan(4)
    return { item, follower }
  }

  it('outlasts the limits of the API’s login, and a commit that holds the item', async () => {
    const subject = 'slow'
    const { item, follower } = await begun(subject)
    const limit = `alter role ${new URL(world.database.apiUrl).username} in database ${world.database.name}`
    await world.sql(`create function slow() returns trigger language plpgsql as $$
      begin perform pg_sleep(0.1); return new; end $$`)
    await world.sql('create trigger slow before update on transactions for each row execute function slow()')
    try {
      await world.sql(`${limit} set statement_timeout = '300ms'`)
      // Open sessions keep their settings, so the database restarts.
      await world.stack.addFault(world.database.name, { kind: 'restart', matching: 'select 1 as restarted' })
      await codeOf(execute(world.services.jobs, [command(sql`select 1 as restarted`)]))
      const { api, jobs } = world.services
      const { found } = await batch(api, {
        found: query(anyRow, sql`select current_setting('statement_timeout') as limit`),
      })
      expect(found).toEqual([{ limit: '300ms' }])
      const commit = execute(jobs, [
        command(sql`select 1 from items where id = ${item.id} for no key update`),
        command(sql`select pg_sleep(4)`),
      ])
      await expect
        .poll(() =>
          world.sql(
            "select 1 from pg_stat_activity where query like 'select pg_sleep(4)%' and datname = current_database()",
          ),
        )
        .toHaveLength(1)
      await removeItem(world.user(subject), item.id, hide)
      await commit
    } finally {
      await world.sql(`${limit} reset statement_timeout`)
      await world.sql('drop trigger slow on transactions')
      await world.sql('drop function slow')
    }
    await follower.catchUp()
    expect(follower.copy.size).toBe(0)
    expect(await expectAtRest(world, subject)).toBeNull()
  }, 60_000)

  it('is added to the change feed in portions, once, with any crash between them', async () => {
    const subject = 'portions'
    const { item, follower } = await begun(subject)
    const count = follower.copy.size
    const own = { id: item.id, userId: await userOf(item), plaidItemId: item.plaidItemId }
    const numbers = async () => Number((await rowOfUser(own.userId))?.['change_seq'])
    // The item, its accounts and its other rows have numbers, too.
    const others = async () => {
      const found = await world.sql('select count(*) as n from changes where user_id = $1 and seq > $2', [
        own.userId,
        before,
      ])
      return Number(found[0]?.['n'])
    }
    const before = await numbers()
    await queueRemoval(world.job(), own, { keepDays: 30 }, await anyAudit(world))
    expect(await everyTransaction(world, subject)).toEqual([])
    const dying = failAt(world.services, { call: 3, fault: 'dies before' })
    await expect(publishRemoval(dying.services.jobs, item.plaidItemId, 2)).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await numbers()).toBe(before + (await others()) + 4)
    await follower.catchUp()
    expect(follower.copy.size).toBe(count - 4)
    await reconcile(world.job())
    await follower.catchUp()
    expect(follower.copy.size).toBe(0)
    expect(await numbers()).toBe(before + (await others()) + count)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('is added to the change feed before its rows are deleted', async () => {
    const subject = 'unreported'
    const { item, follower } = await begun(subject)
    const { jobs } = world.services
    const own = { id: item.id, userId: await userOf(item), plaidItemId: item.plaidItemId }
    await queueRemoval(world.job(), own, { keepDays: 0 }, await anyAudit(world))
    await purgeItem(jobs, item.id)
    await follower.catchUp()
    expect(follower.copy.size).toBe(0)
    await heal(world)
    expect(await expectAtRest(world, subject)).toBeNull()
  })

  it('gets 404 for any other user, and changes nothing', async () => {
    const { item, follower } = await begun('owner')
    await linked('stranger')
    expect(await codeOf(removeItem(world.user('stranger'), item.id, { purge: true }))).toBe('not_found')
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', removed_at: null })
    expect(await pending(item)).toEqual([])
    expect(await everyTransaction(world, 'owner')).toHaveLength(follower.copy.size)
  })
})

describe('an item whose permission was withdrawn', () => {
  it('is ended at Plaid too, and shown to its user until it is deleted', async () => {
    const subject = 'withdrawn'
    const item = await linked(subject)
    await world.sql("update items set status = 'revoked', status_reason = 'USER_PERMISSION_REVOKED' where id = $1", [
      item.id,
    ])
    await heal(world)
    expect(await heldAtPlaid(world, subject)).toEqual([])
    expect(await heldHere(world, subject)).toEqual([item.plaidItemId])
    expect(await rowOf(world, item)).toMatchObject({ status: 'revoked', purge_at: expect.any(String) })
    await world.sql("update items set purge_at = purge_at - interval '31 days' where id = $1", [item.id])
    await reconcile(world.job())
    expect(await heldHere(world, subject)).toEqual([])
  })
})
