// Hosted Link: an added bank is linked for its user exactly once, whether Plaid's webhooks come once, twice or never.
// In update mode, the repaired item is synced.
import { describe, expect, it } from 'vitest'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { finishLinkSession } from '../../../src/link/finish-session.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { sealLinkToken } from '../../../src/custody/link-token.ts'
import { receiveWebhook } from '../../../src/webhooks/receive.ts'
import {
  askForLink,
  chooseBank,
  expectAtRest,
  expectNoTokens,
  goThroughLink,
  heal,
  heldAtPlaid,
  heldHere,
  itemsOf,
  letTimePass,
  linkAndSyncSmallBank,
  smallBank,
  useWorld,
  webhooksLike,
} from '../../support/item-lifecycle.ts'
import { callFaults, failAt } from '../../support/fault-injection.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'
import { sampledCalls } from '../../support/sampled.ts'

let world: World
useWorld((made) => {
  world = made
})

const hosted = (subject: string, itemId: string | null = null) => askForLink(world, subject, { hosted: true, itemId })

/** The user adds a bank on Plaid's page. Returns Plaid's id of the item. */
async function addBank(subject: string): Promise<{ plaidItemId: string; linkToken: string }> {
  const { linkToken } = await hosted(subject)
  const { item_id: plaidItemId } = await goThroughLink(world, linkToken, smallBank(subject))
  return { plaidItemId: plaidItemId ?? '', linkToken }
}

/** Waits for this many Link webhooks and returns them. */
const linkWebhooks = (count: number) => webhooksLike(world, /"LINK"/, count)

const sessionOf = async (subject: string) =>
  (
    await world.sql(
      `select s.id, s.token_sealed is not null as sealed, s.check_at is not null as checked, s.finished_at is not null as finished
       from link_sessions s join users u on u.id = s.user_id where subject = $1`,
      [subject],
    )
  )[0]

const tellings = async () => (await world.bank.calls()).filter(({ endpoint }) => endpoint === '/link/token/get').length

