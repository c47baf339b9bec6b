// The feed of everything while rows of every kind come, change, hide and go, and while changes are deleted because of their age:
// a client that never gets 410 has missed nothing.
import * as fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { purgeFeed } from '../../../src/db/records/retention.ts'
import { ageing, erasing, restoring, run, seedUser, steps } from '../../support/feed-steps.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { followAll, listedAll, readFeed, type WholeCopy, type WholeFollower } from '../../support/whole-feed.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

async function purge(): Promise<void> {
  for (const name of ['changes', 'transaction_tombstones'])
    await purgeFeed(world.services.jobs, { name, days: 180 }, 1000)
}

/** Whether the client got 410. */
async function isExpired(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading
    return false
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'feed_expired') throw error
    if (error.extensions['next_since'] !== '0') throw error
    return true
  }
}

const place = fc.nat(30)
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ does: fc.constantFrom(...Object.keys(steps)), place }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom(...Object.keys(ageing), 'purge'), place }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('restore', 'erase'), place }) },
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('read'), place: fc.nat(2), limit: fc.integer({ min: 1, max: 6 }) }),
  },
)
type Step = { readonly does: string; readonly place: number; readonly limit?: number }

const runs = inject('feedSequences') ?? sampleSize({ all: 60, few: 8 })

/** A person, and three clients that keep a copy of what the person has. */
class Kept {
  readonly subject: string
  expired = 0
  #userId: string
  readonly #clients: WholeFollower[]

  private constructor(subject: string, userId: string) {
    this.subject = subject
    this.#userId = userId
    this.#clients = [0, 1, 2].map(() => followAll(world, subject))
  }

  static async begin(subject: string): Promise<Kept> {
    return new Kept(subject, await seedUser(world, subject))
  }

