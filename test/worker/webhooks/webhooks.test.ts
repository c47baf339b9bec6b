// A verified webhook over a real database: stored once, marks its product dirty once, enqueues it in every isolate, and
// takes effect completely or not at all.
import { afterEach, describe, expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { clientOf } from '../../../src/ratelimit/address.ts'
import { createLimiter } from '../../../src/ratelimit/limiter.ts'
import type { Services } from '../../../src/context.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { receiveWebhook } from '../../../src/webhooks/receive.ts'
import { createRecentDeliveries } from '../../../src/webhooks/keys/recent-deliveries.ts'
import { countingOutcomes } from '../../support/counting-outcomes.ts'
import { expectTruth } from '../../support/equality.ts'
import { codeOf, useWorld } from '../../support/item-lifecycle.ts'
import { addAndCatchWebhook, linkAndSync } from '../../support/linked.ts'
import type { Delivery } from '../../support/stack.ts'
import type { World } from '../../support/world.ts'
import { receiving } from './receiving.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})
const { relay, marks, statusOf } = receiving(() => world)

const events = (plaidItemId: string) =>
  world.sql(
    'select webhook_type, webhook_code, item_id, user_id, payload, scheme from webhook_events where plaid_item_id = $1',
    [plaidItemId],
  )

const clean = {
  item: 0,
  balances: 0,
  transactions: 0,
  recurring: 0,
  holdings: 0,
  investment_transactions: 0,
  liabilities: 0,
}

describe('a webhook', () => {
  it('is stored, marks its product as dirty and enqueues it, and the sync reads the changes', async () => {
    const item = await linkAndSync(world, 'news')
    await world.deliver(await addAndCatchWebhook(world, item))
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
    expect(world.queue).toEqual([{ item_product_id: expect.any(String), reason: 'webhook' }])
    const [event, ...others] = await events(item.plaidItemId)
    expect(others).toEqual([])
    expect(event).toMatchObject({ webhook_code: 'SYNC_UPDATES_AVAILABLE', item_id: item.id, scheme: 'jwt' })
    await world.drain()
    await expectTruth(world, 'news', item.plaidItemId)
    expect(await marks(item.id)).toEqual(clean)
  })

  /** Services of a new isolate, which has accepted no delivery. */
  const freshIsolate = (): Services => ({ ...world.services, recentWebhooks: createRecentDeliveries() })

  it('changes nothing when it is repeated, and enqueues again in an isolate that did not accept the first', async () => {
    const item = await linkAndSync(world, 'replay')
    const delivery = await addAndCatchWebhook(world, item)
    for (let copy = 0; copy < 3; copy += 1) await world.deliver(delivery)
    expect(world.queue).toHaveLength(1)
    // The queue loses the message.
    world.queue.length = 0
    await world.deliver(delivery)
    expect(world.queue).toEqual([])
    for (let copy = 0; copy < 3; copy += 1) await world.deliver(delivery, freshIsolate())
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
    expect(await events(item.plaidItemId)).toHaveLength(1)
    expect(world.queue).toHaveLength(1)
    await world.drain()
    await world.deliver(delivery)
    expect(await marks(item.id)).toEqual(clean)
  })

  it('is handled without work when it is repeated from an address over its limit, and a first delivery from there is accepted', async () => {
    const item = await linkAndSync(world, 'copies')
    const [delivery, other] = [await addAndCatchWebhook(world, item), await addAndCatchWebhook(world, item)]
    let counted = 0
    const limiter = createLimiter({
      objects: {
        getByName: () => ({
          check: (buckets) => {
            counted += 1
            const standings = buckets.flatMap(({ limits }) =>
              limits.map(() => ({ remaining: 0, waitMs: 60_000, resetMs: 60_000 })),
            )
            return Promise.resolve({ admitted: false, standings })
          },
          look: () => Promise.resolve([]),
        }),
      },
    })
    const client = clientOf('192.0.2.7', null)
    const send = async ({ body, plaidVerification }: Delivery): Promise<void> => {
      const ctx: Ctx = { ...world.job({ ...freshIsolate(), limiter }), actor: { kind: 'anonymous' }, client }
      await receiveWebhook(ctx, { plaidVerification, webhookSignature: null, body: new TextEncoder().encode(body) })
    }
    await send(delivery)
    // The first copy is counted after its work; later copies are refused first.
    for (let copy = 0; copy < 4; copy += 1) await send(delivery)
    expect([world.queue.length, counted]).toEqual([1, 1])
    await send(other)
    expect(await events(item.plaidItemId)).toHaveLength(2)
    expect([world.queue.length, await marks(item.id)]).toEqual([1, { ...clean, transactions: 2 }])
  })

  it('counts once in concurrent deliveries', async () => {
    const item = await linkAndSync(world, 'at once')
    const delivery = await addAndCatchWebhook(world, item)
    await Promise.all(Array.from({ length: 6 }, () => world.deliver(delivery)))
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
    expect(await events(item.plaidItemId)).toHaveLength(1)
  })

  it('is not taken for a copy of another that says the same', async () => {
    const item = await linkAndSync(world, 'same words')
    const [first, second] = [await addAndCatchWebhook(world, item), await addAndCatchWebhook(world, item)]
    expect(first.body).toBe(second.body)
    await Promise.all([world.deliver(first), world.deliver(second)])
    // Two webhooks signed within the same second count as one delivery. The product is marked dirty in both cases.
    expect((await events(item.plaidItemId)).length).toBe(first.plaidVerification === second.plaidVerification ? 1 : 2)
    await world.drain()
    await expectTruth(world, 'same words', item.plaidItemId)
  })

  it('is stored with an unknown type, code or item', async () => {
    const item = await linkAndSync(world, 'unknown')
    await relay(JSON.stringify({ webhook_type: 'NEW', webhook_code: 'THING', item_id: item.plaidItemId, more: [1] }))
    await relay(JSON.stringify({ webhook_type: 'TRANSACTIONS', webhook_code: 'DEFAULT_UPDATE', item_id: 'nobody’s' }))
    await relay(JSON.stringify({ webhook_type: 'constructor', webhook_code: 'toString' }))
    expect(await events(item.plaidItemId)).toMatchObject([{ webhook_type: 'NEW', item_id: item.id, scheme: 'hmac' }])
    expect(await events('nobody’s')).toMatchObject([{ item_id: null, user_id: null }])
    expect(await world.sql("select 1 as one from webhook_events where webhook_type = 'constructor'")).toHaveLength(1)
    expect(await marks(item.id)).toEqual(clean)
    expect(world.queue).toEqual([])
  })

  it('is stored for a removed item, and enqueues nothing', async () => {
    const item = await linkAndSync(world, 'gone')
    await removeItem(world.user('gone'), item.id, { purge: false })
    await relay(
      JSON.stringify({ webhook_type: 'TRANSACTIONS', webhook_code: 'DEFAULT_UPDATE', item_id: item.plaidItemId }),
    )
    expect(await events(item.plaidItemId)).toMatchObject([{ item_id: null }])
    expect(world.queue).toEqual([])
    expect(await marks(item.id)).toEqual(clean)
  })

  const deep = (levels: number): string => `{"webhook_type":"ODD","x":${'['.repeat(levels)}${']'.repeat(levels)}}`
  it.each([
    ['', 'UNNAMED', 'UNNAMED'],
    ['{', 'UNNAMED', 'UNNAMED'],
    ['[]', 'UNNAMED', 'UNNAMED'],
    ['"text"', 'UNNAMED', 'UNNAMED'],
    ['null', 'UNNAMED', 'UNNAMED'],
    ['{"webhook_type":"ITEM"}', 'ITEM', 'UNNAMED'],
    ['{"webhook_type":1,"webhook_code":"X"}', 'UNNAMED', 'X'],
    ['{"webhook_type":"","webhook_code":null,"item_id":[]}', 'UNNAMED', 'UNNAMED'],
    [`{"webhook_type":"${'T'.repeat(500)}","webhook_code":"X","item_id":"${'i'.repeat(500)}"}`, 'UNNAMED', 'X'],
    [deep(10), 'ODD', 'UNNAMED'],
    [deep(5000), 'ODD', 'UNNAMED'],
    [deep(200_000), 'ODD|UNNAMED', 'UNNAMED'],
    [`{"webhook_type":"ODD","webhook_code":"LONG","x":"${'x'.repeat(700_000)}"}`, 'ODD', 'LONG'],
    [`{"webhook_type":"ODD","webhook_code":"MANY","x":[${'1,'.repeat(300_000)}1]}`, 'ODD', 'MANY'],
    [
      '{"webhook_type":"ODD","webhook_code":"N\\u0000UL","\\u0000":"\\ud800","a":{"\\u0000b":["\\u0000"]}}',
      'ODD',
      'NUL',
    ],
  ])('is stored once if it is authentic, with any content (%#)', async (body, type, code) => {
    await world.sql("update webhook_events set received_at = received_at - interval '1 day'")
    await relay(body)
    const added = await world.sql(
      "select webhook_type, webhook_code, payload from webhook_events where received_at > now() - interval '1 hour'",
    )
    expect(added).toEqual([
      { webhook_type: expect.stringMatching(`^(${type})$`), webhook_code: code, payload: expect.anything() },
    ])
    expect(JSON.stringify(added).length).toBeLessThan(100_000)
  })

  it.each([
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '0099-06-01T00:00:00Z',
    'soon',
    '',
    12,
    '+275760-09-13T00:00:00Z',
  ])('announces a disconnection in a week if its time is impossible (%j)', async (disconnect_time) => {
    const item = await linkAndSync(world, `impossible ${disconnect_time}`)
    await relay(
      JSON.stringify({
        webhook_type: 'ITEM',
        webhook_code: 'PENDING_DISCONNECT',
        item_id: item.plaidItemId,
        disconnect_time,
        consent_expiration_time: disconnect_time,
      }),
    )
    const [row] = await world.sql(
      `select status, disconnect_at between now() + interval '6 days' and now() + interval '8 days' as in_a_week from items where id = $1`,
      [item.id],
    )
    expect(row).toEqual({ status: 'pending_disconnect', in_a_week: 't' })
  })

  it('leaves only a reason in the log when it is not authentic', async () => {
    const item = await linkAndSync(world, 'forged')
    const { body, plaidVerification } = await addAndCatchWebhook(world, item)
    const { services, outcomes } = countingOutcomes(world.services)
    expect(await codeOf(world.deliver({ body: `${body} `, plaidVerification }, services))).toBe('webhook_refused')
    expect(await codeOf(world.deliver({ body, plaidVerification: null }, services))).toBe('webhook_refused')
    const keyless: Services = { ...services, findWebhookKey: () => Promise.resolve({ status: 'unavailable' }) }
    expect(await codeOf(world.deliver({ body, plaidVerification }, keyless))).toBe('webhook_unverified')
    expect(outcomes).toEqual([])
    expect(await events(item.plaidItemId)).toEqual([])
    expect(await marks(item.id)).toEqual(clean)
    expect(world.queue).toEqual([])
    const logged = world.lines.filter((line) => line.includes('webhook_refused'))
    expect(logged.map((line) => /"reason":"(\w+)"/.exec(line)?.[1])).toEqual([
      'body_mismatch',
      'missing_header',
      'key_unavailable',
    ])
  })
})

describe('the stored part of a webhook’s body', () => {
  it('contains no token, under any name and at any place', async () => {
    const token = 'link-sandbox-canary-0000-1111-2222'
    await relay(
      JSON.stringify({
        webhook_type: 'LINK',
        webhook_code: 'SESSION_FINISHED',
        item_id: 'tokens',
        link_token: token,
        public_token: 'public-canary',
        public_tokens: ['public-canary-1', 'public-canary-2'],
        nested: [
          { accessToken: 'canary', deeper: { PUBLIC_TOKEN: { is: 'canary' }, text: `a ${token} in a sentence` } },
        ],
        status: 'SUCCESS',
      }),
    )
    const [event] = await events('tokens')
    expect(String(event?.['payload'])).toContain('SUCCESS')
    expect(String(event?.['payload'])).not.toContain('canary')
    expect(world.lines.join('\n')).not.toContain('canary')
  })

  it('holds no NUL, which no text of the database can hold', async () => {
    const item = await linkAndSync(world, 'nul')
    const nul = '\u0000'
    await relay(
      JSON.stringify({
        webhook_type: `ITEM${nul}`,
        webhook_code: `NEW${nul}`,
        item_id: `nul-${nul}`,
        [`key${nul}`]: `value${nul}`,
      }),
    )
    expect(await events('nul-')).toMatchObject([{ webhook_type: 'ITEM', webhook_code: 'NEW' }])
    await relay(
      JSON.stringify({
        webhook_type: 'ITEM',
        webhook_code: 'PENDING_DISCONNECT',
        item_id: item.plaidItemId,
        reason: `MIGRATION${nul}`,
      }),
    )
    expect(await statusOf('nul', item.id)).toMatchObject({ status: 'pending_disconnect', reason: 'MIGRATION' })
  })

  it('holds text that is no text in any encoding', async () => {
    await relay('{"webhook_type":"NEW","webhook_code":"X","item_id":"surrogate","text":"\\ud800","\\udfff":1}')
    expect(await events('surrogate')).toMatchObject([{ payload: expect.stringContaining('\ufffd') }])
  })
})

describe('a webhook during an outage', () => {
  it('nothing is half-done without the database, and Plaid’s next try does it all', async () => {
    const item = await linkAndSync(world, 'database')
    const delivery = await addAndCatchWebhook(world, item)
    await world.stack.addFault(world.database.name, { kind: 'fail-before' })
    const { services, outcomes } = countingOutcomes(world.services)
    expect(await codeOf(world.deliver(delivery, services))).toBe('unavailable')
    expect(outcomes).toEqual(['failed'])
    expect(await events(item.plaidItemId)).toEqual([])
    expect(await marks(item.id)).toEqual(clean)
    expect(world.queue).toEqual([])
    await world.deliver(delivery)
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
    expect(world.queue).toHaveLength(1)
  })

  it('is not lost with a response of the database', async () => {
    const item = await linkAndSync(world, 'lost answer')
    const delivery = await addAndCatchWebhook(world, item)
    await world.stack.addFault(world.database.name, { kind: 'lose-answer' })
    expect(await codeOf(world.deliver(delivery))).toBe('unavailable')
    expect(world.queue).toEqual([])
    await world.deliver(delivery)
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
    expect(world.queue).toHaveLength(1)
  })

  it('gets 200 when the queue refuses: its products are dirty, and the sweep enqueues them', async () => {
    const item = await linkAndSync(world, 'queue')
    const delivery = await addAndCatchWebhook(world, item)
    const refusing: typeof world.services = { ...world.services, enqueue: (ids) => Promise.resolve(ids) }
    await world.deliver(delivery, refusing)
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
    expect(world.queue).toEqual([])
    await sweep(world.job())
    const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    expect(world.queue).toContainEqual({ item_product_id: row?.['id'], reason: 'sweep' })
    world.queue.length = 0
  })

  it('a part of it that fails takes the whole back', async () => {
    const item = await linkAndSync(world, 'part')
    const delivery = await addAndCatchWebhook(world, item)
    await world.sql("create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$")
    await world.sql('create trigger refuse before update on item_products for each row execute function refuse()')
    expect(await codeOf(world.deliver(delivery))).toBe('internal')
    await world.sql('drop trigger refuse on item_products')
    await world.sql('drop function refuse')
    expect(await events(item.plaidItemId)).toEqual([])
    await world.deliver(delivery)
    expect(await marks(item.id)).toEqual({ ...clean, transactions: 1 })
  })
})
