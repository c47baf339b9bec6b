// The reconciler with much work, with a user whose list is long, and with a Plaid that hangs.
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Ctx } from '../../../src/context.ts'
import { crons, jobFor } from '../../../src/cron/schedule.ts'
import { claimExchanges } from '../../../src/db/link/exchanges.ts'
import { claimLinkSessions } from '../../../src/db/link/sessions.ts'
import { claimOrphans } from '../../../src/db/link/orphans.ts'
import { purgeItems, purgeRevokedAccounts } from '../../../src/db/items/purge.ts'
import { claimDue } from '../../../src/db/sync/due.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Plaid } from '../../../src/plaid/endpoints.ts'
import type { LimitedCall } from '../../../src/plaid/rate-limit/admission.ts'
import { createServices } from '../../../src/services.ts'
import { consumeSync } from '../../../src/queue/consumer.ts'
import { mostUsersOf } from '../../../src/link/check-users.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'
import { reconcilerWork } from './reconciler-work.ts'

const idsIn = (message: unknown): readonly string[] =>
  z.object({ check_user_ids: z.array(z.string()) }).parse(message).check_user_ids
const anyId = (): unknown => expect.any(String)

/** Delivers one message, as the platform does. Returns whether it was acknowledged. */
async function deliver(ctx: Ctx, body: unknown): Promise<boolean> {
  const batch = createMessageBatch('wealthnavigator-sync', [{ id: 'm0', timestamp: new Date(), attempts: 1, body }])
  await consumeSync(ctx, batch)
  return (await getQueueResult(batch, createExecutionContext())).explicitAcks.length === 1
}

let world: World
useWorld((made) => {
  world = made
})
beforeEach(async () => {
  await world.sql('truncate users cascade')
  world.lines.length = 0
  world.queue.length = 0
})
afterEach(() => world.stack.clearFaults(world.database.name))

const { knownUsers, dueSessions, startedExchanges, keptExchange, itemOf } = reconcilerWork(() => world)

/** The reconciler's context with another response of `/user/items/get`. */
function answering(getUserItems: Plaid['getUserItems'], now = () => new Date()): Ctx {
  const ctx = world.job()
  return { ...ctx, now, services: withPlaid(ctx.services, { getUserItems }) }
}

const noItems: Awaited<ReturnType<Plaid['getUserItems']>> = { ok: true, value: { items: [] }, requestId: 'request' }
const noResponse: Awaited<ReturnType<Plaid['getUserItems']>> = {
  ok: false,
  failure: {
    class: 'retry',
    errorType: 'NETWORK',
    errorCode: 'TIMEOUT',
    status: 0,
    requestId: null,
    retryAfterSeconds: null,
  },
}

const numberOf = async (query: string): Promise<number> => Number((await world.sql(query))[0]?.['n'])
const unchecked = () =>
  numberOf(
    `select count(*) as n from users where plaid_items_checked_at is null or plaid_items_checked_at <= now() - interval '1 day'`,
  )