  async does({ does, place: which, limit }: Step): Promise<void> {
    if (does === 'read') await this.#read(which, (client) => client.step(limit))
    else if (does === 'purge') await purge()
    else if (does === 'restore') await run(world, this.#userId, restoring, which)
    else if (does === 'erase') {
      await run(world, this.#userId, erasing, which)
      this.#userId = await seedUser(world, this.subject)
    } else await run(world, this.#userId, steps[does] ?? ageing[does] ?? [], which)
  }

  /** Their copies when each has read everything. A client that gets 410 begins again. */
  async copies(): Promise<WholeCopy[]> {
    for (const which of this.#clients.keys())
      if (await this.#read(which, (client) => client.catchUp(4))) await this.#read(which, (client) => client.catchUp(4))
    return this.#clients.map(({ copy }) => copy)
  }

  /** Whether the client got 410. */
  async #read(which: number, read: (client: WholeFollower) => Promise<unknown>): Promise<boolean> {
    const client = this.#clients[which]
    if (client === undefined || !(await isExpired(read(client)))) return false
    this.expired += 1
    this.#clients[which] = followAll(world, this.subject)
    return true
  }
}

describe('a client of the feed of everything', () => {
  it('has missed nothing unless it got 410, for all kinds of rows', { timeout: 7_200_000 }, async () => {
    let [expired, sequence] = [0, 0]
    await fc.assert(
      fc.asyncProperty(fc.array<Step>(step, { minLength: 15, maxLength: 40 }), async (sequenceOfSteps) => {
        const kept = await Kept.begin(`reader ${(sequence += 1)}`)
        for (const next of sequenceOfSteps) await kept.does(next)
        await purge()
        const truth = await listedAll(world, kept.subject)
        const copies = await kept.copies()
        expired += kept.expired
        expect(copies).toEqual(copies.map(() => truth))
      }),
      { numRuns: runs },
    )
    expect(expired).toBeGreaterThan(0)
  })

  /** What must have happened before a step changes anything. */
  const needs: Readonly<Record<string, string>> = {
    show: 'hide',
    delete: 'hide',
    'move to a hidden item': 'hide',
    'no day balance': 'day balance',
    'changed rule': 'new rule',
    'no rule': 'new rule',
  }

  it.each(Object.keys(steps))('has what the lists return when it read before and after: %s', async (does) => {
    const subject = `after ${does}`
    const userId = await seedUser(world, subject)
    const client = followAll(world, subject)
    for (const which of [1, 2, 3]) {
      await client.catchUp()
      await run(world, userId, steps[needs[does] ?? ''] ?? [], which)
      await run(world, userId, steps[does] ?? [], which)
      await client.catchUp()
      expect(client.copy).toEqual(await listedAll(world, subject))
    }
  })

  it('gets 410 after a restore', async () => {
    const userId = await seedUser(world, 'restored')
    const client = followAll(world, 'restored')
    await client.catchUp()
    await run(world, userId, restoring, 0)
    expect(await isExpired(client.step())).toBe(true)
  })

  it('gets 410 when the same number belongs to another epoch', async () => {
    const userId = await seedUser(world, 'another epoch')
    const client = followAll(world, 'another epoch')
    await client.catchUp()
    await world.sql('update users set feed_epoch = feed_epoch # 1 where id = $1', [userId])
    expect(await isExpired(client.step())).toBe(true)
  })

  it('gets 410 behind the changes that are kept, and 400 for a number that is not reached', async () => {
    const userId = await seedUser(world, 'behind')
    const client = followAll(world, 'behind')
    await client.catchUp()
    const [user] = await world.sql('select change_seq from users where id = $1', [userId])
    const newest = Number(user?.['change_seq'])
    expect(await readFeed(world, 'behind', String(newest - 1))).toMatchObject({ has_more: false })
    await expect(readFeed(world, 'behind', String(newest + 1))).rejects.toMatchObject({ code: 'invalid_cursor' })
    await world.sql('update users set feed_from = change_seq where id = $1', [userId])
    expect(await isExpired(readFeed(world, 'behind', String(newest - 1)))).toBe(true)
    expect((await client.step()).data).toEqual([])
  })

  it('keeps a user’s newest 1,000 changes at least, and asks those behind to begin again', async () => {
    const userId = await seedUser(world, 'busy')
    const client = followAll(world, 'busy')
    await client.catchUp()
    await world.sql(
      `select app.number_changes($1, array_fill('holding'::text, array[1500]),
        array(select gen_random_uuid() from generate_series(1, 1500)))`,
      [userId],
    )
    await world.sql('select app.trim_changes($1, 10)', [userId])
    const [{ count } = { count: null }] = await world.sql('select count(*) from changes where user_id = $1', [userId])
    expect(Number(count)).toBe(1000)
    expect(await isExpired(client.step())).toBe(true)
  })

  it('takes no number for a row that is written without a difference, read again, or shown nowhere', async () => {
    const userId = await seedUser(world, 'the same')
    await world.sql('update item_products set last_synced_at = now() where user_id = $1', [userId])
    await run(world, userId, steps['read again'] ?? [], 1)
    const client = followAll(world, 'the same')
    await client.catchUp()
    const { since } = client
    for (const name of ['no difference', 'read again', 'synced', 'consents', 'holding day'])
      await run(world, userId, steps[name] ?? [], 2)
    expect(await client.step()).toEqual({ data: [], next_since: since, has_more: false })
  })

  it('gets the holdings of a security with a new price, and its investment transactions with a new name alone', async () => {
    const userId = await seedUser(world, 'prices')
    const client = followAll(world, 'prices')
    await client.catchUp()
    const kinds = async () => new Set((await client.step()).data.map(({ kind }) => kind))
    await world.sql(
      `update securities set close_price = 7, close_price_as_of = now()
        where user_id = $1 and id in (select security_id from holdings)`,
      [userId],
    )
    expect(await kinds()).toEqual(new Set(['holding']))
    await world.sql(`update securities set name = 'renamed' where user_id = $1`, [userId])
    expect(await kinds()).toEqual(new Set(['holding', 'investment_transaction']))
  })

  it('reads on when only the counter rose', async () => {
    const userId = await seedUser(world, 'counter')
    const client = followAll(world, 'counter')
    await client.catchUp()
    const before = client.since
    await run(world, userId, steps['day balance'] ?? [], 1)
    expect((await client.step()).data).toEqual([])
    expect(client.since).not.toBe(before)
  })
})
