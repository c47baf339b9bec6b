// One rotation with several deliveries of its message. Plaid may rotate the token only once.
import { afterEach, describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { queueUnusableItems } from '../../../src/items/queue-removal.ts'
import { requestRotation } from '../../../src/items/request-rotation.ts'
import type { Plaid } from '../../../src/plaid/endpoints.ts'
import type { Services } from '../../../src/context.ts'
import type { SyncMessage } from '../../../src/messages/message.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import {
  accessTokenOf,
  codeOf,
  expectAtRest,
  heal,
  letTimePass,
  linkAndSyncSmallBank,
  rowOf,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

type Rotate = Plaid['invalidateAccessToken']

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})

const link = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)

/** Requests a rotation and returns its queue message. */
async function ask(subject: string, item: Item): Promise<SyncMessage> {
  await requestRotation(world.user(subject), item.id)
  const message = world.queue.pop()
  if (message === undefined) throw new Error('no rotation was sent')
  return message
}

interface Held {
  readonly services: Services
  /** Resolves when the delivery has reached its pause. */
  readonly reached: Promise<void>
  readonly release: () => void
}

/** Services whose rotation waits before Plaid gets the call, or after Plaid has rotated the token. */
function held(
  at: 'before' | 'after',
  act: Rotate = (...args) => world.services.plaid.invalidateAccessToken(...args),
): Held {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const pause = async (): Promise<void> => {
    reached.resolve()
    await gate.promise
  }
  const invalidateAccessToken: Rotate = async (...args) => {
    if (at === 'before') await pause()
    const answer = await act(...args)
    if (at === 'after') await pause()
    return answer
  }
  return {
    services: withPlaid(world.services, { invalidateAccessToken }),
    reached: reached.promise,
    release: gate.resolve,
  }
}

/** Starts a delivery and stops it after Plaid has made the new token, before it is stored. */
async function deliverUntilAnswered(message: SyncMessage) {
  const delivery = held('after')
  const handled = world.consume([message], delivery.services)
  await delivery.reached
  return { handled, release: delivery.release }
}

async function syncAll(subject: string, item: Item): Promise<void> {
  await requestSync(world.user(subject), item.id)
  await world.drain()
}

async function expectWorking(subject: string, item: Item): Promise<void> {
  await world.drain()
  await heal(world, 1, subject)
  expect(await expectAtRest(world, subject)).toBe(item.plaidItemId)
  expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', status_reason: null, rotation_owner: null })
  expect(await codeOf(world.bank.plaid('/item/get', { access_token: await accessTokenOf(world, item) }))).toBeNull()
}

