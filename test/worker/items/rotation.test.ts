// Rotation of access tokens. Plaid invalidates the old token immediately, so a lost response can lose the item: that is
// detected, reported, and repaired by linking again.
import { afterEach, describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { requestRotation, waitForRotation } from '../../../src/items/request-rotation.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import {
  accessTokenOf,
  codeOf,
  expectAtRest,
  expectNoTokens,
  heal,
  heldAtPlaid,
  letTimePass,
  linkAndSyncSmallBank,
  rotate,
  rowOf,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { sampledCalls } from '../../support/sampled.ts'
import { callFaults, failAt } from '../../support/fault-injection.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})

const link = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)
const currentToken = (item: Item): Promise<string> => accessTokenOf(world, item)
const worksAtPlaid = async (token: string) =>
  (await codeOf(world.bank.plaid('/item/get', { access_token: token }))) === null

/** Services that run `during` after Plaid has rotated the token and before the Worker gets the response. */
const pausedAfterRotation = (during: () => Promise<unknown>): Services =>
  withPlaid(world.services, {
    async invalidateAccessToken(token) {
      const answer = await world.services.plaid.invalidateAccessToken(token)
      await during()
      return answer
    },
  })

async function syncAll(subject: string, item: Item): Promise<void> {
  await requestSync(world.user(subject), item.id)
  await world.drain()
}

const alarms = (name: string, item: Item) =>
  world.lines.filter((line) => line.includes(name) && line.includes('"level":"error"') && line.includes(item.id))

async function expectWorking(subject: string, item: Item): Promise<void> {
  expect(await expectAtRest(world, subject)).toBe(item.plaidItemId)
  expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
}

async function expectLost(subject: string, item: Item): Promise<void> {
  expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required', status_reason: 'ACCESS_TOKEN_LOST' })
  expect(alarms('access_token_lost', item)).not.toEqual([])
  // The item can no longer be used, so it must not be billed.
  expect(await heldAtPlaid(world, subject)).toEqual([])
}

describe('a rotation', () => {
  it('puts a new token in the place of the old one, which is dead, and looks at everything with it', async () => {
    const subject = 'works'
    const item = await link(subject)
    const old = await currentToken(item)
    await rotate(world, world.user(subject), item.id)
    const now = await currentToken(item)
    expect(now).not.toBe(old)
    expect([await worksAtPlaid(old), await worksAtPlaid(now)]).toEqual([false, true])
    expect(await rowOf(world, item)).toMatchObject({ rotation_started_at: null, status: 'healthy' })
    expect(world.queue.length).toBeGreaterThan(0)
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
    await expectNoTokens(world)
  })

  it('is available to the owner only', async () => {
    const item = await link('owner')
    const old = await currentToken(item)
    expect(await codeOf(rotate(world, world.user('thief'), item.id))).toBe('not_found')
    expect(await codeOf(rotate(world, world.user('owner'), crypto.randomUUID()))).toBe('not_found')
    expect(await worksAtPlaid(old)).toBe(true)
  })

  it('does not make runs that hold the old token take the item for lost', async () => {
    const subject = 'runs'
    const item = await link(subject)
    const rotating = pausedAfterRotation(() => syncAll(subject, item))
    await rotate(world, userWith(world, subject, rotating), item.id)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', status_reason: null })
    expect(
      await world.sql("select distinct error_code from sync_runs where item_id = $1 and outcome = 'failed'", [item.id]),
    ).toEqual([{ error_code: 'INVALID_ACCESS_TOKEN' }])
    await world.drain()
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    const left =
      "select product from item_products where item_id = $1 and dirty_seq > synced_seq and status <> 'absent'"
    expect(await world.sql(left, [item.id])).toEqual([])
  })

  it('makes a concurrent run with the old token retry immediately', async () => {
    const subject = 'late run'
    const item = await link(subject)
    await requestSync(world.user(subject), item.id)
    let rotated = false
    await world.drain(
      withPlaid(world.services, {
        async getAccounts(token) {
          if (!rotated) await rotate(world, world.user(subject), item.id)
          rotated = true
          return await world.services.plaid.getAccounts(token)
        },
      }),
    )
    expect(rotated).toBe(true)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    await heal(world, 1)
    expect(await expectAtRest(world, subject)).toBe(item.plaidItemId)
  })

  it('returns after ten seconds by the clock, however long each check takes', async () => {
    const subject = 'long'
    const item = await link(subject)
    let nowMs = Date.now()
    let waits = 0
    const wait = (milliseconds: number) => {
      waits += 1
      nowMs += milliseconds + 3000
      return Promise.resolve()
    }
    const user = { ...userWith(world, subject, { ...world.services, wait }), now: () => new Date(nowMs) }
    const rotation = await requestRotation(user, item.id)
    expect(await waitForRotation(user, rotation)).toBe('running')
    expect(waits).toBe(4)
    await world.drain()
    expect(await waitForRotation(user, rotation)).toBe('rotated')
  })

  it('happens once in two concurrent requests', async () => {
    const subject = 'two'
    const item = await link(subject)
    const user = world.user(subject)
    const { plaid } = world.services
    const [atPlaid, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const invalidateAccessToken: typeof plaid.invalidateAccessToken = async (...args) => {
      atPlaid.resolve()
      await gate.promise
      return await plaid.invalidateAccessToken(...args)
    }
    const slow = { ...user, services: withPlaid(user.services, { invalidateAccessToken }) }
    const first = codeOf(rotate(world, slow, item.id))
    await atPlaid.promise
    const others = await Promise.all([1, 2].map(() => codeOf(rotate(world, user, item.id))))
    gate.resolve()
    expect([await first, ...others]).toEqual([null, 'conflict', 'conflict'])
    expect(await worksAtPlaid(await currentToken(item))).toBe(true)
  })

  it.each([
    ['INTERNAL_SERVER_ERROR', 'plaid_unavailable'],
    ['RATE_LIMIT', 'plaid_unavailable'],
    ['INVALID_API_KEYS', 'plaid_rejected'],
  ])('leaves the token unchanged when Plaid refuses (%s)', async (error, code) => {
    const subject = `refused ${error}`
    const item = await link(subject)
    const old = await currentToken(item)
    await world.bank.fault({ endpoint: '/item/access_token/invalidate', times: 1, error })
    expect(await codeOf(rotate(world, world.user(subject), item.id))).toBe(code)
    expect(await currentToken(item)).toBe(old)
    await heal(world, 1)
    expect(await expectAtRest(world, subject)).toBe(item.plaidItemId)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    expect(await codeOf(rotate(world, world.user(subject), item.id))).toBeNull()
  })

  it('is committed by a retry when the database is unavailable', async () => {
    const subject = 'commit again'
    const item = await link(subject)
    await world.stack.addFault(world.database.name, {
      kind: 'fail-before',
      matching: 'set access_token_sealed',
      times: 3,
    })
    await rotate(world, world.user(subject), item.id)
    expect(await worksAtPlaid(await currentToken(item))).toBe(true)
    expect(alarms('access_token_lost', item)).toEqual([])
  })

  it('is committed although the response of the commit is lost', async () => {
    const subject = 'commit answered'
    const item = await link(subject)
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: 'set access_token_sealed' })
    await rotate(world, world.user(subject), item.id)
    expect(await worksAtPlaid(await currentToken(item))).toBe(true)
    await syncAll(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', rotation_started_at: null })
  })

  it.each(callFaults)(
    'leaves a working item, or one that is visibly lost, when it %s at any call',
    async (fault) => {
      const first = await link(`unharmed ${fault}`)
      const unharmed = failAt(world.services, { call: 0, fault })
      await rotate(world, userWith(world, `unharmed ${fault}`, unharmed.services), first.id)
      expect(unharmed.calls).toEqual([
        'api',
        'enqueueRotation',
        'jobs',
        'jobs',
        'plaid.invalidateAccessToken',
        'jobs',
        'enqueue',
      ])
      const asked = unharmed.calls.indexOf('plaid.invalidateAccessToken') + 1
      const cases: { subject: string; item: Item; at: number }[] = []
      for (const at of sampledCalls(unharmed.calls.length, 8, callFaults.indexOf(fault))) {
        const subject = `rotation ${fault} ${at}`
        const item = await link(subject)
        await codeOf(
          rotate(world, userWith(world, subject, failAt(world.services, { call: at, fault }).services), item.id),
        )
        cases.push({ subject, item, at })
      }
      world.queue.length = 0
      await heal(world, 3)
      for (const { subject, item, at } of cases) {
        const isLost =
          (at === asked && (fault === 'dies after' || fault === 'loses the response')) ||
          (at === asked + 1 && fault === 'dies before')
        await (isLost ? expectLost : expectWorking)(subject, item)
      }
      await expectNoTokens(world)
    },
    120_000,
  )
})

