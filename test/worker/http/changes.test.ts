// A client that follows the change feed ends with what the API lists, for every sequence of events and every order of
// commits.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { getTransactionRoute } from '../../../src/http/routes/transactions/transactions.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { ask } from '../../support/call-route.ts'
import { everyTransaction } from '../../support/equality.ts'
import { follow, listed, readChanges } from '../../support/feed.ts'
import { linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

/** Syncs an item's transactions, even when they are not dirty. */
async function sync(item: Item): Promise<void> {
  const [row] = await world.sql(
    `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = 'transactions'
     returning id`,
    [item.id],
  )
  await syncProduct(world.job(), String(row?.['id']), 'user')
}

async function atTheBank(item: Item, wanted: object): Promise<void> {
  await world.bank.change(item.plaidItemId, { ...wanted, silent: true })
  await sync(item)
}

const edit = async (subject: string, id: string, note: string) =>
  await editTransaction(world.services.api, world.user(subject).actor.identity, id, { note })

async function anyId(subject: string): Promise<string> {
  const row = (await everyTransaction(world, subject)).find(({ pending }) => !pending)
  if (row === undefined) throw new Error('nothing was synced')
  return row.id
}

/** Hides an item or shows it again, as a removal or a relink does. The feed lists each of its transactions again. */
const hide = async (item: Item, hidden: boolean) =>
  await world.sql(
    `with item as (update items set removed_at = case when $2 then now() end where id = $1 returning id)
     select app.renumber_item(id) from item`,
    [item.id, hidden],
  )

describe('the change feed', () => {
  it('lists everything from the start, in order, as GET returns each', async () => {
    await linkAndSync(world, 'all')
    const follower = follow(world, 'all')
    const first = await follower.step(7)
    const [{ seq: lowest } = { seq: 0 }] = first.data
    expect(lowest).toBeGreaterThan(0)
    expect(first.data.map(({ seq }) => seq - lowest)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(first.has_more).toBe(true)
    const [change] = first.data
    expect(change?.op).toBe('upsert')
    const params = { id: String(change?.transaction.id) }
    expect(change?.transaction).toEqual(await ask(world.user('all'), getTransactionRoute, { params }))
    await follower.catchUp(7)
    expect(follower.copy.size).toBeGreaterThan(100)
    expect(follower.copy).toEqual(await listed(world, 'all'))
  })

  it('is empty without changes, and continues from its position', async () => {
    await linkAndSync(world, 'nothing')
    const follower = follow(world, 'nothing')
    await follower.catchUp()
    const after = await follower.step()
    expect(after).toEqual({ data: [], next_since: after.next_since, has_more: false })
    expect(after.next_since).toBeGreaterThan(0)
    expect(await readChanges(world, 'nobody', 0)).toEqual({ data: [], next_since: 0, has_more: false })
  })

  it('lists a transaction once, at its newest change: edits, postings and removals', async () => {
    const item = await linkAndSync(world, 'newest')
    await atTheBank(item, { add: [{ amount: 3, name: 'pending', pending: true }] })
    const follower = follow(world, 'newest')
    await follower.catchUp()
    const [pending] = [...follower.copy.values()].filter((transaction) => transaction['name'] === 'pending')
    const id = await anyId('newest')
    await edit('newest', id, 'first')
    await edit('newest', id, 'second')
    await atTheBank(item, { post_pending: true })
    const others = (await everyTransaction(world, 'newest')).filter((row) => row.id !== id).slice(-2)
    await atTheBank(item, { remove: others.map(({ plaidTransactionId }) => plaidTransactionId) })
    const page = await follower.step(500)
    const entries = page.data.filter(({ transaction }) => transaction.id === id)
    expect(entries).toMatchObject([{ op: 'upsert', transaction: { note: 'second' } }])
    const removed = page.data.filter(({ op }) => op === 'remove')
    const gone = [pending?.id, ...others.map((other) => other.id)]
    expect(removed.map(({ transaction }) => transaction.id)).toEqual(expect.arrayContaining(gone))
    for (const { transaction } of removed) expect(Object.keys(transaction)).toEqual(['id'])
    expect(follower.copy).toEqual(await listed(world, 'newest'))
  })

  it('lists rows hidden with their item as removed, and rows shown again as upserted', async () => {
    const item = await linkAndSync(world, 'hidden')
    await linkAndSync(world, 'hidden')
    const follower = follow(world, 'hidden')
    await follower.catchUp()
    const all = follower.copy.size
    await hide(item, true)
    await follower.catchUp(30)
    expect(follower.copy.size).toBeGreaterThan(0)
    expect(follower.copy.size).toBeLessThan(all)
    expect(follower.copy).toEqual(await listed(world, 'hidden'))
    await hide(item, false)
    await follower.catchUp(30)
    expect(follower.copy.size).toBe(all)
  })

  it('lists purged rows, also to a client that reads late', async () => {
    const item = await linkAndSync(world, 'purged')
    const follower = follow(world, 'purged')
    await follower.step(50)
    await world.sql(
      `with gone as (
         insert into transaction_tombstones (user_id, change_seq, transaction_id)
         select t.user_id, u.change_seq + row_number() over (order by t.id), t.id from transactions t join users u on u.id = t.user_id
         where t.item_id = $1 returning user_id
       ) update users set change_seq = change_seq + (select count(*) from gone) where id in (select user_id from gone)`,
      [item.id],
    )
    await world.sql('delete from transactions where item_id = $1', [item.id])
    await follower.catchUp(20)
    expect(follower.copy.size).toBe(0)
  })

  it('refuses a number that no change has yet', async () => {
    await linkAndSync(world, 'future')
    const follower = follow(world, 'future')
    await follower.catchUp()
    const newest = Number((await world.sql("select change_seq from users where subject = 'future'"))[0]?.['change_seq'])
    expect(await readChanges(world, 'future', newest)).toMatchObject({ data: [], has_more: false })
    await expect(readChanges(world, 'future', newest + 1)).rejects.toMatchObject({
      code: 'invalid_cursor',
      fields: [{ pointer: 'since' }],
    })
    await expect(readChanges(world, 'nobody', 1)).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  it('contains no changes of other users', async () => {
    await linkAndSync(world, 'mine')
    const mine = await listed(world, 'mine')
    const theirs = follow(world, 'all')
    await theirs.catchUp()
    expect([...theirs.copy.keys()].filter((id) => mine.has(id))).toEqual([])
  })
})

/** Makes each writer of transactions pause before its commit while `act` runs. */
async function slowly(seconds: string, act: () => Promise<void>): Promise<void> {
  await world.sql(
    `create function linger() returns trigger language plpgsql as $$ begin perform pg_sleep(${seconds}); return null; end $$`,
  )
  await world.sql(
    'create trigger linger after insert or update on transactions for each statement execute function linger()',
  )
  try {
    await act()
  } finally {
    await world.sql('drop trigger linger on transactions')
    await world.sql('drop function linger')
  }
}

const lingering = async () =>
  (await world.sql("select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"))
    .length > 0

describe('a change that is numbered and not yet committed', () => {
  it('is not overtaken by one that comes later', async () => {
    const item = await linkAndSync(world, 'overtaking')
    const id = await anyId('overtaking')
    const follower = follow(world, 'overtaking')
    await follower.catchUp()
    await world.bank.change(item.plaidItemId, { add: 5, silent: true })
    await slowly('0.8', async () => {
      const committing = sync(item)
      await expect.poll(lingering, { timeout: 5000, interval: 20 }).toBe(true)
      const editing = edit('overtaking', id, 'meanwhile')
      const reading = (async () => {
        for (let step = 0; step < 20; step += 1) await follower.step()
      })()
      await Promise.all([committing, editing, reading])
    })
    await follower.catchUp()
    expect(follower.copy).toEqual(await listed(world, 'overtaking'))
    expect(follower.copy.get(id)?.['note']).toBe('meanwhile')
  })

  it('is not overtaken by a commit either, when it is an edit', async () => {
    const item = await linkAndSync(world, 'overtaken edit')
    const id = await anyId('overtaken edit')
    const follower = follow(world, 'overtaken edit')
    await follower.catchUp()
    await world.bank.change(item.plaidItemId, { add: 5, silent: true })
    await slowly('0.8', async () => {
      const editing = edit('overtaken edit', id, 'slowly')
      await expect.poll(lingering, { timeout: 5000, interval: 20 }).toBe(true)
      const committing = sync(item)
      const reading = (async () => {
        for (let step = 0; step < 20; step += 1) await follower.step()
      })()
      await Promise.all([committing, editing, reading])
    })
    await follower.catchUp()
    expect(follower.copy).toEqual(await listed(world, 'overtaken edit'))
    expect(follower.copy.get(id)?.['note']).toBe('slowly')
  })
})

type Action =
  | { readonly kind: 'bank'; readonly wanted: object }
  | { readonly kind: 'edit'; readonly place: number; readonly notes: readonly string[] }
  | { readonly kind: 'hide'; readonly hidden: boolean }
interface Step {
  readonly who: number
  readonly which: number
  readonly action: Action
}

const bankChange: fc.Arbitrary<object> = fc.oneof(
  fc.record({ add: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ modify: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ remove: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ add: [{ amount: 4.2, name: 'pending', pending: true }] }),
  fc.constant({ post_pending: true }),
)
/** Notes, written one after the other so that some meet the commits. */
const notes = fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 8 })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('bank' as const), wanted: bankChange }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('edit' as const), place: fc.nat(50), notes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hide' as const), hidden: fc.boolean() }) },
)
const step: fc.Arbitrary<Step> = fc.record({ who: fc.nat(1), which: fc.nat(1), action })
/** What happens concurrently while pages of `limit` are read; rounds follow one another. */
const round = fc.record({
  limit: fc.integer({ min: 1, max: 40 }),
  steps: fc.array(step, { minLength: 2, maxLength: 6 }),
})
const rounds = fc.array(round, { minLength: 1, maxLength: 3 })