describe('a delivery of a rotation', () => {
  it('does not call Plaid while another one does, and is retried later', async () => {
    const subject = 'two deliveries'
    const item = await link(subject)
    const message = await ask(subject, item)
    const first = held('before')
    const handled = world.consume([message], first.services)
    await first.reached
    let asked = 0
    const counting = withPlaid(world.services, {
      async invalidateAccessToken(...args) {
        asked += 1
        return await world.services.plaid.invalidateAccessToken(...args)
      },
    })
    expect(await world.consume([message], counting)).toEqual([180])
    first.release()
    expect(await handled).toEqual(['ack'])
    expect(await world.consume([message], counting)).toEqual(['ack'])
    expect(asked).toBe(0)
    await expectWorking(subject, item)
  })

  it('takes over when the lease of one that died has ended', async () => {
    const subject = 'takes over'
    const item = await link(subject)
    const message = await ask(subject, item)
    const died = held('before')
    const handled = world.consume([message], died.services)
    await died.reached
    await letTimePass(world, subject)
    expect(await world.consume([message])).toEqual(['ack'])
    // The first delivery continues after all, with a token that is no longer valid.
    died.release()
    await handled
    await expectWorking(subject, item)
  })

  it.each(['earlier', 'later'] as const)(
    'keeps the token that Plaid made last when the %s one is stored first',
    async (stored) => {
      const subject = `both granted, ${stored} first`
      const item = await link(subject)
      const message = await ask(subject, item)
      const { plaid } = world.services
      const made: Parameters<Rotate>[0][] = []
      const earlier = held('after', async (token) => {
        const answer = await plaid.invalidateAccessToken(token)
        if (answer.ok) made.push(answer.value.new_access_token)
        return answer
      })
      const earlierHandled = world.consume([message], earlier.services)
      await earlier.reached
      await letTimePass(world, subject)
      // Simulates a Plaid that accepts the old token twice.
      const later = held('after', async (token) => await plaid.invalidateAccessToken(made[0] ?? token))
      const laterHandled = world.consume([message], later.services)
      await later.reached
      const inOrder = [
        { release: earlier.release, handled: earlierHandled },
        { release: later.release, handled: laterHandled },
      ]
      for (const { release, handled } of stored === 'earlier' ? inOrder : inOrder.toReversed()) {
        release()
        await handled
      }
      await expectWorking(subject, item)
    },
  )

  it('stores its token although the one that took over was refused, and the item was taken for lost', async () => {
    const subject = 'refused copy'
    const item = await link(subject)
    const message = await ask(subject, item)
    const first = await deliverUntilAnswered(message)
    await letTimePass(world, subject)
    await world.bank.fault({ endpoint: '/item/access_token/invalidate', times: 1, error: 'RATE_LIMIT' })
    expect(await world.consume([message])).toEqual(['ack'])
    await syncAll(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required', rotation_started_at: null })
    first.release()
    expect(await first.handled).toEqual(['ack'])
    await expectWorking(subject, item)
  })

  it('leaves the intent of its successor when Plaid refuses it', async () => {
    const subject = 'refused late'
    const item = await link(subject)
    const message = await ask(subject, item)
    const refused = held('after')
    await world.bank.fault({ endpoint: '/item/access_token/invalidate', times: 1, error: 'RATE_LIMIT' })
    const refusedHandled = world.consume([message], refused.services)
    await refused.reached
    await letTimePass(world, subject)
    const second = await deliverUntilAnswered(message)
    refused.release()
    await refusedHandled
    await syncAll(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    second.release()
    expect(await second.handled).toEqual(['ack'])
    await expectWorking(subject, item)
  })

  it('takes back the removal of an item whose token was taken for lost', async () => {
    const subject = 'removal taken back'
    const item = await link(subject)
    const first = await deliverUntilAnswered(await ask(subject, item))
    await letTimePass(world, subject)
    await syncAll(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required', status_reason: 'ACCESS_TOKEN_LOST' })
    await queueUnusableItems(world.job())
    const removals = 'select reason from plaid_removals where plaid_item_id = $1'
    expect(await world.sql(removals, [item.plaidItemId])).toEqual([{ reason: 'token_lost' }])
    first.release()
    expect(await first.handled).toEqual(['ack'])
    expect(await world.sql(removals, [item.plaidItemId])).toEqual([])
    await expectWorking(subject, item)
  })

  it('does not restore an item that was lost before the rotation began', async () => {
    const subject = 'lost before'
    const item = await link(subject)
    await world.sql(
      "update items set status = 'relink_required', status_reason = 'ITEM_NOT_FOUND', lost_at = now() - interval '1 hour' where id = $1",
      [item.id],
    )
    await world.consume([await ask(subject, item)])
    expect(await rowOf(world, item)).toMatchObject({ status: 'relink_required', status_reason: 'ITEM_NOT_FOUND' })
  })
})

describe('a request for a rotation that the queue does not confirm', () => {
  it('leaves the intent to a delivery that has begun', async () => {
    const subject = 'taken all the same'
    const item = await link(subject)
    const delivery = held('after')
    let handled: Promise<unknown> = Promise.resolve()
    const enqueueRotation: Services['enqueueRotation'] = async (rotation) => {
      await world.services.enqueueRotation(rotation)
      const message = world.queue.pop()
      if (message === undefined) throw new Error('no rotation was sent')
      handled = world.consume([message], delivery.services)
      await delivery.reached
      return false
    }
    const user = userWith(world, subject, { ...world.services, enqueueRotation })
    expect(await codeOf(requestRotation(user, item.id))).toBe('unavailable')
    await syncAll(subject, item)
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    delivery.release()
    expect(await handled).toEqual(['ack'])
    await expectWorking(subject, item)
  })

  it('leaves the intent of a later request', async () => {
    const subject = 'asked again'
    const item = await link(subject)
    const enqueueRotation: Services['enqueueRotation'] = async () => {
      await letTimePass(world, subject)
      await requestRotation(world.user(subject), item.id)
      return false
    }
    const user = userWith(world, subject, { ...world.services, enqueueRotation })
    expect(await codeOf(requestRotation(user, item.id))).toBe('unavailable')
    expect((await rowOf(world, item))['rotation_started_at']).not.toBeNull()
    await expectWorking(subject, item)
  })
})
