// Entity tags: what they are made of, and that a client with the current tag gets 304 without a read of any row.
import { neonConfig } from '@neondatabase/serverless'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { listHoldings } from '../../../src/db/records/investments.ts'
import { purgeRows } from '../../../src/db/records/retention.ts'
import { type Outgoing, route as declare, type Route } from '../../../src/http/route.ts'
import { askTagged, type Given, named, tagged, tagOf } from '../../support/entity-tags.ts'
import { run, seedUser, steps } from '../../support/feed-steps.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { statementsOf } from '../../support/statement-plans.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const ask = async (subject: string, route: Route, given: Given = {}): Promise<Outgoing> =>
  await askTagged(world, subject, route, given)

const pauseKey = 7_011_001
const pauseIsReached = `select 1 from pg_locks where locktype = 'advisory' and objid = ${pauseKey} and granted
  and database = (select oid from pg_database where datname = current_database())`
const batchSchema = z.object({ queries: z.array(z.object({ query: z.string(), params: z.array(z.unknown()) })) })

/** Reads with a pause in the transaction, after the statement with this index, until another transaction raises the counter. */
async function readingWithPause(after: number, number: string, read: () => Promise<Outgoing>): Promise<Outgoing> {
  const query = `do $$ begin
      perform pg_advisory_xact_lock(${pauseKey});
      for n in 1..1000 loop
        exit when (select change_seq from public.users where id = app.user_id()) <> ${number};
        perform pg_sleep(0.01);
      end loop;
    end $$`
  const fetched = neonConfig.fetchFunction
  neonConfig.fetchFunction = async (url: string, init: RequestInit) => {
    const { queries } = batchSchema.parse(JSON.parse(z.string().parse(init.body)))
    const paused = queries.toSpliced(after + 1, 0, { query, params: [] })
    const response = await fetch(url, { ...init, body: JSON.stringify({ queries: paused }) })
    const { results } = z.object({ results: z.array(z.unknown()) }).parse(await response.json())
    return Response.json({ results: results.toSpliced(after + 1, 1) })
  }
  try {
    return await read()
  } finally {
    neonConfig.fetchFunction = fetched
  }
}

