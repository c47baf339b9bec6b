// Entity tags: whenever the response of a route differs, its tag differs; while nothing has changed, a client with the tag gets
// 304 without a read of any row.
import * as fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { routes } from '../../../src/http/app.ts'
import type { Outgoing, Route } from '../../../src/http/route.ts'
import { erasing, restoring, run, seedUser, steps } from '../../support/feed-steps.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { sampleSize } from '../../support/sampled.ts'
import { statementsOf } from '../../support/statement-plans.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const tagged = routes.filter(({ entityTag }) => entityTag !== undefined)
const named = (id: string): Route => {
  const found = tagged.find((route) => route.id === id)
  if (found === undefined) throw new Error(`no route ${id}`)
  return found
}

type Query = Readonly<Record<string, string>>
interface Given {
  readonly ifNoneMatch?: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly now?: Date
  readonly version?: string
}

async function ask(subject: string, route: Route, given: Given = {}): Promise<Outgoing> {
  const { ifNoneMatch, query = {}, headers = {}, now, version } = given
  const ctx = world.user(subject)
  return await route.respond(
    {
      ...ctx,
      ...(now === undefined ? {} : { now: () => now }),
      services: version === undefined ? ctx.services : { ...ctx.services, version },
    },
    {
      params: {},
      query: new URLSearchParams(query),
      headers: new Headers({ ...headers, ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }) }),
      readBody: () => Promise.resolve(new Uint8Array()),
    },
  )
}
const tagOf = ({ headers }: Outgoing): string => String(headers?.['etag'])
const today = new Date()

/** Requests of the tagged routes that see different parts of a user's data. */
function variants(accountId: string): (readonly [Route, Query])[] {
  const queries: Readonly<Record<string, readonly Query[]>> = {
    listTransactions: [
      {},
      { limit: '2' },
      { include_hidden: 'true' },
      { account_id: accountId },
      { pending: 'true' },
      { q: 'bought', min_amount: '3' },
    ],
    listRecurringTransactions: [{}, { include_hidden: 'true', limit: '1' }, { account_id: accountId }],
    listHoldings: [{}, { include_hidden: 'true' }, { account_id: accountId, limit: '1' }],
    listInvestmentTransactions: [{}, { include_hidden: 'true', limit: '1' }, { account_id: accountId }],
    listLiabilities: [{}, { include_hidden: 'true' }],
    cashFlow: [{}, { interval: 'day' }],
    spending: [{}, { from: new Date(today.getTime() - 6 * 86_400_000).toISOString().slice(0, 10) }],
    netWorth: [{}, { from: new Date(today.getTime() - 6 * 86_400_000).toISOString().slice(0, 10) }],
  }
  return tagged.flatMap((route) => (queries[route.id] ?? []).map((query) => [route, query] as const))
}

/** The response, or the code of the refusal where the user does not allow insights. */
async function responseTo(subject: string, [route, query]: readonly [Route, Query], ifNoneMatch?: string) {
  try {
    return await ask(subject, route, { query, now: today, ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) })
  } catch (error) {
    if (error instanceof AppError && error.code === 'purpose_not_allowed') return error.code
    throw error
  }
}

/** A person whose every response is compared with every earlier one of the same tag. */
class Watched {
  readonly subject: string
  userId: string
  /** Each tag so far, with the request and the body that it stood for. */
  readonly #bodies: Map<string, string>
  readonly #latest = new Map<string, string>()
  #variants: readonly (readonly [Route, Query])[] = []
  /** How many bodies changed, and how many requests with a tag got 304 and 200 while the body was the same. */
  readonly seen = { changed: 0, notModified: 0, sentAgain: 0 }

  constructor(subject: string, userId: string, bodies: Map<string, string>) {
    this.subject = subject
    this.userId = userId
    this.#bodies = bodies
  }

  async begin(): Promise<void> {
    const [account] = await world.sql('select id from accounts where user_id = $1 order by id limit 1', [this.userId])
    this.#variants = variants(String(account?.['id']))
  }

  /** What is wrong with the responses after a step. */
  async compare(does: string): Promise<string[]> {
    return (await Promise.all(this.#variants.map((variant) => this.#compareOne(does, variant)))).flat()
  }

  async #compareOne(does: string, variant: readonly [Route, Query]): Promise<string[]> {
    const name = `${variant[0].id} ${JSON.stringify(variant[1])}`
    const earlier = this.#latest.get(name) ?? '"none"'
    const answer = await responseTo(this.subject, variant)
    const again = await responseTo(this.subject, variant, earlier)
    if (typeof answer === 'string') return again === answer ? [] : [`${does}: ${name} was not refused`]
    const tag = tagOf(answer)
    const state = `${this.userId} ${name} ${JSON.stringify(answer.body)}`
    const expected = earlier === tag ? { status: 304, headers: answer.headers } : answer
    const faults = [
      elsewhere.has(does) && this.#bodies.has(tag) ? 'a tag came again' : null,
      unseen.has(does) && earlier !== tag ? 'the tag changed' : null,
      (this.#bodies.get(tag) ?? state) === state ? null : 'one tag has two responses',
      JSON.stringify(again) === JSON.stringify(expected) ? null : 'a request with a tag has another response',
    ]
    const before = this.#bodies.get(earlier)
    if (before !== undefined && before !== state) this.seen.changed += 1
    else if (before !== undefined) this.seen[earlier === tag ? 'notModified' : 'sentAgain'] += 1
    this.#bodies.set(tag, state)
    this.#latest.set(name, tag)
    return faults.flatMap((fault) => (fault === null ? [] : [`${does}: ${name}: ${fault}`]))
  }
}

/** Steps that change nothing that the API shows: the tags stay. */
const unseen: ReadonlySet<string> = new Set(['nothing', 'no difference'])
/** After these, the person or the database is another: no earlier tag comes again. */
const elsewhere: ReadonlySet<string> = new Set(['restore', 'erase'])
const runs = inject('feedSequences') ?? sampleSize({ all: 40, few: 4 })
const step = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...Object.keys(steps)) },
  { weight: 4, arbitrary: fc.constantFrom(...unseen) },
  { weight: 1, arbitrary: fc.constantFrom(...elsewhere) },
)

describe('the entity tag of a response', () => {
  it('differs when the response differs, for every change of rows of any kind', { timeout: 7_200_000 }, async () => {
    const total = { sequences: 0, changed: 0, notModified: 0, sentAgain: 0 }
    const bodies = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ does: step, place: fc.nat(30) }), { minLength: 8, maxLength: 16 }),
        async (sequence) => {
          const subject = `tagged ${(total.sequences += 1)}`
          const watched = new Watched(subject, await seedUser(world, subject), bodies)
          await watched.begin()
          expect(await watched.compare('begin')).toEqual([])
          for (const { does, place } of sequence) {
            await run(world, watched.userId, { ...steps, restore: restoring, erase: erasing }[does] ?? [], place)
            if (does === 'erase') {
              watched.userId = await seedUser(world, subject)
              await watched.begin()
            }
            expect(await watched.compare(does)).toEqual([])
          }
          for (const key of ['changed', 'notModified', 'sentAgain'] as const) total[key] += watched.seen[key]
        },
      ),
      { numRuns: runs },
    )
    // A response is sent again without a difference when another list of the user has changed, as most steps do.
    expect(total).toEqual({
      sequences: expect.any(Number),
      changed: expect.toSatisfy((count: number) => count > 50),
      notModified: expect.toSatisfy((count: number) => count > 50),
      sentAgain: expect.any(Number),
    })
  })

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
