// Caps on a user's live items and on links a day. They hold under concurrency, and no billed item is left over.
import { describe, expect, it } from 'vitest'
import type { Ctx, User } from '../../../src/context.ts'
import { createLinkTokenRoute, exchangePublicTokenRoute } from '../../../src/http/routes/link.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { createLinkToken } from '../../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { finishLinkSession } from '../../../src/link/finish-session.ts'
import {
  appErrorOf,
  askForLink,
  chooseBank,
  goThroughLink,
  heldAtPlaid,
  smallBank,
  useWorld,
  userWith,
} from '../../support/item-lifecycle.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

type Caps = Partial<World['services']['config']['linking']>

function capped(subject: string, caps: Caps): Ctx<User> {
  const { config } = world.services
  return userWith(world, subject, {
    ...world.services,
    config: { ...config, linking: { ...config.linking, ...caps } },
  })
}

const bankNumber = (subject: string, number: number) =>
  smallBank(`${subject} ${number}`, { accounts: [[`Account ${number}`, String(1000 + number), 2]] })

async function linkBank(subject: string, number: number, caps: Caps): Promise<string> {
  const { publicToken, plaidItemId } = await chooseBank(world, subject, bankNumber(subject, number))
  await exchangePublicToken(capped(subject, caps), { publicToken, institution: null })
  return plaidItemId
}

/** The ids of the user's items that are neither removed nor lost. */
const liveItems = (subject: string) =>
  world.sql(
    `select i.id, i.plaid_item_id from items i join users u on u.id = i.user_id
     where u.subject = $1 and i.removed_at is null and i.status not in ('revoked', 'relink_required') order by i.created_at`,
    [subject],
  )

const linkToken = (subject: string, caps: Caps, wanted: { itemId?: string; hosted?: boolean } = {}) =>
  createLinkToken(capped(subject, caps), {
    itemId: wanted.itemId ?? null,
    redirectUri: null,
    products: ['transactions'],
    hosted: wanted.hosted ?? false,
    accountSelection: false,
    language: null,
    countryCodes: null,
  })