describe('a bank that was added on Plaid’s page', () => {
  it('is linked when the webhooks come, for the user who asked', async () => {
    const subject = 'notified'
    const { plaidItemId } = await addBank(subject)
    const deliveries = await linkWebhooks(2)
    expect(deliveries.map(({ body }) => /"webhook_code": "(\w+)"/.exec(body)?.[1]).toSorted(undefined)).toEqual([
      'ITEM_ADD_RESULT',
      'SESSION_FINISHED',
    ])
    for (const delivery of deliveries) await world.deliver(delivery)
    expect(world.queue).toEqual(deliveries.map(() => ({ link_session_id: expect.any(String) })))
    expect(await world.drain()).toContain('ack')
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
    expect(await sessionOf(subject)).toMatchObject({ finished: 't' })
    await expectNoTokens(world)
  })

  it.each(['ITEM_ADD_RESULT', 'SESSION_FINISHED'])('is linked by %s alone', async (code) => {
    const subject = `by ${code}`
    const { plaidItemId } = await addBank(subject)
    const [delivery] = (await linkWebhooks(2)).filter(({ body }) => body.includes(code))
    await world.deliver(delivery ?? { body: '', plaidVerification: null })
    await world.drain()
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
  })

  it.each(['its webhook', 'a later check'])('is linked by %s although its user closes the page', async (means) => {
    const subject = `closes the page, ${means}`
    const { linkToken } = await hosted(subject)
    const { item_id: plaidItemId } = await goThroughLink(world, linkToken, {
      ...smallBank(subject),
      abandon: 'linked',
    })
    const deliveries = await linkWebhooks(2)
    const codes = deliveries.map(({ body }) => /"webhook_code": "(\w+)"/.exec(body)?.[1])
    expect(codes.toSorted(undefined)).toEqual(['EVENTS', 'ITEM_ADD_RESULT'])
    if (means === 'its webhook') {
      for (const delivery of deliveries) await world.deliver(delivery)
      await world.drain()
    }
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
    expect(await sessionOf(subject)).toMatchObject({ finished: 'f', sealed: 't', checked: 't' })
    await heal(world, 2, subject)
    expect(await itemsOf(world, subject)).toHaveLength(1)
  })

  it('is linked once, for any number and order of webhooks', async () => {
    const subject = 'notified often'
    const { plaidItemId } = await addBank(subject)
    const deliveries = await linkWebhooks(2)
    for (const delivery of [...deliveries, ...deliveries.toReversed()]) await world.deliver(delivery)
    const messages = world.queue.splice(0)
    await Promise.all(messages.map((message) => world.consume([message])))
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
    await world.deliver(deliveries[0] ?? { body: '', plaidVerification: null })
    await world.drain()
    expect(await itemsOf(world, subject)).toHaveLength(1)
  })

  it('is linked although the webhooks are lost: Plaid is asked, and not before its time', async () => {
    const subject = 'lost'
    const { plaidItemId } = await addBank(subject)
    await linkWebhooks(2)
    const before = await tellings()
    await reconcile(world.job())
    expect(await tellings()).toBe(before)
    await letTimePass(world, subject)
    await reconcile(world.job())
    expect(await heldHere(world, subject)).toEqual([plaidItemId])
    await world.drain()
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
  })

  it('belongs to its user only: neither its link token nor a webhook without a session gives it to another user', async () => {
    const subject = 'asked'
    const { linkToken, plaidItemId } = await addBank(subject)
    const body = new TextEncoder().encode(
      JSON.stringify({
        webhook_type: 'LINK',
        webhook_code: 'ITEM_ADD_RESULT',
        link_token: `${linkToken}0`,
        public_token: 'public-sandbox-of-a-thief',
      }),
    )
    const sharedKey = 'shared-key-of-the-relay-in-these-tests'
    const shared = { ...world.services.config, webhookSharedKeys: [sharedKey] }
    const seconds = Math.floor(Date.now() / 1000)
    const key = await crypto.subtle.importKey(
      'raw',
      new TextEncoder().encode(sharedKey),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const signed = new Uint8Array([...new TextEncoder().encode(`${seconds}.`), ...body])
    const mac = [...new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))]
    const hex = mac.map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const ctx = { ...world.job({ ...world.services, config: shared }), actor: { kind: 'anonymous' } } as const
    await receiveWebhook(ctx, { plaidVerification: null, webhookSignature: `t=${seconds},v1=${hex}`, body })
    expect(world.queue).toEqual([])
    expect(await itemsOf(world, 'thief')).toEqual([])
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
  })

  it('is a duplicate if it is linked already: nothing is linked, and the unclaimed item is removed at Plaid', async () => {
    const subject = 'twice'
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    await addBank(subject)
    for (const delivery of await linkWebhooks(2)) await world.deliver(delivery)
    await world.drain()
    expect(await itemsOf(world, subject)).toHaveLength(1)
    await heal(world, 3, subject)
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
  })

  it.each(callFaults)(
    'is linked in the end although the work %s at any call',
    async (fault) => {
      const unharmed = failAt(world.services, { call: 0, fault })
      await addBank(`unharmed ${fault}`)
      const first = await sessionOf(`unharmed ${fault}`)
      await finishLinkSession(world.job(unharmed.services), String(first?.['id']))
      expect(unharmed.calls.length).toBeGreaterThan(10)
      const added = new Map<string, string>()
      for (const at of sampledCalls(unharmed.calls.length, 10, callFaults.indexOf(fault))) {
        const subject = `session ${fault} ${at}`
        added.set(subject, (await addBank(subject)).plaidItemId)
        const { services } = failAt(world.services, { call: at, fault })
        const session = await sessionOf(subject)
        await finishLinkSession(world.job(services), String(session?.['id'])).catch(() => undefined)
      }
      world.queue.length = 0
      await heal(world, 3)
      const ends = new Map<string, string | null>()
      for (const subject of added.keys()) ends.set(subject, await expectAtRest(world, subject))
      // When the response of the exchange was lost with its token, the item is removed at Plaid, and its user must link
      // it again.
      const lost = [...ends].filter(([, plaidItemId]) => plaidItemId === null)
      expect(lost.length).toBeLessThan(5)
      expect([...ends].filter(([, plaidItemId]) => plaidItemId !== null)).toEqual(
        [...added].filter(([subject]) => ends.get(subject) !== null),
      )
      await expectNoTokens(world)
    },
    180_000,
  )
})

