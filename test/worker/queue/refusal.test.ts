// A queue that refuses messages by rule. A request succeeds once its work is stored, the sweep continues with its next
// batch, and products that were not enqueued are due for the next sweep.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { insertLinkSession } from '../../../src/db/link/sessions.ts'
import { registerUser } from '../../../src/db/core/scope.ts'
import { requestRotation } from '../../../src/items/request-rotation.ts'
import { rotateAccessToken } from '../../../src/items/rotate-access-token.ts'
import { coalesced } from '../../../src/messages/coalesce.ts'
import { createProducer } from '../../../src/messages/producer.ts'
import { replayAll } from '../../../src/sync/replay-dead-letters.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { anyAudit } from '../../support/audit.ts'
import { expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { Delivery } from '../../support/stack.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
beforeEach(async () => {
  await world.sql('truncate users cascade')
  world.lines.length = 0
  world.queue.length = 0
})

/**
 * Services whose queue refuses the calls for which the rule says so, counted from 1, and the sizes of the accepted
 * batches.
 */
function refusing(rule: (call: number) => boolean) {
  const taken: number[] = []
  let calls = 0
  const producer = createProducer({
    queue: {
      sendBatch: (messages) => {
        calls += 1
        return rule(calls) ? Promise.reject(new Error('15000')) : Promise.resolve(taken.push(messages.length))
      },
    },
    wait: () => Promise.resolve(),
    random: Math.random,
    log: { error: () => undefined },
  })
  const { jobs } = world.services
  const enqueue = coalesced({ jobs, send: producer.send, log: { error: () => undefined } })
  return { services: { ...world.services, ...producer, enqueue }, taken }
}

/** Inserts dirty products that are due. */
async function due(count: number): Promise<void> {
  await world.sql(`with u as (insert into users (issuer, subject) values ('refusal', gen_random_uuid()::text) returning id),
    i as (insert into items (user_id, plaid_item_id, access_token_sealed, status)
      select u.id, gen_random_uuid()::text, 'none', 'healthy' from u, generate_series(1, ${count}) returning id, user_id)
    insert into item_products (item_id, user_id, product, status, dirty_seq, synced_seq, last_synced_at, next_attempt_at)
    select id, user_id, 'holdings', 'ok', 2, 1, now() - interval '1 hour', now() - interval '1 minute' from i`)
}

const lineOf = (event: string): unknown => {
  const line = world.lines.find((candidate) => candidate.includes(`"${event}"`))
  return line === undefined ? null : JSON.parse(line)
}

describe('a sweep', () => {
  it('continues after a batch that the queue refuses three times', async () => {
    await due(500)
    const { services, taken } = refusing((call) => call >= 2 && call <= 4)
    expect(await sweep(world.job(services))).toEqual({ queued: 400, notQueued: 100, probed: 0 })
    expect(taken).toEqual([100, 100, 100, 100])
  })

  it('logs how many rows it could not enqueue, and leaves them due for the next sweep', async () => {
    await due(9000)
    const full = refusing((call) => call > 20)
    expect(await sweep(world.job(full.services))).toEqual({ queued: 2000, notQueued: 5500, probed: 0 })
    expect(lineOf('sweep')).toMatchObject({ level: 'error', queued: 2000, failed: 5500 })
    // No time has passed, so the second sweep leaves out only what the first one enqueued.
    const recovered = refusing(() => false)
    expect(await sweep(world.job(recovered.services))).toMatchObject({ queued: 7000, notQueued: 0 })
  })

  it('loses no row when the queue never recovers, sweep after sweep', async () => {
    await due(300)
    for (let turn = 0; turn < 3; turn += 1)
      expect(await sweep(world.job(refusing(() => true).services))).toMatchObject({ queued: 0, notQueued: 300 })
    expect(await sweep(world.job(refusing(() => false).services))).toMatchObject({ queued: 300 })
  })

  it('stops sending after two minutes, and leaves the rest due', async () => {
    await due(500)
    let nowMs = Date.now()
    const enqueue: Ctx['services']['enqueue'] = () => {
      nowMs += 61_000
      return Promise.resolve([])
    }
    const ctx = world.job({ ...world.services, enqueue })
    expect(await sweep({ ...ctx, now: () => new Date(nowMs) })).toMatchObject({ queued: 200, notQueued: 300 })
    expect(await sweep(world.job(refusing(() => false).services))).toMatchObject({ queued: 300 })
  })

  it('does not make a row due that a run has put off since', async () => {
    await due(2)
    const enqueue: Ctx['services']['enqueue'] = async (ids) => {
      await world.sql("update item_products set next_attempt_at = now() + interval '6 hours' where id = $1", [ids[0]])
      return ids
    }
    expect(await sweep(world.job({ ...world.services, enqueue }))).toMatchObject({ notQueued: 2 })
    expect(await sweep(world.job(refusing(() => false).services))).toMatchObject({ queued: 1 })
  })
})

describe('a queue that refuses everything', () => {
  /**
   * Runs `act` while the queue refuses every message. Then a sweep enqueues the due products, and the queue is drained.
   */
  async function refusedThenSwept(act: (ctx: Ctx) => Promise<unknown>): Promise<void> {
    await act(world.job(refusing(() => true).services))
    expect(world.queue).toEqual([])
    await sweep(world.job())
    await world.drain()
  }

  it('a webhook is recorded and accepted', async () => {
    const item = await linkAndSync(world, 'webhook')
    await world.bank.change(item.plaidItemId, { add: 3 })
    const isNews = ({ body }: Delivery) => body.includes(item.plaidItemId) && body.includes('SYNC_UPDATES_AVAILABLE')
    let news: Delivery | undefined
    await expect
      .poll(async () => (news = (await world.delivered()).findLast(isNews)), { timeout: 10_000 })
      .toBeDefined()
    await refusedThenSwept(async ({ services }) => {
      if (news !== undefined) await world.deliver(news, services)
    })
    await expectTruth(world, 'webhook', item.plaidItemId)
  })

  it("a user's request for a sync is accepted", async () => {
    const item = await linkAndSync(world, 'asks')
    await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    await refusedThenSwept(async ({ services }) => {
      expect(await requestSync({ ...world.user('asks'), services }, item.id)).toBeGreaterThan(0)
    })
    await expectTruth(world, 'asks', item.plaidItemId)
  })

  it('a rotation succeeds', async () => {
    const item = await linkAndSync(world, 'rotates')
    const requested = await requestRotation(world.user('rotates'), item.id)
    world.queue.length = 0
    await refusedThenSwept(({ services }) => rotateAccessToken({ ...world.user('rotates'), services }, requested))
    await expectTruth(world, 'rotates', item.plaidItemId)
  })

  it('a replayed dead letter of a Link session leaves the session due', async () => {
    const identity = { issuer: 'wealthnavigator-edge', subject: 'session' }
    const userId = await registerUser(world.services.api, identity)
    const id = crypto.randomUUID()
    await insertLinkSession(
      world.services.api,
      identity,
      {
        id,
        userId,
        tokenDigest: id,
        tokenSealed: 'sealed',
        itemId: null,
        plaidUserId: null,
        expiresAt: new Date(Date.now() + 3600_000),
        checkAt: null,
      },
      world.services.config.linking,
      await anyAudit(world),
    )
    await world.sql(
      `insert into dead_letters (queue, message_id, reason, payload) values ('wealthnavigator-sync', $1, 'retries_exhausted', $2::jsonb)`,
      [id, JSON.stringify({ link_session_id: id })],
    )
    expect(await replayAll(world.job(refusing(() => true).services))).toBe(1)
    expect(await world.sql('select check_at <= now() as due from link_sessions where id = $1', [id])).toEqual([
      { due: 't' },
    ])
  })
})