const runs = sampleSize({ all: 8, few: 2 })

describe('a client that follows the feed', () => {
  const subjects = ['left', 'right'] as const

  it(
    'ends with what is listed, however commits, edits, removals and reads of several users meet',
    { timeout: 30_000 + runs * 5000 },
    async () => {
      const items = new Map<string, Item[]>()
      for (const subject of subjects)
        items.set(subject, [await linkAndSync(world, subject), await linkAndSync(world, subject)])
      const itemOf = (who: number, which: number): Item => {
        const item = items.get(subjects[who] ?? '')?.[which]
        if (item === undefined) throw new RangeError('no such item')
        return item
      }
      await slowly('random() * 0.04', () =>
        fc.assert(
          fc.asyncProperty(rounds, async (script) => {
            const followers = subjects.map((subject) => follow(world, subject))
            for (const follower of followers) await follower.catchUp(500)
            const known = await Promise.all(subjects.map(async (subject) => [...(await listed(world, subject)).keys()]))
            const act = async ({ who, which, action: does }: Step): Promise<void> => {
              const [subject = '', ids = []] = [subjects[who], known[who]]
              if (does.kind === 'bank') await sync(itemOf(who, which))
              else if (does.kind === 'hide') await hide(itemOf(who, which), does.hidden)
              else for (const note of does.notes) await edit(subject, ids[does.place % ids.length] ?? '', note)
            }
            for (const { limit, steps } of script) {
              for (const { who, which, action: does } of steps)
                if (does.kind === 'bank')
                  await world.bank.change(itemOf(who, which).plaidItemId, { ...does.wanted, silent: true })
              const over = new AbortController()
              const reading = followers.map(async (follower) => {
                while (!over.signal.aborted) await follower.step(limit)
              })
              const writing = Promise.all(steps.map(act)).finally(() => over.abort())
              await Promise.all([writing, ...reading])
            }
            for (const [place, subject] of subjects.entries()) {
              for (const item of items.get(subject) ?? []) {
                await hide(item, false)
                await sync(item)
              }
              await followers[place]?.catchUp(50)
              expect(followers[place]?.copy).toEqual(await listed(world, subject))
            }
          }),
          // A race does not repeat, so a failure cannot be shrunk.
          { numRuns: runs, endOnFailure: true },
        ),
      )
    },
  )
})