describe('a session', () => {
  it('links nothing when its user left without adding anything, and can be continued', async () => {
    const subject = 'left'
    const { linkToken } = await hosted(subject)
    await goThroughLink(world, linkToken, { exit: true })
    for (const delivery of await linkWebhooks(1)) await world.deliver(delivery)
    await world.drain()
    expect(await itemsOf(world, subject)).toEqual([])
    expect(await sessionOf(subject)).toMatchObject({ finished: 'f', sealed: 't', checked: 't' })
    const { item_id: plaidItemId } = await goThroughLink(world, linkToken, smallBank(subject))
    await heal(world, 3, subject)
    expect(await heldHere(world, subject)).toEqual([plaidItemId])
  })

  it('links nothing when its user closes the page without adding anything', async () => {
    const subject = 'closed'
    const { linkToken } = await hosted(subject)
    await goThroughLink(world, linkToken, { abandon: 'opened' })
    const [delivery] = await linkWebhooks(1)
    expect(delivery?.body).toContain('"EVENTS"')
    await world.deliver(delivery ?? { body: '', plaidVerification: null })
    await heal(world, 2, subject)
    expect(await itemsOf(world, subject)).toEqual([])
    expect(await sessionOf(subject)).toMatchObject({ finished: 'f', sealed: 't', checked: 't' })
  })

  /** Reconciles this long after the session's expiry. Returns how often Plaid was asked about the session. */
  async function askedAbout(subject: string, sinceExpiry: string, services = world.services): Promise<number> {
    await world.sql('update link_sessions set check_at = null where id <> $1', [(await sessionOf(subject))?.['id']])
    await world.sql('update link_sessions set expires_at = now() - $1::interval where check_at is not null', [
      sinceExpiry,
    ])
    const before = await tellings()
    await letTimePass(world, subject)
    await reconcile(world.job(services))
    return (await tellings()) - before
  }

  it('loses its token and is no longer checked once its page has closed, if it was never opened', async () => {
    const subject = 'nobody came'
    await hosted(subject)
    expect(await askedAbout(subject, '4 minutes')).toBe(1)
    expect(await sessionOf(subject)).toMatchObject({ sealed: 't', checked: 't' })
    expect(await askedAbout(subject, '6 minutes')).toBe(1)
    expect(await sessionOf(subject)).toMatchObject({ sealed: 'f', checked: 'f' })
    expect(await askedAbout(subject, '7 minutes')).toBe(0)
  })

  it('loses its token and is no longer checked if it was opened, when Plaid no longer returns it', async () => {
    const subject = 'opened'
    await hosted(subject)
    const { plaid } = world.services
    const opened = withPlaid(world.services, {
      getLinkToken: async (token) => {
        const response = await plaid.getLinkToken(token)
        const session = { finished_at: null, exit: null, results: [] }
        return response.ok ? { ...response, value: { link_sessions: [session] } } : response
      },
    })
    expect(await askedAbout(subject, '5 hours', opened)).toBe(1)
    expect(await sessionOf(subject)).toMatchObject({ sealed: 't', checked: 't' })
    expect(await askedAbout(subject, '7 hours', opened)).toBe(1)
    expect(await sessionOf(subject)).toMatchObject({ sealed: 'f', checked: 'f' })
  })

  it('is read again when Plaid is unavailable', async () => {
    const subject = 'asked again'
    const { plaidItemId } = await addBank(subject)
    await world.bank.fault({ endpoint: '/link/token/get', times: 20, error: 'INTERNAL_SERVER_ERROR' })
    await letTimePass(world, subject)
    await reconcile(world.job())
    expect(await itemsOf(world, subject)).toEqual([])
    await world.bank.clearFaults()
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
  })

  it('is retried by the queue when the exchange at Plaid fails', async () => {
    const subject = 'retried'
    await addBank(subject)
    const [delivery] = await linkWebhooks(2)
    await world.deliver(delivery ?? { body: '', plaidVerification: null })
    await world.bank.fault({ endpoint: '/item/public_token/exchange', times: 1, error: 'RATE_LIMIT' })
    expect(await world.drain()).toEqual([expect.any(Number)])
    await heal(world, 2, subject)
    expect(await expectAtRest(world, subject)).not.toBeNull()
  })
})