describe('a token that was lost', () => {
  /** Loses Plaid's response with the new token. */
  async function lose(subject: string): Promise<Item> {
    const item = await link(subject)
    await world.bank.fault({ endpoint: '/item/access_token/invalidate', times: 1, drop: 'after' })
    expect(await codeOf(rotate(world, world.user(subject), item.id))).toBe('plaid_unavailable')
    expect(alarms('rotation_unanswered', item)).toHaveLength(1)
    return item
  }

  it('is not lost while its rotation may be in progress', async () => {
    const subject = 'not yet'
    const item = await lose(subject)
    await syncAll(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    expect(alarms('access_token_lost', item)).toEqual([])
  })

  it('is detected automatically, raises one alarm, and requires a relink that restores the item', async () => {
    const subject = 'goes on'
    const item = await lose(subject)
    const before = await everyTransaction(world, subject)
    await letTimePass(world)
    await reconcile(world.job())
    await heal(world)
    expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required', status_reason: 'ACCESS_TOKEN_LOST' })
    expect(alarms('access_token_lost', item)).toHaveLength(1)
    expect(await heldAtPlaid(world, subject)).toEqual([])
    const again = await link(subject)
    expect(again.id).toBe(item.id)
    const after = await expectTruth(world, subject, again.plaidItemId)
    expect(new Set(after.map(({ id }) => id))).toEqual(new Set(before.map(({ id }) => id)))
    await heal(world)
    expect(await expectAtRest(world, subject)).toBe(again.plaidItemId)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', status_reason: null })
  })

  it('raises an alarm immediately when the database stayed down', async () => {
    const subject = 'database down'
    const item = await link(subject)
    await world.stack.addFault(world.database.name, {
      kind: 'fail-before',
      matching: 'set access_token_sealed',
      times: 50,
    })
    expect(await codeOf(rotate(world, world.user(subject), item.id))).toBe('unavailable')
    expect(alarms('access_token_lost', item)).toHaveLength(1)
    await world.stack.clearFaults(world.database.name)
    await heal(world)
    expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required', status_reason: 'ACCESS_TOKEN_LOST' })
  })
})
