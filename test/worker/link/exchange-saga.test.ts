// The exchange as a saga. At every call and with every fault, Plaid holds and bills exactly the items that are stored
// here.
import { beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import {
  chooseBank,
  type Chosen,
  codeOf,
  expectAtRest,
  expectNoTokens,
  heal,
  heldAtPlaid,
  letTimePass,
  smallBank,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { callFaults, type CallFault, failAt } from '../../support/fault-injection.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'
import { sampledCalls } from '../../support/sampled.ts'

let world: World
useWorld((made) => {
  world = made
})

/** What a client sends that got all metadata from Link. */
const inputOf = ({ publicToken, linkToken }: Chosen) => ({
  publicToken,
  linkToken,
  institution: { id: 'ins_109508', name: 'First Platypus Bank' },
  accounts: [{ name: 'Everyday', mask: '1111', subtype: 'checking' }],
})

interface Case {
  readonly subject: string
  readonly fault: CallFault
  readonly at: number
  readonly chosen: Chosen
}

/** Exchanges with one fault. Returns the calls, and whether the client got an item. */
async function exchange({ subject, chosen, fault, at }: Case): Promise<{ calls: readonly string[]; linked: boolean }> {
  const { services, calls } = failAt(world.services, { call: at, fault })
  try {
    await exchangePublicToken(userWith(world, subject, services), inputOf(chosen))
    return { calls, linked: true }
  } catch {
    return { calls, linked: false }
  }
}

async function retry({ subject, chosen }: Case): Promise<string> {
  try {
    const item = await exchangePublicToken(world.user(subject), inputOf(chosen))
    return item.plaidItemId
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

const choose = async (fault: CallFault, at: number, name: string): Promise<Case> => {
  const subject = `${name}, ${fault} ${at}`
  return { subject, fault, at, chosen: await chooseBank(world, subject, smallBank(subject)) }
}

/** All cases of a fault. They share one round of the reconciler. */
async function everyCase(fault: CallFault, name: string, count: number): Promise<Case[]> {
  const cases: Case[] = []
  for (const at of sampledCalls(count, 8, callFaults.indexOf(fault))) cases.push(await choose(fault, at, name))
  return cases
}

/** The number of the call that stores the token. */
const keptAt = (calls: readonly string[]): number => calls.indexOf('plaid.exchangePublicToken') + 2

/** The items with which a case may end; null for none. */
function possibleEnds({ fault, at, chosen }: Case, kept: number, isReported: boolean): (string | null)[] {
  // A stored token becomes an item without a further request, and what the client got as a result stays true.
  const isKept = at > kept || (at === kept && fault === 'dies after')
  if (isReported || isKept) return [chosen.plaidItemId]
  return at < kept - 1 ? [null] : [chosen.plaidItemId, null]
}

describe('an exchange', () => {
  let unharmed: Case
  let calls: readonly string[]
  let wasLinked: boolean
  beforeAll(async () => {
    unharmed = await choose('dies before', 0, 'unharmed')
    const outcome = await exchange(unharmed)
    calls = outcome.calls
    wasLinked = outcome.linked
  }, 60_000)

  it('writes its intent before it asks Plaid, and keeps the token before anything else', async () => {
    expect(wasLinked).toBe(true)
    expect(calls.slice(keptAt(calls) - 3, keptAt(calls))).toEqual(['api', 'plaid.exchangePublicToken', 'api'])
    expect(calls.filter((name) => name.startsWith('plaid.'))).toEqual([
      'plaid.exchangePublicToken',
      'plaid.getItem',
      'plaid.getAccounts',
      'plaid.getUserItems',
    ])
    expect(await expectAtRest(world, unharmed.subject)).toBe(unharmed.chosen.plaidItemId)
  })

  it('asks Plaid for the item and for its accounts at the same time', async () => {
    const subject = 'at once'
    const { plaid } = world.services
    const accountsAsked = Promise.withResolvers<void>()
    const services = withPlaid(world.services, {
      async getItem(token) {
        await accountsAsked.promise
        return await plaid.getItem(token)
      },
      async getAccounts(token) {
        accountsAsked.resolve()
        return await plaid.getAccounts(token)
      },
    })
    const chosen = await chooseBank(world, subject, smallBank(subject))
    const item = await exchangePublicToken(userWith(world, subject, services), inputOf(chosen))
    expect(item.plaidItemId).toBe(chosen.plaidItemId)
  })

  it.each(callFaults)(
    'leaves the same items here and at Plaid when it %s at any call',
    async (fault) => {
      const cases = await everyCase(fault, 'alone', calls.length)
      const linked = new Map<string, boolean>()
      for (const each of cases) linked.set(each.subject, (await exchange(each)).linked)
      world.queue.length = 0
      await heal(world)
      for (const each of cases) {
        const ends = possibleEnds(each, keptAt(calls), linked.get(each.subject) === true)
        expect(ends).toContain(await expectAtRest(world, each.subject))
      }
      await expectNoTokens(world)
    },
    180_000,
  )

  it.each(callFaults)(
    'ends in one item or none when it %s at any call and its client retries immediately and later',
    async (fault) => {
      const cases = await everyCase(fault, 'again', calls.length)
      const answers = new Map<string, string>()
      for (const each of cases) {
        await exchange(each)
        answers.set(each.subject, await retry(each))
      }
      world.queue.length = 0
      await heal(world)
      for (const each of cases) {
        const [first, item] = [answers.get(each.subject), await expectAtRest(world, each.subject)]
        expect([item, 'conflict', 'public_token_refused']).toContain(first)
        // A second attempt returns the stored item, or is refused for good.
        const second = await retry(each)
        expect(second).toBe(item ?? 'public_token_refused')
        expect(await expectAtRest(world, each.subject)).toBe(item)
      }
      await expectNoTokens(world)
    },
    180_000,
  )
})

const plainly = (chosen: Chosen) => ({ publicToken: chosen.publicToken, institution: null })

const exchangesOf = (subject: string) =>
  world.sql('select state, attempts from link_exchanges x join users u on u.id = x.user_id where u.subject = $1', [
    subject,
  ])

/** Services that run `during` after Plaid has made the item and before the Worker gets the response. */
const pausedAfterExchange = (during: () => Promise<unknown>) =>
  withPlaid(world.services, {
    async exchangePublicToken(token) {
      const answer = await world.services.plaid.exchangePublicToken(token)
      await during()
      return answer
    },
  })

const lookAtUsers = async () => {
  await world.sql('update users set plaid_items_checked_at = null')
  await reconcile(world.job())
}

describe('an item at Plaid without a row here', () => {
  it('is ended at Plaid when its exchange died with its token', async () => {
    const subject = 'orphan'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    const { services } = failAt(world.services, { call: 0, fault: 'dies before' })
    const dying = withPlaid(services, {
      async exchangePublicToken(token) {
        await world.services.plaid.exchangePublicToken(token)
        throw new TypeError('the isolate died')
      },
    })
    await codeOf(exchangePublicToken(userWith(world, subject, dying), plainly(chosen)))
    expect(await heldAtPlaid(world, subject)).toEqual([chosen.plaidItemId])
    await heal(world, 3, subject)
    expect(await heldAtPlaid(world, subject)).toEqual([])
    expect(await exchangesOf(subject)).toMatchObject([{ state: 'lost' }])
    const logged = world.lines.find((line) => line.includes('item_orphaned') && line.includes(chosen.plaidItemId))
    expect(logged).toContain('"level":"error"')
    expect(await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))).toBe('public_token_refused')
  })

  it('is not an orphan while its exchange is in progress, however often the reconciler runs', async () => {
    const subject = 'in flight'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    const item = await exchangePublicToken(
      userWith(
        world,
        subject,
        pausedAfterExchange(async () => {
          await lookAtUsers()
          await lookAtUsers()
        }),
      ),
      plainly(chosen),
    )
    expect(item.plaidItemId).toBe(chosen.plaidItemId)
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(chosen.plaidItemId)
  })

  it('is not taken for one while its public token is on its way to us', async () => {
    const subject = 'on its way'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await lookAtUsers()
    await world.sql("update plaid_removals set next_attempt_at = next_attempt_at - interval '40 minutes'")
    await lookAtUsers()
    const item = await exchangePublicToken(world.user(subject), plainly(chosen))
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(item.plaidItemId)
  })

  it('is not ended while its kept token waits for the rest of its exchange', async () => {
    const subject = 'kept'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await lookAtUsers()
    await world.bank.fault({ endpoint: '/accounts/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    expect(await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))).toBe('plaid_unavailable')
    await world.sql("update plaid_removals set next_attempt_at = now() - interval '1 hour'")
    await reconcile(world.job())
    expect(await heldAtPlaid(world, subject)).toEqual([chosen.plaidItemId])
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(chosen.plaidItemId)
  })

  it('is left to the operator where Plaid gave no id of the user', async () => {
    const subject = 'nobody at Plaid'
    const publicToken = await world.bank.publicToken()
    const lost = withPlaid(world.services, {
      async exchangePublicToken(token) {
        await world.services.plaid.exchangePublicToken(token)
        throw new TypeError('the isolate died')
      },
    })
    await codeOf(exchangePublicToken(userWith(world, subject, lost), { publicToken, institution: null }))
    await heal(world, 2, subject)
    expect(await exchangesOf(subject)).toMatchObject([{ state: 'lost' }])
    expect(world.lines.find((line) => line.includes('exchange_lost'))).toContain('"level":"error"')
  })
})

describe('an exchange that cannot continue', () => {
  it('is given up in the end, and its item ended at Plaid', async () => {
    const subject = 'given up'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await world.bank.fault({ endpoint: '/accounts/get', times: 50, error: 'INTERNAL_SERVER_ERROR' })
    expect(await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))).toBe('plaid_unavailable')
    await heal(world, 7, subject)
    expect(await heldAtPlaid(world, subject)).toEqual([chosen.plaidItemId])
    await heal(world, 1, subject)
    await world.bank.clearFaults()
    expect(await exchangesOf(subject)).toEqual([{ state: 'given_back', attempts: '8' }])
    expect(await expectAtRest(world, subject)).toBeNull()
    expect(await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))).toBe('public_token_refused')
  })

  it('continues after Plaid did not accept the token for a while', async () => {
    const subject = 'keys of another team'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await world.bank.fault({ endpoint: '/item/get', times: 1, error: 'INVALID_ACCESS_TOKEN' })
    expect(await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))).toBe('item_needs_attention')
    expect(await exchangesOf(subject)).toEqual([{ state: 'exchanged', attempts: expect.anything() }])
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(chosen.plaidItemId)
  })

  it('ends immediately when the item no longer exists at Plaid', async () => {
    const subject = 'gone meanwhile'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await world.bank.fault({ endpoint: '/accounts/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))
    await world.bank.fault({ endpoint: '/item/get', times: 1, error: 'ITEM_NOT_FOUND' })
    expect(await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))).toBe('public_token_refused')
    expect(await expectAtRest(world, subject)).toBeNull()
  })
})