describe('a session in update mode', () => {
  const linked = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)
  const announce = (item: Item) =>
    world.sql(
      "update items set status = 'pending_disconnect', disconnect_at = now() + interval '5 days' where id = $1",
      [item.id],
    )
  const seen = async (subject: string, item: Item) => {
    const found = await getItem(world.services.api, world.user(subject).actor.identity, item.id)
    return { status: found?.status, announced: found?.disconnectAt !== null }
  }
  const askPlaid = async () => {
    await letTimePass(world)
    await reconcile(world.job())
    await world.drain()
  }

  it('marks what its user has repaired', async () => {
    const subject = 'repairs'
    const item = await linked(subject)
    await announce(item)
    const { linkToken } = await hosted(subject, item.id)
    await goThroughLink(world, linkToken, {})
    await askPlaid()
    expect(await seen(subject, item)).toEqual({ status: 'healthy', announced: false })
    expect(await heldAtPlaid(world, subject)).toEqual([item.plaidItemId])
    expect(await itemsOf(world, subject)).toHaveLength(1)
  })

  it('repairs nothing when its user left', async () => {
    const subject = 'left update mode'
    const item = await linked(subject)
    await announce(item)
    const { linkToken } = await hosted(subject, item.id)
    await goThroughLink(world, linkToken, { exit: true })
    await askPlaid()
    expect(await seen(subject, item)).toEqual({ status: 'pending_disconnect', announced: true })
  })

  it('says nothing of what is announced after it', async () => {
    const subject = 'announced afterwards'
    const item = await linked(subject)
    const { linkToken } = await hosted(subject, item.id)
    await goThroughLink(world, linkToken, {})
    await askPlaid()
    await announce(item)
    await askPlaid()
    expect(await seen(subject, item)).toEqual({ status: 'pending_disconnect', announced: true })
  })
})

describe('a user with more open pages than a run asks about', () => {
  it("does not delay another user's bank whose webhook is lost", async () => {
    const [many, one] = ['many pages', 'one page']
    const { linkToken } = await hosted(many)
    const userId = String((await world.sql('select id from users where subject = $1', [many]))[0]?.['id'])
    const pages = await Promise.all(
      Array.from({ length: 501 }, async () => {
        const id = crypto.randomUUID()
        return { id, sealed: await sealLinkToken(world.services.keyring, linkToken, { userId, sessionId: id }) }
      }),
    )
    await world.sql(
      `insert into link_sessions (id, user_id, token_digest, token_sealed, expires_at, check_at)
        select id, $1, id, sealed, now() + interval '30 minutes', now() - interval '1 hour'
        from json_to_recordset($2::json) as pages(id uuid, sealed text)`,
      [userId, JSON.stringify(pages)],
    )
    const { plaidItemId } = await addBank(one)
    await linkWebhooks(2)
    await world.sql(
      'update link_sessions set check_at = now() where user_id = (select id from users where subject = $1)',
      [one],
    )
    await reconcile(world.job())
    expect(await heldHere(world, one)).toEqual([plaidItemId])
  })
})