describe('a run', () => {
  it('checks 400 users itself, five at a time, and sends messages for the others', { timeout: 60_000 }, async () => {
    await knownUsers(460)
    const seen = { busy: 0, most: 0, calls: 0 }
    // The first five wait for each other.
    const { promise: fiveAtWork, resolve } = Promise.withResolvers<void>()
    await reconcile(
      answering(async () => {
        seen.calls += 1
        seen.busy += 1
        seen.most = Math.max(seen.most, seen.busy)
        if (seen.busy === 5) resolve()
        await fiveAtWork
        seen.busy -= 1
        return noItems
      }),
    )
    expect([seen.calls, seen.most]).toEqual([400, 5])
    expect(await unchecked()).toBe(0)
    expect(world.queue.map(idsIn)).toEqual([25, 25, 10].map((length) => Array.from({ length }, anyId)))
    // Every user of a message is compared, and once.
    const asked: string[] = []
    const ctx = answering((plaidUserId) => {
      asked.push(plaidUserId)
      return Promise.resolve(noItems)
    })
    for (const message of world.queue.splice(0)) expect(await deliver(ctx, message)).toBe(true)
    expect(new Set(asked).size).toBe(60)
    expect(asked).toHaveLength(60)
  })

  it('makes users due again whose message the queue refuses, and in an hour those whose comparison fails', async () => {
    await knownUsers(403)
    const refusing = answering(() => Promise.resolve(noItems))
    const services = { ...refusing.services, enqueueUserChecks: (ids: readonly string[]) => Promise.resolve(ids) }
    await reconcile({ ...refusing, services })
    expect(await unchecked()).toBe(3)
    const dueUsers = 'select id from users where plaid_items_checked_at <= now() - interval $$1 day$$ order by id'
    const ids = await world.sql(dueUsers)
    await world.sql('update users set plaid_items_checked_at = now()')
    let calls = 0
    const failing = answering(() => {
      calls += 1
      return calls === 2 ? Promise.reject(new Error('no')) : Promise.resolve(noItems)
    })
    expect(await deliver(failing, { check_user_ids: ids.map(({ id }) => String(id)) })).toBe(true)
    expect(calls).toBe(3)
    expect(await world.sql(dueUsers)).toEqual([])
    await world.sql("update users set plaid_items_checked_at = plaid_items_checked_at - interval '61 minutes'")
    expect(await world.sql(dueUsers)).toHaveLength(1)
  })

  it('claims more users where the contract with Plaid has a higher limit', () => {
    const runsADay = 24 * 12
    expect(mostUsersOf(500) * runsADay).toBe(504_000)
    expect(mostUsersOf(1000) * runsADay).toBeGreaterThanOrEqual(1_000_000)
  })

  it('starts nothing when its time is up, and gives back what it did not try', async () => {
    await startedExchanges('late', 3)
    await knownUsers(20)
    let nowMs = Date.now()
    const checked: string[] = []
    const ctx = answering(
      (plaidUserId) => {
        nowMs += 300_000
        checked.push(plaidUserId)
        return Promise.resolve(noItems)
      },
      () => new Date(nowMs),
    )
    await reconcile(ctx)
    expect(checked).toEqual(['plaid-late'])
    // Two were not attempted: they are due again, and no attempt is counted.
    const untried = 'select count(*) as n from link_exchanges where attempts = 0 and next_attempt_at <= now()'
    expect(await numberOf(untried)).toBe(2)
    expect(world.lines.filter((line) => line.includes('reconcile_out_of_time'))).toHaveLength(1)
  })

  it('does its work without Plaid also where Plaid hangs', async () => {
    await startedExchanges('hangs', 1)
    await itemOf('due', "status = 'removed', removed_at = now(), purge_at = now()")
    await itemOf('withdrawn', "status = 'revoked'")
    await itemOf('stuck', "status = 'healthy', rotation_started_at = now() - interval '1 hour'")
    let nowMs = Date.now()
    const hanging: Plaid['getUserItems'] = () => {
      nowMs += 300_000
      return Promise.resolve(noResponse)
    }
    await reconcile(answering(hanging, () => new Date(nowMs)))
    expect(nowMs).toBeGreaterThan(Date.now() + 200_000)
    expect(await world.sql('select plaid_item_id from items order by 1')).toEqual([
      { plaid_item_id: 'stuck' },
      { plaid_item_id: 'withdrawn' },
    ])
    expect(await world.sql('select plaid_item_id, reason from plaid_removals')).toEqual([
      { plaid_item_id: 'withdrawn', reason: 'revoked' },
    ])
    const marked = `select i.plaid_item_id from item_products p join items i on i.id = p.item_id where p.dirty_seq > p.synced_seq`
    expect(await world.sql(marked)).toEqual([{ plaid_item_id: 'stuck' }])
  })

  it('asks Plaid as background work, so that users who wait come first', async () => {
    await startedExchanges('unanswered', 1)
    await keptExchange('kept')
    await knownUsers(1)
    await itemOf('withdrawn', "status = 'revoked'")
    const asked: LimitedCall[] = []
    const admit = (call: LimitedCall) => {
      asked.push(call)
      return Promise.resolve({ admitted: false, waitMs: 60_000, by: 'client' } as const)
    }
    const quota = { admit, refused: () => Promise.resolve() }
    const bindings = { SYNC_QUEUE: { sendBatch: () => Promise.resolve() }, PLAID_QUOTA: { getByName: () => quota } }
    const { plaid, plaidFor } = createServices(world.services.config, bindings)
    await reconcile(world.job({ ...world.services, plaid, plaidFor }))
    expect(new Set(asked.map(({ path }) => path))).toEqual(
      new Set(['/user/items/get', '/item/get', '/accounts/get', '/item/remove']),
    )
    expect(asked.filter(({ priority }) => priority !== 'background')).toEqual([])
  })

  it('has six calls to Plaid at a time at most, also when it finishes exchanges', async () => {
    for (const subject of ['one', 'two', 'three', 'four', 'five']) await keptExchange(subject)
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    let calls = 0
    const held = async () => {
      calls += 1
      await gate
      return noResponse
    }
    const run = reconcile(
      world.job(withPlaid(world.services, { getItem: held, getAccounts: held, getUserItems: held })),
    )
    await expect.poll(() => calls, { timeout: 10_000 }).toBe(6)
    // After two round trips, any further call to Plaid would have been counted.
    await world.sql('select 1')
    await world.sql('select 1')
    expect(calls).toBe(6)
    open()
    await run
    expect(calls).toBe(15)
  })

  it('marks an exchange as lost with an alarm when Plaid did not list the items in eight attempts', async () => {
    await startedExchanges('unlisted', 1)
    const again = "update link_exchanges set next_attempt_at = now() - interval '1 minute', attempts = $1"
    const state = 'select state from link_exchanges'
    const unanswered = answering(() => Promise.resolve(noResponse))
    await world.sql(again, [6])
    await reconcile(unanswered)
    expect(await world.sql(state)).toEqual([{ state: 'started' }])
    await world.sql(again, [7])
    await reconcile(unanswered)
    expect(await world.sql(state)).toEqual([{ state: 'lost' }])
    expect(world.lines.filter((line) => line.includes('"exchange_lost"'))).toHaveLength(1)
  })

  it('continues with its other steps when one fails', async () => {
    await knownUsers(2)
    await world.stack.addFault(world.database.name, {
      kind: 'fail-before',
      matching: 'update link_exchanges',
      times: 1,
    })
    await expect(reconcile(answering(() => Promise.resolve(noItems)))).rejects.toThrow(
      '1 steps of the reconciler failed',
    )
    expect(await unchecked()).toBe(0)
    expect(world.lines.some((line) => line.includes('reconcile_step_failed') && line.includes('exchanges'))).toBe(true)
  })

  it('checks a user again after an hour when Plaid did not respond', async () => {
    await knownUsers(1)
    await reconcile(answering(() => Promise.resolve(noResponse)))
    expect(await unchecked()).toBe(0)
    await world.sql("update users set plaid_items_checked_at = plaid_items_checked_at - interval '61 minutes'")
    expect(await unchecked()).toBe(1)
  })
})