describe('the cap on live items', () => {
  it('refuses a link token and an exchange with too_many_items, and says how many', async () => {
    const subject = 'full'
    await linkBank(subject, 1, { itemsPerUser: 1 })
    const { publicToken } = await chooseBank(world, subject, bankNumber(subject, 2))
    const refused = await appErrorOf(
      exchangePublicToken(capped(subject, { itemsPerUser: 1 }), { publicToken, institution: null }),
    )
    expect(refused).toMatchObject({ code: 'too_many_items', extensions: { limit: 1 } })
    expect(await appErrorOf(linkToken(subject, { itemsPerUser: 1 }))).toMatchObject({ code: 'too_many_items' })
    // The public token is still valid.
    await exchangePublicToken(capped(subject, { itemsPerUser: 2 }), { publicToken, institution: null })
    expect(await liveItems(subject)).toHaveLength(2)
  })

  it('still gives a link token for update mode, and for a new bank after a removal', async () => {
    const subject = 'full for a while'
    await linkBank(subject, 1, { itemsPerUser: 1 })
    const [item] = await liveItems(subject)
    const itemId = String(item?.['id'])
    expect((await linkToken(subject, { itemsPerUser: 1 }, { itemId })).linkToken).toMatch(/^link-/)
    await removeItem(world.user(subject), itemId, { purge: false })
    expect((await linkToken(subject, { itemsPerUser: 1 })).linkToken).toMatch(/^link-/)
  })

  it('lets one of two exchanges pass that are made at the same time, before Plaid is asked', async () => {
    const subject = 'two at once'
    const caps = { itemsPerUser: 1 }
    const chosen = await Promise.all([1, 2].map((number) => chooseBank(world, subject, bankNumber(subject, number))))
    // Each intent's transaction waits until the other request has begun.
    await world.sql(
      `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.5); return null; end'`,
    )
    await world.sql(`create trigger slow after insert on link_exchanges for each row execute function slow()`)
    const results = await Promise.allSettled(
      chosen.map(({ publicToken }) => exchangePublicToken(capped(subject, caps), { publicToken, institution: null })),
    )
    await world.sql('drop function slow cascade')
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const refused = results.find((result) => result.status === 'rejected')
    expect(refused?.reason).toMatchObject({ code: 'too_many_items' })
    expect(await liveItems(subject)).toHaveLength(1)
    expect(
      await world.sql(`select 1 from link_exchanges x join users u on u.id = x.user_id where subject = $1`, [subject]),
    ).toHaveLength(1)
  })

  it('gives an item back that Plaid made while another one took the last place', async () => {
    const subject = 'overtaken'
    const caps = { itemsPerUser: 1 }
    const late = await chooseBank(world, subject, bankNumber(subject, 1))
    const first = await chooseBank(world, subject, bankNumber(subject, 2))
    const user = capped(subject, caps)
    const { plaid } = user.services
    const services = withPlaid(user.services, {
      exchangePublicToken: async (token) => {
        const exchanged = await plaid.exchangePublicToken(token)
        await exchangePublicToken(capped(subject, { itemsPerUser: 2 }), {
          publicToken: first.publicToken,
          institution: null,
        })
        return exchanged
      },
    })
    const refused = await appErrorOf(
      exchangePublicToken({ ...user, services }, { publicToken: late.publicToken, institution: null }),
    )
    expect(refused).toMatchObject({ code: 'too_many_items', extensions: { limit: 1 } })
    expect((await liveItems(subject)).map((row) => row['plaid_item_id'])).toEqual([first.plaidItemId])
    expect(await heldAtPlaid(world, subject)).toEqual([first.plaidItemId])
    expect(await world.sql('select 1 from plaid_removals where plaid_item_id = $1', [late.plaidItemId])).toEqual([])
  })

  it('does not count a lost item, whose bank is linked again at the cap', async () => {
    const subject = 'lost at the cap'
    const caps = { itemsPerUser: 2 }
    await linkBank(subject, 1, caps)
    await linkBank(subject, 2, caps)
    const [lostItem] = await liveItems(subject)
    await world.sql("update items set status = 'relink_required' where id = $1", [lostItem?.['id']])
    const { publicToken } = await chooseBank(world, subject, bankNumber(subject, 1))
    const item = await exchangePublicToken(capped(subject, caps), { publicToken, institution: null })
    expect(item.id).toBe(lostItem?.['id'])
    expect(await liveItems(subject)).toHaveLength(2)
  })

  it('holds for a hosted session, whose bank is not linked', async () => {
    const subject = 'hosted at the cap'
    await linkBank(subject, 1, { itemsPerUser: 1 })
    const { linkToken: token } = await askForLink(world, subject, { hosted: true })
    await goThroughLink(world, token, bankNumber(subject, 2))
    const [session] = await world.sql(
      `select s.id from link_sessions s join users u on u.id = s.user_id where u.subject = $1 and s.token_sealed is not null`,
      [subject],
    )
    await finishLinkSession({ ...world.job(capped(subject, { itemsPerUser: 1 }).services) }, String(session?.['id']))
    expect(await liveItems(subject)).toHaveLength(1)
  })
})

