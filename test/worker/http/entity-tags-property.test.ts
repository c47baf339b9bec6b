// Entity tags while rows of every kind come, change, hide and go: when two responses differ, their tags differ.
import * as fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import type { Route } from '../../../src/http/route.ts'
import { askTagged, type Query, tagged, tagOf } from '../../support/entity-tags.ts'
import { erasing, restoring, run, seedUser, steps } from '../../support/feed-steps.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { sampleSize } from '../../support/sampled.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

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
  return tagged.flatMap((route) => {
    const ofRoute = queries[route.id]
    if (ofRoute === undefined) throw new Error(`no queries of ${route.id}`)
    return ofRoute.map((query) => [route, query] as const)
  })
}

/** The response, or the code of the refusal where the user does not allow insights. */
async function responseTo(subject: string, [route, query]: readonly [Route, Query], ifNoneMatch?: string) {
  try {
    return await askTagged(world, subject, route, {
      query,
      now: today,
      ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    })
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
    const first = await responseTo(this.subject, variant, earlier)
    const isSame = typeof first !== 'string' && first.status === 304
    const answer = isSame ? await responseTo(this.subject, variant) : first
    if (typeof answer === 'string') {
      this.#latest.delete(name)
      return isSame ? [`${does}: ${name} was not refused`] : []
    }
    const tag = tagOf(answer)
    const state = `${this.userId} ${name} ${JSON.stringify(answer.body)}`
    const faults = [
      elsewhere.has(does) && this.#bodies.has(tag) ? 'a tag came again' : null,
      unseen.has(does) && this.#latest.has(name) && earlier !== tag ? 'the tag changed' : null,
      (this.#bodies.get(tag) ?? state) === state ? null : 'one tag has two responses',
      isSame === (earlier === tag) ? null : 'the response to a request with a tag is not that of the tag',
      !isSame || (first.body === undefined && tagOf(first) === tag) ? null : 'a 304 is no bare 304',
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
const unseen: ReadonlySet<string> = new Set(['nothing', 'no difference', 'consents', 'holding day'])
/** After these, the person or the database is another: no earlier tag comes again. */
const elsewhere: ReadonlySet<string> = new Set(['restore', 'erase'])
const runs = inject('feedSequences') ?? sampleSize({ all: 40, few: 4 })
const step = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...Object.keys(steps)) },
  { weight: 4, arbitrary: fc.constantFrom(...unseen) },
  { weight: 1, arbitrary: fc.constantFrom(...elsewhere) },
)

it(
  'the tag of a response differs when the response differs, for every change of rows of any kind',
  { timeout: 7_200_000 },
  async () => {
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
    // Each sequence has at least eight steps, and most of them change a list and leave another. A response is sent again
    // without a difference when another list of the user has changed.
    expect([total.changed > total.sequences, total.notModified > total.sequences]).toEqual([true, true])
  },
)
