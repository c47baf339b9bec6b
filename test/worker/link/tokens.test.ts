// Public tokens and link tokens: what Plaid gets with them, which user may use them, and how often.
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { encodeHex } from '../../../src/crypto/encoding.ts'
import { errorTable } from '../../../src/errors.ts'
import { createLinkToken, type LinkTokenInput } from '../../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import { expectTruth } from '../../support/equality.ts'
import { appErrorOf, chooseBank, itemsOf, useWorld, userWith, smallBank } from '../../support/item-lifecycle.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'
import { platypus, everyday, linking } from './linking.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})
const { calls, endpointsOf, since, sentDuring, storedToken, counts, userId } = linking(() => world)

const plaidUserOf = async (subject: string): Promise<unknown> =>
  (await world.sql('select plaid_user_id from users where subject = $1', [subject]))[0]?.['plaid_user_id']

/** Services that get Plaid's response to the first exchange for every later one. */
function repeatingExchange(): Services {
  const { plaid } = world.services
  let first: ReturnType<typeof plaid.exchangePublicToken> | undefined
  return withPlaid(world.services, { exchangePublicToken: (token) => (first ??= plaid.exchangePublicToken(token)) })
}

describe('a public token', () => {
  it.each(['public-sandbox-00000000-0000-0000-0000-000000000000', 'xyzzy', 'access-sandbox-1'])(
    'stores nothing when Plaid refuses it (%s), and is not repeated',
    async (publicToken) => {
      const before = await counts()
      const exchange = exchangePublicToken(world.user('refused'), { publicToken, institution: null })
      const error = await appErrorOf(exchange)
      expect(error.code).toBe('public_token_refused')
      expect(`${error.detail} ${error.reason}`).not.toContain(publicToken)
      expect(world.lines.join('\n')).not.toContain(publicToken)
      expect(await counts()).toEqual(before)
      expect(world.queue).toEqual([])
    },
  )

  it('can be used once: a repetition returns the same item without a call to Plaid', async () => {
    const publicToken = await world.bank.publicToken()
    const user = world.user('once')
    const item = await exchangePublicToken(user, { publicToken, institution: null })
    const endpoints = await endpointsOf(async () => {
      const again = await exchangePublicToken(user, { publicToken, institution: null })
      expect(again).toMatchObject({ id: item.id, plaidItemId: item.plaidItemId })
    })
    expect(endpoints).toEqual([])
    expect(await itemsOf(world, 'once')).toHaveLength(1)
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'once', item.plaidItemId)
  })

  it('is not a duplicate of its item when it is repeated with Link’s metadata', async () => {
    const subject = 'once with metadata'
    const chosen = await chooseBank(world, subject, smallBank(subject))
    const input = { publicToken: chosen.publicToken, institution: platypus, accounts: [everyday] }
    const item = await exchangePublicToken(world.user(subject), input)
    expect((await exchangePublicToken(world.user(subject), input)).id).toBe(item.id)
  })

  it('is refused when it belongs to another user, without revealing or changing their data', async () => {
    const publicToken = await world.bank.publicToken()
    const item = await exchangePublicToken(world.user('whose token'), { publicToken, institution: null })
    const endpoints = await endpointsOf(async () => {
      const error = await appErrorOf(
        exchangePublicToken(world.user('not whose'), { publicToken, institution: null, allowDuplicate: true }),
      )
      expect({ code: error.code, more: error.extensions }).toEqual({ code: 'public_token_refused', more: {} })
      expect(`${error.detail} ${error.reason}`).not.toContain(item.id)
    })
    expect(endpoints).toEqual([])
    expect(await itemsOf(world, 'not whose')).toEqual([])
  })

  it('is kept by its digest alone', async () => {
    const publicToken = await world.bank.publicToken()
    await exchangePublicToken(world.user('digest'), { publicToken, institution: null })
    const rows = await world.sql('select x::text as line from link_exchanges x')
    expect(rows.filter(({ line }) => String(line).includes(publicToken))).toEqual([])
    const digest = encodeHex(
      new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(publicToken))),
    )
    expect(rows.filter(({ line }) => String(line).includes(digest))).toHaveLength(1)
  })

  it('gets the linked item as a duplicate, which continues to work', async () => {
    const user = userWith(world, 'duplicate', repeatingExchange())
    const item = await exchangePublicToken(user, { publicToken: await world.bank.publicToken(), institution: null })
    const before = (await calls()).length
    const error = await appErrorOf(exchangePublicToken(user, { publicToken: 'public-another', institution: null }))
    expect({ code: error.code, more: error.extensions }).toEqual({
      code: 'duplicate_item',
      more: { item_id: item.id, second_item_may_end_first: false },
    })
    expect((await since(before)).map(([endpoint]) => endpoint)).not.toContain('/item/remove')
    expect(await itemsOf(world, 'duplicate')).toHaveLength(1)
    await reconcile(world.job())
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'duplicate', item.plaidItemId)
    // A repetition gets the same error.
    expect(
      (await appErrorOf(exchangePublicToken(user, { publicToken: 'public-another', institution: null }))).extensions,
    ).toEqual(error.extensions)
  })

  it('reveals and takes nothing when it belongs to an item of another user', async () => {
    const repeating = repeatingExchange()
    const publicToken = await world.bank.publicToken()
    const item = await exchangePublicToken(userWith(world, 'first user', repeating), { publicToken, institution: null })
    const before = (await calls()).length
    for (let round = 0; round < 2; round += 1) {
      const error = await appErrorOf(
        exchangePublicToken(userWith(world, 'second user', repeating), {
          publicToken: 'public-theirs',
          institution: null,
        }),
      )
      expect({ code: error.code, more: error.extensions }).toEqual({ code: 'public_token_refused', more: {} })
      expect(`${error.detail} ${error.reason}`).not.toContain(item.id)
    }
    await reconcile(world.job())
    expect((await since(before)).map(([endpoint]) => endpoint)).not.toContain('/item/remove')
    expect(await itemsOf(world, 'second user')).toEqual([])
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'first user', item.plaidItemId)
  })
})

