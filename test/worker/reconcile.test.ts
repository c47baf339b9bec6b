// The reconciler with much to do, with one user's long list, and with a Plaid that hangs.
import { afterEach, afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Ctx } from '../../src/context.ts'
import { crons, jobFor } from '../../src/cron/schedule.ts'
import { claimExchanges } from '../../src/db/link-exchanges.ts'
import { claimLinkSessions } from '../../src/db/link-sessions.ts'
import { reconcile } from '../../src/link/reconcile.ts'
import type { Plaid } from '../../src/plaid/endpoints.ts'
import { createWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())
beforeEach(async () => {
  await world.sql('truncate users cascade')
  world.lines.length = 0
  world.queue.length = 0
})
afterEach(() => world.stack.clearFaults(world.database.name))

/** Users whom Plaid knows and whose lists were never compared. */
const knownUsers = (count: number) =>
  world.sql(`insert into users (issuer, subject, plaid_user_id)
    select 'reconcile', n::text, 'plaid-' || n from generate_series(1, ${count}) n`)

/** Hosted sessions of a user that are due, the oldest first. */
const dueSessions = (subject: string, count: number) =>
  world.sql(
    `with u as (insert into users (issuer, subject) values ('reconcile', $1) returning id)
      insert into link_sessions (id, user_id, token_digest, token_sealed, expires_at, check_at)
      select gen_random_uuid(), u.id, $1 || n, 'sealed', now() + interval '1 hour', now() - interval '1 hour' + n * interval '1 second'
      from u, generate_series(1, $2::int) n`,
    [subject, count],
  )

/** Exchanges of a user whose answer never came. */
const startedExchanges = (subject: string, count: number) =>
  world.sql(
    `with u as (insert into users (issuer, subject, plaid_user_id) values ('reconcile', $1, 'plaid-' || $1) returning id)
      insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, state, next_attempt_at)
      select gen_random_uuid(), u.id, $1 || n, false, 'started', now() - interval '1 minute' from u, generate_series(1, $2::int) n`,
    [subject, count],
  )

/** The reconciler's context with another answer to `/user/items/get`. */
function answering(getUserItems: Plaid['getUserItems'], now = () => new Date()): Ctx {
  const ctx = world.job()
  return { ...ctx, now, services: { ...ctx.services, plaid: { ...ctx.services.plaid, getUserItems } } }
}

const noItems: Awaited<ReturnType<Plaid['getUserItems']>> = { ok: true, value: { items: [] }, requestId: 'request' }
const noAnswer: Awaited<ReturnType<Plaid['getUserItems']>> = {
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
  it('checks five hundred users, five at a time', { timeout: 60_000 }, async () => {
    await knownUsers(510)
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
    expect([seen.calls, seen.most]).toEqual([500, 5])
    expect(await unchecked()).toBe(10)
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
    // Two were not tried: they are due again, and no try is used up.
    const untried = 'select count(*) as n from link_exchanges where attempts = 0 and next_attempt_at <= now()'
    expect(await numberOf(untried)).toBe(2)
    expect(world.lines.filter((line) => line.includes('reconcile_out_of_time'))).toHaveLength(1)
  })

  it('goes on with its other steps when one fails', async () => {
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

  it('checks a user again after an hour when Plaid did not answer', async () => {
    await knownUsers(1)
    await reconcile(answering(() => Promise.resolve(noAnswer)))
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
    const cron = jobFor(crons[0] ?? '').run(
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
