// Work that was under way when a freeze began: what Plaid has done already is stored, and everything else is done after it.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { claimRemoval, confirmRemoval } from '../../../src/db/items/plaid-removals.ts'
import { requestRotation } from '../../../src/items/request-rotation.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import {
  askForLink,
  codeOf,
  goThroughLink,
  heal,
  heldHere,
  letTimePass,
  smallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { bankOf, linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await set('off')
  world.lines.length = 0
})

const set = (state: string) =>
  world.sql("update safety_switches set state = $1, changed_at = now() where name = 'freeze'", [state])

/** Freezes, and waits until this isolate knows it: two seconds at most. */
async function freeze(): Promise<void> {
  await set('frozen')
  await vi.waitFor(async () => expect(await world.services.freeze.check('/transactions/sync')).toBe('frozen'), {
    timeout: 2500,
    interval: 50,
  })
}

const callsOf = async (endpoint: string) =>
  (await world.bank.calls()).filter((call) => call.endpoint === endpoint).length
const errors = () => world.lines.filter((line) => line.includes('"level":"error"'))

describe('a freeze that begins between the response of Plaid and the next statement', () => {
  it('keeps the access token of an exchange, and the item is linked with it afterwards', async () => {
    const subject = 'exchanging'
    const publicToken = await world.bank.publicToken({ username: bankOf(subject) })
    const services = withPlaid(world.services, {
      async exchangePublicToken(token) {
        const answer = await world.services.plaid.exchangePublicToken(token)
        await set('frozen')
        return answer
      },
    })
    const user = { ...world.user(subject), services }
    expect(await codeOf(exchangePublicToken(user, { publicToken, institution: null }))).toBe('frozen')
    const rows = await world.sql(
      `select e.state, e.access_token_sealed like 'wn2.%' as sealed from link_exchanges e join users u on u.id = e.user_id
        where u.subject = $1`,
      [subject],
    )
    expect(rows).toEqual([{ state: 'exchanged', sealed: 't' }])
    await set('off')
    const exchanges = await callsOf('/item/public_token/exchange')
    await heal(world, 2, subject)
    expect(await heldHere(world, subject)).toHaveLength(1)
    expect(await callsOf('/item/public_token/exchange')).toBe(exchanges)
  })

  it('lets a removal be finished afterwards that Plaid has confirmed', async () => {
    const subject = 'removing'
    const item = await linkAndSync(world, subject)
    const services = withPlaid(world.services, {
      async removeItem(token) {
        const answer = await world.services.plaid.removeItem(token)
        await set('frozen')
        return answer
      },
    })
    await removeItem({ ...world.user(subject), services }, item.id, { purge: false }).catch(() => undefined)
    await set('off')
    await heal(world, 2, subject)
    expect(await world.sql('select status, access_token_sealed from items where id = $1', [item.id])).toEqual([
      { status: 'removed', access_token_sealed: '' },
    ])
    expect(await world.sql('select 1 from plaid_removals where item_id = $1', [item.id])).toEqual([])
  })

  it('records a removal that Plaid has confirmed, when the change feed already has it', async () => {
    const item = await linkAndSync(world, 'removed')
    await world.bank.fault({ endpoint: '/item/remove', times: 20, error: 'INTERNAL_SERVER_ERROR' })
    await removeItem(world.user('removed'), item.id, { purge: false })
    await world.bank.clearFaults()
    const removal = await claimRemoval(world.services.jobs, item.plaidItemId)
    if (removal === null) throw new Error('no removal is queued')
    await set('frozen')
    await confirmRemoval(world.services.jobs, removal)
    expect(await world.sql('select 1 from plaid_removals where item_id = $1', [item.id])).toEqual([])
    expect(await world.sql('select status from items where id = $1', [item.id])).toEqual([{ status: 'removed' }])
  })

  it('forgets an exchange that did not reach Plaid, so that its token can be used afterwards', async () => {
    const subject = 'forgotten'
    const publicToken = await world.bank.publicToken({ username: bankOf(subject) })
    const services = withPlaid(world.services, {
      async exchangePublicToken(token) {
        await freeze()
        return await world.services.plaid.exchangePublicToken(token)
      },
    })
    const input = { publicToken, institution: null }
    expect(await codeOf(exchangePublicToken({ ...world.user(subject), services }, input))).toBe('frozen')
    await set('off')
    expect(await exchangePublicToken(world.user(subject), input)).toMatchObject({ status: 'initializing' })
  })

  it('withdraws a rotation whose message the queue did not take', async () => {
    const item = await linkAndSync(world, 'not queued')
    const services = {
      ...world.services,
      enqueueRotation: async () => {
        await set('frozen')
        return false
      },
    }
    expect(await codeOf(requestRotation({ ...world.user('not queued'), services }, item.id))).toBe('unavailable')
    expect(await world.sql('select rotation_started_at from items where id = $1', [item.id])).toEqual([
      { rotation_started_at: null },
    ])
  })

  it('withdraws a rotation that Plaid was not asked for, and rotates afterwards', async () => {
    const subject = 'rotating'
    const item = await linkAndSync(world, subject)
    const token = async () => (await world.sql('select access_token_sealed from items where id = $1', [item.id]))[0]
    const before = await token()
    await requestRotation(world.user(subject), item.id)
    const services = withPlaid(world.services, {
      async invalidateAccessToken(given) {
        await freeze()
        return await world.services.plaid.invalidateAccessToken(given)
      },
    })
    const [message] = world.queue.splice(0)
    if (message === undefined) throw new Error('no message was sent')
    expect(await world.consume([message], services)).toEqual(['ack'])
    const intent = 'select rotation_started_at, rotation_owner from items where id = $1'
    expect(await world.sql(intent, [item.id])).toEqual([{ rotation_started_at: null, rotation_owner: null }])
    expect(world.queue).toEqual([message])
    await set('off')
    await world.drain()
    expect(await token()).not.toEqual(before)
  })
})

describe('a message during a freeze', () => {
  it('is acknowledged for a hosted page, and the bank is linked afterwards', async () => {
    const subject = 'hosted'
    const { linkToken } = await askForLink(world, subject, { hosted: true })
    await goThroughLink(world, linkToken, smallBank(subject))
    const [session] = await world.sql(
      'select s.id from link_sessions s join users u on u.id = s.user_id where u.subject = $1',
      [subject],
    )
    await freeze()
    expect(await world.consume([{ link_session_id: String(session?.['id']) }])).toEqual(['ack'])
    expect(errors()).toEqual([])
    await set('off')
    await letTimePass(world, subject)
    await heal(world, 2, subject)
    expect(await heldHere(world, subject)).toHaveLength(1)
  })

  it('is not sent for products, and the sweep after it enqueues them', async () => {
    const item = await linkAndSync(world, 'claims')
    await world.sql('update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1', [
      item.id,
    ])
    const ids = (await world.sql('select id from item_products where item_id = $1', [item.id])).map(({ id }) =>
      String(id),
    )
    await freeze()
    expect(await world.services.enqueue(ids, 'user')).toEqual([])
    expect([world.queue, errors()]).toEqual([[], []])
    await set('off')
    await world.elapse()
    await sweep(world.job())
    expect(world.queue.length).toBeGreaterThan(0)
  })
})
