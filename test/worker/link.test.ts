// Link tokens and the exchange: what Plaid is told, what is stored, and what happens when any step of it fails.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import type { Secret } from '../../src/crypto/secret.ts'
import { getItem, getSealedToken, type Item, listItems } from '../../src/db/items.ts'
import { AppError } from '../../src/errors.ts'
import { openAccessToken } from '../../src/items/access-token.ts'
import { createLinkToken, type LinkTokenInput } from '../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../src/link/exchange-public-token.ts'
import type { Services } from '../../src/services.ts'
import { requestSync } from '../../src/sync/request-sync.ts'
import { sweep } from '../../src/sync/sweep.ts'
import { expectTruth } from '../support/equality.ts'
import { link, linkAndSync } from '../support/linked.ts'
import { createWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())
afterEach(async () => {
  await world.stack.clearFaults(world.database.name)
  await world.bank.clearFaults()
  await world.delivered()
  world.queue.length = 0
  world.lines.length = 0
})

/** A user whose services differ. */
const userWith = (subject: string, services: Partial<Services>) => ({
  ...world.user(subject),
  services: { ...world.services, ...services },
})

async function refusalOf(act: Promise<unknown>): Promise<AppError> {
  const error = await act.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused as expected: ${String(error)}`)
  return error
}

const calls = async (): Promise<readonly { endpoint: string; status?: unknown; item_id?: unknown }[]> =>
  await world.bank.calls()

/** Runs `act` and answers the endpoints of Plaid that it called, in order. */
async function endpointsOf(act: () => Promise<unknown>): Promise<string[]> {
  const before = (await calls()).length
  await act()
  return (await calls()).slice(before).map(({ endpoint }) => endpoint)
}

/** Plaid's endpoints that were called since, with the item that they named. */
const since = async (before: number) =>
  (await calls()).slice(before).map(({ endpoint, item_id: item }) => [endpoint, item])

/** Runs `act` and answers what was sent to Plaid, path and body. Passes everything on. */
async function sentDuring(act: () => Promise<unknown>): Promise<{ path: string; body: unknown }[]> {
  const { fetch } = globalThis
  const sent: { path: string; body: unknown }[] = []
  globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
    const request = new Request(...args)
    if (request.url.startsWith(world.simulator.url))
      sent.push({ path: new URL(request.url).pathname, body: await request.clone().json() })
    return await fetch(request)
  }
  try {
    await act()
  } finally {
    globalThis.fetch = fetch
  }
  return sent
}

async function tokenOf(subject: string, itemId: string): Promise<Secret> {
  const stored = await getSealedToken(world.services.api, world.user(subject).actor.identity, itemId)
  if (stored === null) throw new Error('there is no such item')
  return await openAccessToken(world.services.keyring, stored.sealed, stored)
}

/** What Plaid says of the item. */
async function atPlaid(subject: string, itemId: string) {
  const token = await tokenOf(subject, itemId)
  const { item } = await world.bank.plaid('/item/get', { access_token: token.reveal() })
  return z.object({ webhook: z.string().nullable(), products: z.array(z.string()) }).parse(item)
}

const itemsOf = async (subject: string) =>
  (await listItems(world.services.api, world.user(subject).actor.identity, 100, null)).rows

const counts = () =>
  world.sql('select (select count(*) from items) as items, (select count(*) from item_products) as products')

const userId = async (subject: string): Promise<string> => {
  const [row] = await world.sql('select id from users where subject = $1', [subject])
  return String(row?.['id'])
}

/** What Plaid answered to the exchange of these services' first public token, for every further one. */
function repeatingExchange(): Partial<Services> {
  const { plaid } = world.services
  let first: ReturnType<typeof plaid.exchangePublicToken> | undefined
  return { plaid: { ...plaid, exchangePublicToken: (token) => (first ??= plaid.exchangePublicToken(token)) } }
}

describe('an exchange', () => {
  it('stores the item with its products, its name and a sealed token, and wakes them all', async () => {
    const item = await link(world, 'exchange', { products: ['transactions', 'liabilities'] })
    expect(item).toMatchObject({ status: 'initializing', statusReason: null, institutionId: 'ins_109508' })
    expect(item.institutionName).toEqual(expect.any(String))
    expect(item.products.map(({ product }) => product)).toEqual(
      expect.arrayContaining(['item', 'balances', 'transactions', 'liabilities']),
    )
    expect(world.queue.map(({ reason }) => reason)).toEqual(item.products.map(() => 'link'))
    const token = await tokenOf('exchange', item.id)
    const [row] = await world.sql('select access_token_sealed, i::text as everything from items i where id = $1', [
      item.id,
    ])
    expect(String(row?.['access_token_sealed'])).toMatch(/^\w+[.:$]/)
    expect(String(row?.['everything'])).not.toContain(token.reveal())
    expect(world.lines.join('\n')).not.toContain(token.reveal())
    expect(JSON.stringify(item)).not.toContain(token.reveal())
  })

  it('seals the token for that row and that user: moved to another it does not open', async () => {
    const [mine, other] = [await link(world, 'sealed'), await link(world, 'sealed')]
    const theirs = await link(world, 'sealed by another')
    const sealedOf = async (item: Item) =>
      String(
        (await world.sql('select access_token_sealed from items where id = $1', [item.id]))[0]?.['access_token_sealed'],
      )
    const [sealed, user] = [await sealedOf(mine), await userId('sealed')]
    const { keyring } = world.services
    await expect(openAccessToken(keyring, sealed, { userId: user, itemId: mine.id })).resolves.toBeDefined()
    for (const owner of [
      { userId: user, itemId: other.id },
      { userId: await userId('sealed by another'), itemId: mine.id },
    ])
      expect((await refusalOf(openAccessToken(keyring, sealed, owner))).code).toBe('token_undecryptable')
    // A run that meets a token of another row calls nobody.
    await world.sql('update items set access_token_sealed = $1 where id = $2', [sealed, theirs.id])
    world.queue.length = 0
    await requestSync(world.user('sealed by another'), theirs.id)
    expect(await endpointsOf(() => world.drain())).toEqual([])
    const [run] = await world.sql('select outcome, error_code from sync_runs where item_id = $1 limit 1', [theirs.id])
    expect(run).toEqual({ outcome: 'failed', error_code: 'TOKEN_UNDECRYPTABLE' })
  })

  it.each([undefined, 'https://old.example.test/webhook'])(
    'makes the webhook ours where it was %s',
    async (webhook) => {
      const subject = `webhook ${webhook}`
      let item: Item | undefined
      const endpoints = await endpointsOf(async () => {
        item = await link(world, subject, webhook === undefined ? {} : { webhook })
      })
      expect(endpoints.slice(1)).toEqual(['/item/public_token/exchange', '/item/get', '/item/webhook/update'])
      expect(await atPlaid(subject, item?.id ?? '')).toMatchObject({ webhook: world.services.config.plaid.webhookUrl })
    },
  )

  it('leaves a webhook alone that is ours already', async () => {
    const webhook = world.services.config.plaid.webhookUrl
    expect(await endpointsOf(() => link(world, 'ours', { webhook }))).not.toContain('/item/webhook/update')
  })

  it('asks for two years of history at the first sync', async () => {
    await link(world, 'history')
    const sent = await sentDuring(() => world.drain())
    const sync = sent.find(({ path }) => path === '/transactions/sync')
    expect(sync?.body).toMatchObject({ count: 500, options: { days_requested: 730 } })
    expect(sync?.body).not.toHaveProperty('cursor')
  })
})

describe('a public token', () => {
  it.each(['public-sandbox-00000000-0000-0000-0000-000000000000', 'xyzzy', 'access-sandbox-1'])(
    'that Plaid refuses (%s) stores nothing, and is not repeated',
    async (publicToken) => {
      const before = await counts()
      const exchange = exchangePublicToken(world.user('refused'), { publicToken, institution: null })
      const error = await refusalOf(exchange)
      expect(error.code).toBe('public_token_refused')
      expect(`${error.detail} ${error.reason}`).not.toContain(publicToken)
      expect(world.lines.join('\n')).not.toContain(publicToken)
      expect(await counts()).toEqual(before)
      expect(world.queue).toEqual([])
    },
  )

  it('can be used once, and the second use harms nothing', async () => {
    const publicToken = await world.bank.publicToken()
    const user = world.user('once')
    const item = await exchangePublicToken(user, { publicToken, institution: null })
    expect((await refusalOf(exchangePublicToken(user, { publicToken, institution: null }))).code).toBe(
      'public_token_refused',
    )
    expect(await itemsOf('once')).toHaveLength(1)
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'once', item.plaidItemId)
  })

  it('of an item that is linked already names that item, which goes on working', async () => {
    const user = userWith('duplicate', repeatingExchange())
    const publicToken = await world.bank.publicToken()
    const item = await exchangePublicToken(user, { publicToken, institution: null })
    const before = (await calls()).length
    const error = await refusalOf(exchangePublicToken(user, { publicToken, institution: null }))
    expect({ code: error.code, more: error.extensions }).toEqual({
      code: 'duplicate_item',
      more: { item_id: item.id },
    })
    expect((await since(before)).map(([endpoint]) => endpoint)).not.toContain('/item/remove')
    expect(await itemsOf('duplicate')).toHaveLength(1)
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'duplicate', item.plaidItemId)
  })

  it('of another user’s item tells nothing of it and takes nothing', async () => {
    const repeating = repeatingExchange()
    const publicToken = await world.bank.publicToken()
    const item = await exchangePublicToken(userWith('first user', repeating), { publicToken, institution: null })
    const before = (await calls()).length
    const error = await refusalOf(
      exchangePublicToken(userWith('second user', repeating), { publicToken, institution: null }),
    )
    expect({ code: error.code, more: error.extensions }).toEqual({ code: 'public_token_refused', more: {} })
    expect(`${error.detail} ${error.reason}`).not.toContain(item.id)
    expect((await since(before)).map(([endpoint]) => endpoint)).not.toContain('/item/remove')
    expect(await itemsOf('second user')).toEqual([])
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'first user', item.plaidItemId)
  })
})

describe('when a step of the exchange fails:', () => {
  const metadata = { id: 'ins_1', name: 'Named by Link' }
  const exchange = async (subject: string, services: Partial<Services> = {}) =>
    await exchangePublicToken(userWith(subject, services), {
      publicToken: await world.bank.publicToken(),
      institution: metadata,
    })

  it('the exchange itself — nothing is stored, and it is not tried twice', async () => {
    const before = await counts()
    await world.bank.fault({ endpoint: '/item/public_token/exchange', times: 5, error: 'INTERNAL_SERVER_ERROR' })
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails exchange'))).code).toBe('plaid_unavailable')
    expect((await since(from)).filter(([endpoint]) => endpoint === '/item/public_token/exchange')).toHaveLength(1)
    expect(await counts()).toEqual(before)
  })

  it('learning the item — it is linked under the name that Link gave, and learns the rest by its own sync', async () => {
    await world.bank.fault({ endpoint: '/item/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const item = await exchange('fails get')
    expect(item).toMatchObject({ institutionId: metadata.id, institutionName: metadata.name })
    expect(await atPlaid('fails get', item.id)).toMatchObject({ webhook: world.services.config.plaid.webhookUrl })
    await world.drain()
    const learnt = await getItem(world.services.api, world.user('fails get').actor.identity, item.id)
    expect(learnt?.institutionId).toBe('ins_109508')
    expect(learnt?.institutionName).not.toBe(metadata.name)
  })

  it('making the webhook ours — the item’s own sync does it', async () => {
    await world.bank.fault({ endpoint: '/item/webhook/update', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const item = await exchange('fails webhook')
    expect(await atPlaid('fails webhook', item.id)).toMatchObject({ webhook: null })
    await world.drain()
    expect(await atPlaid('fails webhook', item.id)).toMatchObject({ webhook: world.services.config.plaid.webhookUrl })
  })

  it('the database before it — Plaid is not asked', async () => {
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'app.enter' })
    const publicToken = await world.bank.publicToken()
    const user = world.user('fails first')
    const endpoints = await endpointsOf(async () => {
      const error = await refusalOf(exchangePublicToken(user, { publicToken, institution: null }))
      expect(error.code).toBe('unavailable')
    })
    expect(endpoints).toEqual([])
    await expect(exchangePublicToken(user, { publicToken, institution: null })).resolves.toBeDefined()
  })

  it('storing it — the item is given back to Plaid', async () => {
    const before = await counts()
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'insert into "items"' })
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails store'))).code).toBe('unavailable')
    const called = await since(from)
    expect(called.at(-1)).toEqual(['/item/remove', expect.any(String)])
    expect(called.find(([endpoint]) => endpoint === '/item/public_token/exchange')?.[1]).toBe(called.at(-1)?.[1])
    expect(await counts()).toEqual(before)
    expect(world.queue).toEqual([])
    expect(world.lines.some((line) => line.includes('item_given_back'))).toBe(true)
  })

  it('sealing it — the item is given back to Plaid', async () => {
    const keyring = {
      currentKeyId: 'lost',
      masterKey: () => Promise.reject(new AppError('token_undecryptable', 'There is no key.')),
    }
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails seal', { keyring }))).code).toBe('token_undecryptable')
    expect((await since(from)).at(-1)?.[0]).toBe('/item/remove')
    expect(await itemsOf('fails seal')).toEqual([])
  })

  it('storing it and giving it back — the operator is told which', async () => {
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'insert into "items"' })
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails both'))).code).toBe('unavailable')
    const exchanged = (await since(from)).find(([endpoint]) => endpoint === '/item/public_token/exchange')
    const told = world.lines.find((line) => line.includes('item_orphaned'))
    expect(told).toContain('"level":"error"')
    expect(told).toContain(`"plaid_item_id":"${String(exchanged?.[1])}"`)
  })

  it('the answer of storing it is lost — the item is given back, and what was stored asks to be linked again', async () => {
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: 'insert into "items"' })
    const from = (await calls()).length
    expect((await refusalOf(exchange('lost answer'))).code).toBe('unavailable')
    expect((await since(from)).at(-1)?.[0]).toBe('/item/remove')
    const [item] = await itemsOf('lost answer')
    expect(item?.status).toBe('initializing')
    await sweep(world.job())
    await world.drain()
    expect((await itemsOf('lost answer'))[0]).toMatchObject({ id: item?.id, status: 'relink_required' })
  })

  it('waking it — it is linked, and the sweep finds it', async () => {
    const item = await exchange('fails wake', { wake: () => Promise.reject(new Error('the queue is full')) })
    expect(world.queue).toEqual([])
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'fails wake', item.plaidItemId)
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
    expect(sent.map(({ path }) => path)).toEqual(['/link/token/create'])
    return sent[0]?.body
  }
  const about = async (subject: string) => ({
    client_name: 'WealthNavigator',
    language: 'en',
    country_codes: ['US'],
    user: { client_user_id: await userId(subject) },
    webhook: world.services.config.plaid.webhookUrl,
  })

  it('tells Plaid our id of the user and nothing else about them, and asks for two years', async () => {
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
      transactions: { days_requested: 730 },
    })
  })

  it('comes with its expiration, and with a page where Plaid hosts it', async () => {
    const token = await createLinkToken(world.user('token'), fresh)
    expect(token).toMatchObject({ linkToken: expect.stringMatching(/^link-sandbox-/), hostedLinkUrl: null })
    expect(Date.parse(token.expiration)).toBeGreaterThan(Date.now())
    const hosted = await createLinkToken(world.user('token'), { ...fresh, hosted: true })
    expect(hosted.hostedLinkUrl).toMatch(/^https:/)
  })

  it('is the same user’s at Plaid every time', async () => {
    const user = z.object({ user: z.object({ client_user_id: z.string() }) })
    const [first, second] = [await bodyOf('same', fresh), await bodyOf('same', fresh)]
    expect(user.parse(first)).toEqual(user.parse(second))
    expect(user.parse(await bodyOf('not the same', fresh))).not.toEqual(user.parse(first))
  })

  it('for an update names the item by its token, and no products', async () => {
    const item = await linkAndSync(world, 'update')
    const token = await tokenOf('update', item.id)
    expect(await bodyOf('update', { ...fresh, itemId: item.id, accountSelection: true })).toEqual({
      ...(await about('update')),
      access_token: token.reveal(),
      update: { account_selection_enabled: true },
    })
    expect(world.lines.join('\n')).not.toContain(token.reveal())
  })

  it('for an update of an item that is not the user’s is not asked for', async () => {
    const item = await link(world, 'has it')
    for (const itemId of [item.id, crypto.randomUUID()]) {
      const endpoints = await endpointsOf(async () => {
        const error = await refusalOf(createLinkToken(world.user('has it not'), { ...fresh, itemId }))
        expect(error.code).toBe('not_found')
      })
      expect(endpoints).toEqual([])
    }
  })

  it.each([
    ['INTERNAL_SERVER_ERROR', 'plaid_unavailable'],
    ['INVALID_API_KEYS', 'plaid_rejected'],
    ['RATE_LIMIT', 'plaid_unavailable'],
  ])('that Plaid does not give for %s is %s, without Plaid’s words', async (error, code) => {
    await world.bank.fault({ endpoint: '/link/token/create', times: 2, error })
    const refusal = await refusalOf(createLinkToken(world.user('no token'), fresh))
    expect(refusal.code).toBe(code)
    expect(refusal.detail).not.toMatch(/[A-Z]{2,}_|simulator|client_id/)
  })
})
