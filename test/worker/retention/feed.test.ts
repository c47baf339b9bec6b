// The change feed while rows and removals are deleted because of their age: a client that is never asked to begin again has
// missed nothing.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { AppError } from '../../../src/errors.ts'
import { purgeFeed, purgeHistory } from '../../../src/db/records/retention.ts'
import { everyTransaction } from '../../support/equality.ts'
import { type Follower, follow, listed } from '../../support/feed.ts'
import { linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

/** Deletes what is too old; returns how many removals. */
async function purge(): Promise<number> {
  const { jobs, config } = world.services
  const removals = await purgeFeed(jobs, { name: 'transaction_tombstones', days: 180 }, 1000)
  // A search for a smaller example links hundreds of banks, which are more accounts than one step looks at.
  const expired = { name: 'transactions', days: config.retention.days }
  for (let after: string | null = null, isLast = false; !isLast; isLast = after === null)
    ({ after } = await purgeHistory(jobs, expired, after, 1000))
  return removals
}

/** Rows that are too old: any of the user's transactions, and of their removals those with the lowest numbers or any. */
const expire = {
  transaction: (subject: string, place: number) =>
    world.sql(
      `update transactions set date = date - 4000 where id in (select t.id from transactions t join users u on u.id = t.user_id
         where subject = $1 order by md5(t.id::text || $2) limit 2)`,
      [subject, String(place)],
    ),
  removals: (subject: string, place: number) =>
    world.sql(
      `update transaction_tombstones set created_at = now() - interval '300 days' where (user_id, change_seq) in (
         select t.user_id, t.change_seq from transaction_tombstones t join users u on u.id = t.user_id
         where subject = $1 order by md5(t.transaction_id::text || $2) limit 2)`,
      [subject, String(place)],
    ),
}

type Step =
  | { readonly kind: 'transaction' | 'removals' | 'edit'; readonly place: number }
  | { readonly kind: 'purge' }
  | { readonly kind: 'read'; readonly who: number; readonly limit: number }
const place = fc.nat(1000)
/** A client reads often enough that about half of the clients get 410. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('transaction', 'removals', 'edit'), place }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('purge') }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('read'), who: fc.nat(2), limit: fc.integer({ min: 1, max: 4 }) }),
  },
)

/** Whether the client was asked to begin again. */
async function isExpired(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading
    return false
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'feed_expired') throw error
    return true
  }
}

const runs = sampleSize({ all: 12, few: 4 })

/** The first client reads before a removal that it misses. The others have read nothing, and begin after it. */
const oneOfEach: Step[] = [
  { kind: 'read', who: 0, limit: 4 },
  { kind: 'transaction', place: 1 },
  { kind: 'purge' },
  { kind: 'removals', place: 1 },
  { kind: 'purge' },
]

describe('a client of the change feed', () => {
  it(
    'has missed nothing unless it got 410, however rows and removals are deleted meanwhile',
    { timeout: 600_000 },
    async () => {
      let [expired, kept, run] = [0, 0, 0]
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
          const subject = `reader ${(run += 1)}`
          await linkAndSyncSmallBank(world, subject)
          const clients: (Follower | null)[] = [0, 1, 2].map(() => follow(world, subject))
          for (const does of steps) {
            if (does.kind === 'purge') await purge()
            else if (does.kind === 'read') {
              const client = clients[does.who] ?? null
              if (client !== null && (await isExpired(client.step(does.limit)))) clients[does.who] = null
            } else if (does.kind === 'edit') {
              const rows = await everyTransaction(world, subject)
              const id = rows[does.place % rows.length]?.id
              if (id !== undefined)
                await editTransaction(world.services.api, world.user(subject).actor.identity, id, {
                  note: `${does.place}`,
                })
            } else await expire[does.kind](subject, does.place)
          }
          await purge()
          const truth = await listed(world, subject)
          const copies: Follower['copy'][] = []
          for (const client of clients)
            if (client === null || (await isExpired(client.catchUp(3)))) expired += 1
            else copies.push(client.copy)
          kept += copies.length
          expect(copies).toEqual(copies.map(() => truth))
        }),
        { numRuns: runs, examples: [[oneOfEach]] },
      )
      expect(expired).toBeGreaterThan(0)
      expect(kept).toBeGreaterThan(0)
    },
  )

  it('does not get 410 when removals that it has read are deleted', async () => {
    const subject = 'up to date'
    await linkAndSyncSmallBank(world, subject)
    const client = follow(world, subject)
    await client.catchUp()
    await expire.transaction(subject, 1)
    await purge()
    await client.catchUp()
    await expire.removals(subject, 1)
    expect(await purge()).toBe(2)
    await client.catchUp()
    expect(client.copy).toEqual(await listed(world, subject))
  })

  it('gets 410 when removals are deleted while it reads from the start, among numbers without removals', async () => {
    const subject = 'slow start'
    await linkAndSyncSmallBank(world, subject)
    await expire.transaction(subject, 1)
    await purge()
    await expire.removals(subject, 1)
    await purge()
    const client = follow(world, subject)
    expect((await client.step(1)).next_since).toBeLessThan(0)
    expect((await client.step(1)).next_since).toBeLessThan(0)
    const before = (await listed(world, subject)).size
    for (let round = 0; round < before; round += 1) await expire.transaction(subject, round)
    await purge()
    expect((await listed(world, subject)).size).toBeLessThan(before)
    await expire.removals(subject, 2)
    await purge()
    await expect(client.step(1)).rejects.toMatchObject({ code: 'feed_expired', extensions: { next_since: 0 } })
  })

  it('gets 410 and the number to start again from when removals that it has not read are deleted', async () => {
    const subject = 'behind'
    await linkAndSyncSmallBank(world, subject)
    const client = follow(world, subject)
    await client.step(2)
    await expire.transaction(subject, 1)
    await purge()
    await expire.removals(subject, 1)
    await purge()
    await expect(client.step()).rejects.toMatchObject({ code: 'feed_expired', extensions: { next_since: 0 } })
    const again = follow(world, subject)
    await again.catchUp(2)
    expect(again.copy).toEqual(await listed(world, subject))
  })
})