describe('a link token', () => {
  const fresh: LinkTokenInput = {
    itemId: null,
    redirectUri: null,
    products: null,
    hosted: false,
    accountSelection: false,
    language: null,
    countryCodes: null,
  }
  const bodyOf = async (subject: string, input: LinkTokenInput): Promise<unknown> => {
    const sent = await sentDuring(() => createLinkToken(world.user(subject), input))
    expect(sent.filter(({ path }) => path !== '/user/create').map(({ path }) => path)).toEqual(['/link/token/create'])
    return sent.at(-1)?.body
  }
  const about = async (subject: string) => ({
    user_id: await plaidUserOf(subject),
    client_name: 'WealthNavigator',
    language: 'en',
    country_codes: ['US'],
    webhook: world.services.config.plaid.webhookUrl,
  })

  it('sends Plaid only our id of the user, and requests two years', async () => {
    const subject = 'someone@example.test'
    const body = await bodyOf(subject, fresh)
    expect(body).toEqual({
      ...(await about(subject)),
      products: ['transactions'],
      optional_products: ['investments', 'liabilities'],
      transactions: { days_requested: 730 },
    })
    expect(JSON.stringify(body)).not.toContain('someone')
  })

  it('is for what the client asked for', async () => {
    const body = await bodyOf('wishes', {
      ...fresh,
      products: ['investments'],
      language: 'fr',
      countryCodes: ['CA', 'US'],
      redirectUri: 'https://app.example.test/oauth',
    })
    expect(body).toEqual({
      ...(await about('wishes')),
      language: 'fr',
      country_codes: ['CA', 'US'],
      redirect_uri: 'https://app.example.test/oauth',
      products: ['investments'],
    })
  })

  it('comes with its expiration, and with a page where Plaid hosts it', async () => {
    const token = await createLinkToken(world.user('token'), fresh)
    expect(token).toMatchObject({ linkToken: expect.stringMatching(/^link-sandbox-/), hostedLinkUrl: null })
    expect(Date.parse(token.expiration)).toBeGreaterThan(Date.now())
    const hosted = await createLinkToken(world.user('token'), { ...fresh, hosted: true })
    expect(hosted.hostedLinkUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/hl\//)
  })

  it('is for a user whom Plaid is asked once to know, by our id alone', async () => {
    const subject = 'known@example.test'
    const user = world.user(subject)
    const sent = await sentDuring(async () => {
      await createLinkToken(user, fresh)
      await createLinkToken(user, fresh)
      await createLinkToken(user, { ...fresh, hosted: true })
    })
    const asked = sent.filter(({ path }) => path === '/user/create')
    expect(asked).toEqual([{ path: '/user/create', body: { client_user_id: await userId(subject) } }])
    const named = sent.filter(({ path }) => path === '/link/token/create').map(({ body }) => body)
    expect(named).toHaveLength(3)
    const plaidUserId = await plaidUserOf(subject)
    expect(plaidUserId).toMatch(/^usr_/)
    for (const body of named) expect(body).toMatchObject({ user_id: plaidUserId })
  })

  it('creates one user at Plaid in two concurrent requests', async () => {
    const user = world.user('at once')
    const sent = await sentDuring(() => Promise.all([1, 2, 3].map(() => createLinkToken(user, fresh))))
    const named = sent.filter(({ path }) => path === '/link/token/create')
    const ids = named.map(({ body }) => z.object({ user_id: z.string() }).parse(body).user_id)
    expect(new Set(ids)).toEqual(new Set([await plaidUserOf('at once')]))
  })

  it('is given all the same where Plaid makes no user', async () => {
    await world.bank.fault({ endpoint: '/user/create', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const sent = await sentDuring(() => createLinkToken(world.user('no user'), fresh))
    expect(sent.at(-1)?.path).toBe('/link/token/create')
    expect(sent.at(-1)?.body).not.toHaveProperty('user_id')
    expect(await plaidUserOf('no user')).toBeNull()
    await createLinkToken(world.user('no user'), fresh)
    expect(await plaidUserOf('no user')).toMatch(/^usr_/)
  })

  it('is stored as a digest, and sealed only if its session is read from Plaid later', async () => {
    const [plain, hosted] = [
      await createLinkToken(world.user('kept'), fresh),
      await createLinkToken(world.user('kept'), { ...fresh, hosted: true }),
    ]
    const rows = await world.sql(
      'select s::text as line, token_sealed is not null as sealed, check_at is not null as checked from link_sessions s join users u on u.id = s.user_id where subject = $1 order by s.created_at',
      ['kept'],
    )
    expect(rows.map(({ sealed, checked }) => [sealed, checked])).toEqual([
      ['f', 'f'],
      ['t', 't'],
    ])
    for (const { linkToken } of [plain, hosted]) {
      expect(rows.filter(({ line }) => String(line).includes(linkToken))).toEqual([])
      expect(world.lines.join('\n')).not.toContain(linkToken)
    }
  })

  it('is refused at the exchange when it belongs to another user, without a call to Plaid', async () => {
    const { publicToken, linkToken } = await chooseBank(world, 'asked', smallBank('asked'))
    for (const given of [linkToken, 'link-sandbox-nobodys']) {
      const endpoints = await endpointsOf(async () => {
        const error = await appErrorOf(
          exchangePublicToken(world.user('asked not'), { publicToken, linkToken: given, institution: null }),
        )
        expect([error.code, errorTable[error.code].status]).toEqual(['link_token_refused', 403])
      })
      expect(endpoints).toEqual([])
    }
    expect(await itemsOf(world, 'asked not')).toEqual([])
    // The public token is still valid.
    await expect(
      exchangePublicToken(world.user('asked'), { publicToken, linkToken, institution: null }),
    ).resolves.toMatchObject({ status: 'initializing' })
  })

  it('is the same user’s at Plaid every time', async () => {
    const user = z.object({ user_id: z.string() })
    const [first, second] = [await bodyOf('same', fresh), await bodyOf('same', fresh)]
    expect(user.parse(first)).toEqual(user.parse(second))
    expect(user.parse(await bodyOf('not the same', fresh))).not.toEqual(user.parse(first))
  })

  it('names the item by its token, and no products, in update mode', async () => {
    const item = await linkAndSync(world, 'update')
    const token = await storedToken('update', item.id)
    expect(await bodyOf('update', { ...fresh, itemId: item.id, accountSelection: true })).toEqual({
      ...(await about('update')),
      access_token: token.reveal(),
      update: { account_selection_enabled: true },
    })
    expect(world.lines.join('\n')).not.toContain(token.reveal())
  })

  it('is not requested in update mode for an item of another user', async () => {
    const item = await link(world, 'has it')
    for (const itemId of [item.id, crypto.randomUUID()]) {
      const endpoints = await endpointsOf(async () => {
        const error = await appErrorOf(createLinkToken(world.user('has it not'), { ...fresh, itemId }))
        expect(error.code).toBe('not_found')
      })
      expect(endpoints).toEqual([])
    }
  })

  it.each([
    ['INTERNAL_SERVER_ERROR', 'plaid_unavailable'],
    ['INVALID_API_KEYS', 'plaid_rejected'],
    ['RATE_LIMIT', 'plaid_unavailable'],
  ])('fails, when Plaid returns %s, with %s and without text from Plaid', async (error, code) => {
    await world.bank.fault({ endpoint: '/link/token/create', times: 2, error })
    const refusal = await appErrorOf(createLinkToken(world.user('no token'), fresh))
    expect(refusal.code).toBe(code)
    expect(refusal.detail).not.toMatch(/[A-Z]{2,}_|simulator|client_id/)
  })
})