describe('two concurrent requests', () => {
  const settled = async (...acts: Promise<unknown>[]) => await Promise.all(acts.map(codeOf))

  it('create one item with the same public token', async () => {
    const subject = 'same token'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    const user = world.user(subject)
    const codes = await settled(...[1, 2, 3].map(() => exchangePublicToken(user, plainly(chosen))))
    expect(codes).toContain(null)
    expect([null, 'conflict']).toEqual(expect.arrayContaining(codes))
    expect(await exchangesOf(subject)).toMatchObject([{ state: 'linked' }])
    expect(await expectAtRest(world, subject)).toBe(chosen.plaidItemId)
  })

  it('create one item with two public tokens of one institution, and the other is a duplicate that is removed at Plaid', async () => {
    const subject = 'same bank'
    const choices = [1, 2, 3].map(() => chooseBank(world, subject, smallBank(subject)))
    const user = world.user(subject)
    const codes = await settled(...(await Promise.all(choices)).map((each) => exchangePublicToken(user, plainly(each))))
    expect(codes.map(String).toSorted()).toEqual(['duplicate_item', 'duplicate_item', 'null'])
    expect(await expectAtRest(world, subject)).not.toBeNull()
  })

  it('resume one exchange once when both reconcile', async () => {
    const subject = 'two reconcilers'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await world.bank.fault({ endpoint: '/accounts/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))
    await letTimePass(world, subject)
    await Promise.all([1, 2, 3, 4].map(() => reconcile(world.job())))
    expect(await expectAtRest(world, subject)).toBe(chosen.plaidItemId)
    expect(await exchangesOf(subject)).toEqual([{ state: 'linked', attempts: '1' }])
  })

  it('create one item when one reconciles and the other is the retry of the client', async () => {
    const subject = 'beside'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    await world.bank.fault({ endpoint: '/accounts/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await codeOf(exchangePublicToken(world.user(subject), plainly(chosen)))
    await letTimePass(world, subject)
    const acts = [reconcile(world.job()), exchangePublicToken(world.user(subject), plainly(chosen))]
    expect([null, 'conflict']).toContain((await settled(...acts))[1])
    expect(await expectAtRest(world, subject)).toBe(chosen.plaidItemId)
    expect((await exchangePublicToken(world.user(subject), plainly(chosen))).plaidItemId).toBe(chosen.plaidItemId)
  })
})