describe('a claim', () => {
  it("takes every user's first hosted session before any user's second", async () => {
    await dueSessions('many', 80)
    await dueSessions('few', 2)
    await dueSessions('one', 1)
    const claimed = await claimLinkSessions(world.services.jobs, 5)
    const counts = [...Map.groupBy(claimed, ({ userId }) => userId).values()].map(({ length }) => length)
    expect(counts.toSorted((one, other) => one - other)).toEqual([1, 2, 2])
  })

  it("takes every user's first exchange before any user's second", async () => {
    await startedExchanges('many', 80)
    await startedExchanges('one', 1)
    const claimed = await claimExchanges(world.services.jobs, 2)
    expect(new Set(claimed.map(({ userId }) => userId)).size).toBe(2)
  })
})

/** Inserts items of a user with these columns and values. The first user's items are the oldest. */
const manyItems = (subject: string, count: number, columns: string, values: string) =>
  world.sql(
    `with u as (insert into users (issuer, subject) values ('reconcile', $1) returning id)
      insert into items (user_id, plaid_item_id, access_token_sealed, ${columns})
      select u.id, $1 || n, 'none', ${values} from u, generate_series(1, $2::int) n`,
    [subject, count],
  )

const subjectsWhere = async (which: string) =>
  (await world.sql(`select distinct u.subject from ${which} order by 1`)).map(({ subject }) => subject)