describe('the cap on links a day', () => {
  it('refuses the next link with 429 until the oldest is a day old', async () => {
    const subject = 'busy day'
    const caps = { linksPerDay: 2 }
    await linkBank(subject, 1, caps)
    await linkBank(subject, 2, caps)
    const { publicToken } = await chooseBank(world, subject, bankNumber(subject, 3))
    const refused = await appErrorOf(exchangePublicToken(capped(subject, caps), { publicToken, institution: null }))
    expect(refused).toMatchObject({ code: 'too_many_links', extensions: { limit: 2 } })
    expect(refused.retryAfterSeconds).toBeGreaterThan(86_300)
    expect(refused.retryAfterSeconds).toBeLessThanOrEqual(86_400)
    expect(await appErrorOf(linkToken(subject, caps))).toMatchObject({ code: 'too_many_links' })
    await world.sql(
      `update link_exchanges set created_at = created_at - interval '1 day' where id in (select x.id from link_exchanges x
       join users u on u.id = x.user_id where subject = $1 order by x.created_at limit 1)`,
      [subject],
    )
    await exchangePublicToken(capped(subject, caps), { publicToken, institution: null })
    expect(await liveItems(subject)).toHaveLength(3)
  })

  it('counts refused public tokens, and does not count a repeated public token', async () => {
    const subject = 'made up tokens'
    const caps = { linksPerDay: 1 }
    const exchange = (publicToken: string) =>
      exchangePublicToken(capped(subject, caps), { publicToken, institution: null })
    expect(await appErrorOf(exchange('public-sandbox-made-up'))).toMatchObject({ code: 'public_token_refused' })
    expect(await appErrorOf(exchange('public-sandbox-made-up'))).toMatchObject({ code: 'public_token_refused' })
    expect(await appErrorOf(exchange('public-sandbox-another'))).toMatchObject({ code: 'too_many_links' })
    expect(
      await world.sql('select 1 from link_exchanges x join users u on u.id = x.user_id where subject = $1', [subject]),
    ).toHaveLength(1)
  })

  it('bounds link tokens by ten times as many, requests at the same time included', async () => {
    const subject = 'tokens'
    const caps = { linksPerDay: 1 }
    const results = await Promise.allSettled(Array.from({ length: 14 }, () => linkToken(subject, caps)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    expect(
      await world.sql('select 1 from link_sessions s join users u on u.id = s.user_id where subject = $1', [subject]),
    ).toHaveLength(10)
    expect(await appErrorOf(linkToken(subject, caps))).toMatchObject({
      code: 'too_many_links',
      extensions: { limit: 10 },
    })
  })

  it('bounds the hosted pages that a user has open by twenty', async () => {
    const subject = 'pages'
    for (let page = 0; page < 20; page += 1) await linkToken(subject, {}, { hosted: true })
    expect(await appErrorOf(linkToken(subject, {}, { hosted: true }))).toMatchObject({
      code: 'too_many_links',
      extensions: { limit: 20 },
    })
    expect((await linkToken(subject, {})).linkToken).toMatch(/^link-/)
  })
})

describe('allow_duplicate', () => {
  it('is refused at the field unless the deployment allows duplicates', async () => {
    const body = JSON.stringify({ public_token: 'public-sandbox-any', allow_duplicate: true })
    const exchange = (allowsDuplicates: boolean) =>
      exchangePublicTokenRoute.respond(capped('twice', { allowsDuplicates }), {
        params: {},
        query: new URLSearchParams(),
        headers: new Headers({ 'content-type': 'application/json' }),
        readBody: () => Promise.resolve(new TextEncoder().encode(body)),
      })
    expect(await appErrorOf(exchange(false))).toMatchObject({
      code: 'validation_failed',
      fields: [{ pointer: '#/allow_duplicate' }],
    })
    expect(await appErrorOf(exchange(true))).toMatchObject({ code: 'public_token_refused' })
  })
})

describe('country_codes', () => {
  it('are refused at the first one that the deployment does not offer', async () => {
    const ask = (countryCodes: readonly string[]) =>
      createLinkTokenRoute.respond(capped('abroad', {}), {
        params: {},
        query: new URLSearchParams(),
        headers: new Headers({ 'content-type': 'application/json' }),
        readBody: () => Promise.resolve(new TextEncoder().encode(JSON.stringify({ country_codes: countryCodes }))),
      })
    expect(await appErrorOf(ask(['US', 'GB']))).toMatchObject({
      code: 'validation_failed',
      fields: [{ pointer: '#/country_codes/1' }],
    })
    expect(await ask(['US'])).toMatchObject({ status: 200 })
  })
})