describe('the entity tag of a response', () => {
  it('is on every response of its route, and stays while nothing changes', async () => {
    await seedUser(world, 'unchanged')
    for (const route of tagged) {
      const [first, second] = [await ask('unchanged', route), await ask('unchanged', route)]
      expect([route.id, first.status, tagOf(first)]).toEqual([route.id, 200, expect.stringMatching(/^W\/"[\w-]{22}"$/)])
      expect(first.headers).toEqual({
        etag: tagOf(second),
        vary: 'Authorization, wn-user',
        'cache-control': 'private, no-cache',
      })
    }
  })

  it('brings 304 without a statement that reads a row', async () => {
    await seedUser(world, 'cheap')
    for (const route of tagged) {
      const ifNoneMatch = tagOf(await ask('cheap', route))
      const sent = await statementsOf(async () => {
        expect(await ask('cheap', route, { ifNoneMatch })).toMatchObject({ status: 304, body: undefined })
      })
      const others = sent.map(({ query }) => query).filter((text) => !text.startsWith('select app.enter('))
      const tables = others.flatMap((text) => text.match(/(?<=from )\S+/g) ?? [])
      // Insights also read the consent of the user.
      expect([route.id, new Set(tables), others.length]).toEqual([
        route.id,
        new Set(['public.users', ...(route.purpose === undefined ? [] : ['users'])]),
        route.purpose === undefined ? 1 : 2,
      ])
    }
  })

  it('is compared weakly, in a list, with `*`, and never where the header is malformed', async () => {
    await seedUser(world, 'forms')
    const route = named('listTransactions')
    const tag = tagOf(await ask('forms', route))
    const strong = tag.slice('W/'.length)
    for (const ifNoneMatch of [tag, strong, `"other", ${tag}`, `W/"a,b",${strong}`, '*'])
      expect([ifNoneMatch, (await ask('forms', route, { ifNoneMatch })).status]).toEqual([ifNoneMatch, 304])
    for (const ifNoneMatch of [
      '"other"',
      'nonsense',
      `${tag} ${tag}`,
      strong.slice(1, -1),
      `${tag},${'x'.repeat(2048)}`,
    ])
      expect([ifNoneMatch, (await ask('forms', route, { ifNoneMatch })).status]).toEqual([ifNoneMatch, 200])
  })

  it('differs between users, queries, routes, versions of the Worker, and days where the day decides', async () => {
    await seedUser(world, 'one')
    await seedUser(world, 'two')
    const [list, sums] = [named('listHoldings'), named('cashFlow')]
    const [one, next] = [new Date('2026-03-02T12:00:00Z'), new Date('2026-03-03T12:00:00Z')]
    const different = [
      await ask('one', list),
      await ask('two', list),
      await ask('one', list, { query: { limit: '1' } }),
      await ask('one', list, { version: 'a' }),
      await ask('one', list, { version: 'b' }),
      await ask('one', named('listLiabilities')),
      await ask('one', sums, { now: one }),
      await ask('one', sums, { now: next }),
    ].map(tagOf)
    expect(new Set(different).size).toBe(different.length)
    const query = { include_hidden: 'true', limit: '5' }
    const same = [
      await ask('one', list, { query, now: one }),
      await ask('one', list, { query: { limit: '5', include_hidden: 'true' }, now: next }),
    ].map(tagOf)
    expect(new Set(same).size).toBe(1)
  })

  it('differs between two users, and two databases, with the same number', async () => {
    await seedUser(world, 'same one')
    await seedUser(world, 'same two')
    const tags: string[] = []
    for (const epoch of [1, 2]) {
      await world.sql(`update users set change_seq = 1000, feed_epoch = $1 where subject like 'same %'`, [epoch])
      for (const subject of ['same one', 'same two']) tags.push(tagOf(await ask(subject, named('listHoldings'))))
    }
    expect(new Set(tags).size).toBe(4)
  })

  it('differs for net worth when transactions that could not be read come, move and go: they decide about estimates', async () => {
    const userId = await seedUser(world, 'unread')
    await world.sql(
      `insert into account_balances (account_id, day, user_id, current, as_of)
        select id, current_date, user_id, 100, now() from accounts where user_id = $1`,
      [userId],
    )
    const states: string[] = []
    const tags = new Set<string>()
    const look = async () => {
      const answer = await ask('unread', named('netWorth'))
      tags.add(tagOf(answer))
      states.push(JSON.stringify(answer.body))
    }
    const accounts = await world.sql(
      `select a.id, a.item_id, a.plaid_account_id from accounts a
        where item_id = (select id from items where user_id = $1 limit 1) order by a.id`,
      [userId],
    )
    for (const { id, item_id: itemId } of accounts)
      await world.sql(
        `insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
          values ($1, $2, $3, gen_random_uuid()::text, current_date - 3, 7, 'bought', false, 0)`,
        [userId, itemId, id],
      )
    await world.sql('update users set change_seq = change_seq + 1 where id = $1', [userId])
    await look()
    expect(states[0]).toContain('"estimated":true')
    for (const { item_id: itemId, plaid_account_id: plaidId } of accounts) {
      await world.sql(
        `insert into set_aside_rows (user_id, item_id, product, kind, row_key, plaid_account_id, problems, run_id)
          values ($1, $2, 'transactions', 'transaction', 'one', $3, '{}', gen_random_uuid())
          on conflict (item_id, product, kind, row_key) do update set plaid_account_id = excluded.plaid_account_id`,
        [userId, itemId, plaidId],
      )
      await look()
    }
    await world.sql(`update set_aside_rows set first_seen_at = now() - interval '300 days' where user_id = $1`, [
      userId,
    ])
    expect(await purgeRows(world.services.jobs, { name: 'set_aside_rows', days: 90 }, 1000)).toBeGreaterThan(0)
    await look()
    expect([states.length, tags.size]).toEqual([4, 4])
    expect(states.at(-1)).toBe(states[0])
    expect(states[1]).not.toBe(states[0])
  })

  it('is not on a response of two batches, which can see two states', async () => {
    await seedUser(world, 'two batches')
    const declaration = {
      id: 'twice',
      method: 'GET',
      path: '/twice',
      summary: 'Twice',
      tags: [],
      access: 'user',
      entityTag: 'counter',
      answers: { 200: z.object({ rows: z.int() }) },
      errors: [],
    } as const
    const reading = (batches: number) =>
      declare(declaration).handle(async ({ services, actor }) => {
        for (let batch = 0; batch < batches; batch += 1) await listHoldings(services.api, actor.identity, null, 1, null)
        return { status: 200, body: { rows: batches } }
      })
    for (const [batches, headers] of [
      [0, undefined],
      [1, expect.anything()],
      [2, undefined],
    ] as const)
      expect([batches, (await ask('two batches', reading(batches))).headers]).toEqual([batches, headers])
  })

  it.each([
    ['before the counter is read', 0, 304],
    ['between the counter and the rows', 1, 200],
    ['after the rows', 2, 200],
  ])('is never newer than the response: a change %s', async (_, after, status) => {
    const subject = `written ${after}`
    const userId = await seedUser(world, subject)
    const route = named('listTransactions')
    const numberNow = async () =>
      (await world.sql('select change_seq from users where id = $1', [userId]))[0]?.['change_seq']
    const before = String(await numberNow())
    const reading = readingWithPause(after, before, () => ask(subject, route))
    await expect.poll(() => world.sql(pauseIsReached), { interval: 10 }).toHaveLength(1)
    await run(world, userId, steps['note'] ?? [], 1)
    const first = await reading
    expect(await numberNow()).not.toBe(before)
    const [current, again] = [await ask(subject, route), await ask(subject, route, { ifNoneMatch: tagOf(first) })]
    expect(again.status).toBe(status)
    // What the client shows now.
    expect((status === 304 ? first : again).body).toEqual(current.body)
  })

  it('names the day on which the response was begun', async () => {
    await seedUser(world, 'midnight')
    const ctx = world.user('midnight')
    const times = [new Date('2026-03-02T23:59:59.999Z'), new Date('2026-03-03T00:00:00.001Z')]
    const route = named('cashFlow')
    const request = {
      params: {},
      query: new URLSearchParams(),
      headers: new Headers(),
      readBody: () => Promise.resolve(new Uint8Array()),
    }
    const reply = await route.respond({ ...ctx, now: () => times.shift() ?? new Date() }, request)
    expect(reply.body).toMatchObject({ to: '2026-03-02' })
    expect(tagOf(reply)).toBe(tagOf(await ask('midnight', route, { now: new Date('2026-03-02T12:00:00Z') })))
  })

  it('is not on a response to a person without data, or to a refusal', async () => {
    const { status, headers } = await ask('without data', named('listTransactions'))
    expect([status, headers?.['etag']]).toEqual([200, undefined])
    expect((await ask('without data', named('listTransactions'), { ifNoneMatch: '*' })).status).toBe(200)
    await seedUser(world, 'bad cursor')
    for (const ifNoneMatch of ['*', '"a"'])
      await expect(
        ask('bad cursor', named('listTransactions'), { query: { cursor: 'bad' }, ifNoneMatch }),
      ).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  it.each([{ origin: 'https://app.test' }, { 'sec-fetch-site': 'same-origin' }])(
    'is on a response that the browser of a page may not store: %j',
    async (headers) => {
      const subject = `page ${Object.keys(headers).join()}`
      await seedUser(world, subject)
      const route = named('listTransactions')
      const first = await ask(subject, route, { headers })
      expect(first.headers).toEqual({ etag: tagOf(first), vary: 'Authorization, wn-user' })
      const second = await ask(subject, route, { headers, ifNoneMatch: tagOf(first) })
      expect(second).toEqual({ status: 304, headers: first.headers, body: undefined })
    },
  )
})