describe('a batch of work of many users', () => {
  const gone = `status, removed_at, purge_at`
  const goneFor = (age: string) => `'removed', now() - interval '${age}', now() - interval '${age}'`

  it("deletes every user's first removed item before any user's second", async () => {
    await manyItems('many', 60, gone, goneFor('2 days'))
    await manyItems('one', 1, gone, goneFor('1 day'))
    expect(await purgeItems(world.services.jobs, 50, () => false)).toBe(50)
    expect(await subjectsWhere('items i join users u on u.id = i.user_id')).toEqual(['many'])
  })

  it("deletes every user's first revoked account before any user's second", async () => {
    await manyItems('many', 1, 'status', "'healthy'")
    await manyItems('one', 1, 'status', "'healthy'")
    await world.sql(`insert into accounts (user_id, item_id, plaid_account_id, name, type, revoked_at)
      select i.user_id, i.id, i.plaid_item_id || n, 'Account', 'depository',
        now() - case when u.subject = 'many' then interval '9 days' else interval '8 days' end
      from items i join users u on u.id = i.user_id, generate_series(1, 60) n where u.subject = 'many' or n = 1`)
    expect(await purgeRevokedAccounts(world.services.jobs, 7, 50)).toBe(50)
    expect(await subjectsWhere('accounts a join users u on u.id = a.user_id')).toEqual(['many'])
  })

  it("claims every user's first orphan before any user's second, also for the limit of the day", async () => {
    await world.sql("update safety_switches set state = 'end', count = 0 where name = 'orphan_removal'")
    for (const [subject, count] of [
      ['many', 60],
      ['one', 1],
    ] as const)
      await world.sql(
        `with u as (insert into users (issuer, subject) values ('reconcile', $1) returning id)
          insert into plaid_removals (user_id, plaid_item_id, reason, next_attempt_at)
          select u.id, $1 || n, 'orphan', now() - case when $1 = 'many' then interval '2 hours' else interval '1 hour' end
          from u, generate_series(1, $2::int) n`,
        [subject, count],
      )
    const { removals } = await claimOrphans(world.services.jobs, 50, 2)
    expect(new Set(removals.map(({ userId }) => userId)).size).toBe(2)
    await world.sql("update safety_switches set count = 0 where name = 'orphan_removal'")
    await world.sql(
      "update plaid_removals set attempts = 0, next_attempt_at = case when plaid_item_id = 'one1' then now() else now() - interval '1 hour' end",
    )
    const again = await claimOrphans(world.services.jobs, 2, 50)
    expect(new Set(again.removals.map(({ userId }) => userId)).size).toBe(2)
  })

  it('enqueues the first due product of every user before the second of any', async () => {
    await manyItems('many', 60, 'status', "'healthy'")
    await manyItems('one', 1, 'status', "'healthy'")
    await world.sql(`insert into item_products (item_id, user_id, product, dirty_seq, synced_seq, next_attempt_at)
      select i.id, i.user_id, 'holdings', 2, 1, now() - case when u.subject = 'many' then interval '2 hours' else interval '1 hour' end
      from items i join users u on u.id = i.user_id`)
    const { ids } = await claimDue(world.services.jobs, 20, 600)
    expect(ids).toHaveLength(20)
    const claimed = `item_products p join users u on u.id = p.user_id where p.next_attempt_at > now()`
    expect(await subjectsWhere(claimed)).toEqual(['many', 'one'])
  })
})

describe('the cron of the sweep', () => {
  it('sweeps before the reconciler waits for a Plaid that hangs', async () => {
    await knownUsers(5)
    await world.sql(`with u as (insert into users (issuer, subject) values ('reconcile', 'dirty') returning id),
      i as (insert into items (user_id, plaid_item_id, access_token_sealed, status)
        select id, 'dirty', 'none', 'healthy' from u returning id, user_id)
      insert into item_products (item_id, user_id, product, status, dirty_seq, synced_seq)
      select id, user_id, 'holdings', 'ok', 2, 1 from i`)
    const { promise: end, resolve } = Promise.withResolvers<typeof noItems>()
    let waiting = 0
    const sweep = crons.map((cron) => jobFor(cron)).find(({ name }) => name === 'sweep')
    const cron = sweep?.run(
      answering(() => {
        waiting += 1
        return end
      }),
    )
    await expect.poll(() => waiting, { timeout: 10_000 }).toBe(5)
    expect(world.queue).toHaveLength(1)
    resolve(noItems)
    await cron
  })
})
