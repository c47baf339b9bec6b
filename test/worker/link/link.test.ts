// Link tokens and the exchange: what Plaid is told, what is stored, and what happens when any step of it fails.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { encodeHex } from '../../../src/crypto/encoding.ts'
import type { Secret } from '../../../src/crypto/secret.ts'
import { getSealedToken, type Item, listItems } from '../../../src/db/items/items.ts'
import { AppError, errorTable } from '../../../src/errors.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { createLinkToken, type LinkTokenInput } from '../../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { expectTruth } from '../../support/equality.ts'
import { chooseBank, heldAtPlaid, letTimePass, smallBank, type SmallBank } from '../../support/item-lifecycle.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import { createWorld, type World } from '../../support/world.ts'

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

const plaidUserOf = async (subject: string): Promise<unknown> =>
  (await world.sql('select plaid_user_id from users where subject = $1', [subject]))[0]?.['plaid_user_id']

const platypus = { id: 'ins_109508', name: 'First Platypus Bank' }
/** An account of the small banks, as Link tells it. */
const everyday = { name: 'Everyday', mask: '1111', subtype: 'checking' }

/** What Plaid answered to the exchange of these services' first public token, for every further one. */
function repeatingExchange(): Services {
  const { plaid } = world.services
  let first: ReturnType<typeof plaid.exchangePublicToken> | undefined
  return withPlaid(world.services, { exchangePublicToken: (token) => (first ??= plaid.exchangePublicToken(token)) })
}

describe('an exchange', () => {
  it('stores the item with its products, its name and a sealed token, and enqueues all products', async () => {
    const item = await link(world, 'exchange', { products: ['transactions', 'liabilities'] })
    expect(item).toMatchObject({ status: 'initializing', statusReason: null, institutionId: 'ins_109508' })
    expect(item.institutionName).toEqual(expect.any(String))
    expect(item.products.map(({ product }) => product)).toEqual(
      expect.arrayContaining(['item', 'balances', 'transactions', 'liabilities']),
    )
    expect(world.queue).toEqual(item.products.map(() => ({ item_product_id: expect.any(String), reason: 'link' })))
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
      expect(endpoints.slice(1)).toEqual([
        '/item/public_token/exchange',
        '/item/get',
        '/accounts/get',
        '/item/webhook/update',
      ])
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

  it('reads the transactions first and once, where Plaid has them at once', async () => {
    const ready = await createWorld(inject('control'), { historyDelayMs: { initial: 0, historical: 0 } })
    try {
      const publicToken = await ready.bank.publicToken()
      await exchangePublicToken(ready.user('early'), { publicToken, institution: null })
      const linked = (await ready.bank.calls()).length
      await ready.drain()
      const called = (await ready.bank.calls()).slice(linked).map(({ endpoint }) => endpoint)
      expect(called[0]).toBe('/transactions/sync')
      expect(called.filter((endpoint) => endpoint === '/transactions/sync')).toHaveLength(1)
      expect(called).toContain('/item/get')
    } finally {
      await ready.stop()
    }
  })
})

describe('a public token', () => {
  it.each(['public-sandbox-00000000-0000-0000-0000-000000000000', 'xyzzy', 'access-sandbox-1'])(
    'stores nothing when Plaid refuses it (%s), and is not repeated',
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

  it('can be used once: a repetition returns the same item without a call to Plaid', async () => {
    const publicToken = await world.bank.publicToken()
    const user = world.user('once')
    const item = await exchangePublicToken(user, { publicToken, institution: null })
    const endpoints = await endpointsOf(async () => {
      const again = await exchangePublicToken(user, { publicToken, institution: null })
      expect(again).toMatchObject({ id: item.id, plaidItemId: item.plaidItemId })
    })
    expect(endpoints).toEqual([])
    expect(await itemsOf('once')).toHaveLength(1)
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
      const error = await refusalOf(
        exchangePublicToken(world.user('not whose'), { publicToken, institution: null, allowDuplicate: true }),
      )
      expect({ code: error.code, more: error.extensions }).toEqual({ code: 'public_token_refused', more: {} })
      expect(`${error.detail} ${error.reason}`).not.toContain(item.id)
    })
    expect(endpoints).toEqual([])
    expect(await itemsOf('not whose')).toEqual([])
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
    const user = userWith('duplicate', repeatingExchange())
    const item = await exchangePublicToken(user, { publicToken: await world.bank.publicToken(), institution: null })
    const before = (await calls()).length
    const error = await refusalOf(exchangePublicToken(user, { publicToken: 'public-another', institution: null }))
    expect({ code: error.code, more: error.extensions }).toEqual({
      code: 'duplicate_item',
      more: { item_id: item.id, second_item_may_end_first: false },
    })
    expect((await since(before)).map(([endpoint]) => endpoint)).not.toContain('/item/remove')
    expect(await itemsOf('duplicate')).toHaveLength(1)
    await reconcile(world.job())
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'duplicate', item.plaidItemId)
    // The same again says the same.
    expect(
      (await refusalOf(exchangePublicToken(user, { publicToken: 'public-another', institution: null }))).extensions,
    ).toEqual(error.extensions)
  })

  it('reveals and takes nothing when it belongs to an item of another user', async () => {
    const repeating = repeatingExchange()
    const publicToken = await world.bank.publicToken()
    const item = await exchangePublicToken(userWith('first user', repeating), { publicToken, institution: null })
    const before = (await calls()).length
    for (let time = 0; time < 2; time += 1) {
      const error = await refusalOf(
        exchangePublicToken(userWith('second user', repeating), { publicToken: 'public-theirs', institution: null }),
      )
      expect({ code: error.code, more: error.extensions }).toEqual({ code: 'public_token_refused', more: {} })
      expect(`${error.detail} ${error.reason}`).not.toContain(item.id)
    }
    await reconcile(world.job())
    expect((await since(before)).map(([endpoint]) => endpoint)).not.toContain('/item/remove')
    expect(await itemsOf('second user')).toEqual([])
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.drain()
    await expectTruth(world, 'first user', item.plaidItemId)
  })
})

/** What became of the user's exchanges. */
const statesOf = async (subject: string) =>
  (
    await world.sql('select state from link_exchanges x join users u on u.id = x.user_id where subject = $1', [subject])
  ).map(({ state }) => state)

/** Reconciles when the time has come. */
async function later(): Promise<void> {
  await letTimePass(world)
  await reconcile(world.job())
}

describe('a failing step of the exchange:', () => {
  const metadata = { id: 'ins_1', name: 'Named by Link' }
  const attempt = async (subject: string, services: Partial<Services> = {}) => {
    const publicToken = await world.bank.publicToken()
    const run = (user: ReturnType<World['user']>) => exchangePublicToken(user, { publicToken, institution: metadata })
    return { first: () => run(userWith(subject, services)), retry: () => run(world.user(subject)) }
  }
  const exchange = async (subject: string, services: Partial<Services> = {}) => {
    const { first } = await attempt(subject, services)
    return await first()
  }
  const keeping = "set state = 'exchanged'"

  it('the exchange itself — nothing is stored, and it is not tried twice', async () => {
    const before = await counts()
    await world.bank.fault({ endpoint: '/item/public_token/exchange', times: 5, error: 'INTERNAL_SERVER_ERROR' })
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails exchange'))).code).toBe('plaid_unavailable')
    expect((await since(from)).filter(([endpoint]) => endpoint === '/item/public_token/exchange')).toHaveLength(1)
    expect(await counts()).toEqual(before)
    // Whether Plaid has made it is not known.
    expect(await statesOf('fails exchange')).toEqual(['started'])
  })

  it('the exchange itself, surely — the public token can be tried again', async () => {
    await world.bank.fault({ endpoint: '/item/public_token/exchange', times: 1, error: 'RATE_LIMIT' })
    const { first, retry } = await attempt('surely not')
    expect((await refusalOf(first())).code).toBe('plaid_unavailable')
    expect(await statesOf('surely not')).toEqual([])
    await expect(retry()).resolves.toBeDefined()
  })

  it.each(['/item/get', '/accounts/get'])(
    'reading the item (%s) — its token is kept, and the sweep continues',
    async (endpoint) => {
      const subject = `fails ${endpoint}`
      await world.bank.fault({ endpoint, times: 2, error: 'INTERNAL_SERVER_ERROR' })
      const from = (await calls()).length
      expect((await refusalOf(exchange(subject))).code).toBe('plaid_unavailable')
      expect((await since(from)).map(([path]) => path)).not.toContain('/item/remove')
      expect(await statesOf(subject)).toEqual(['exchanged'])
      expect(await itemsOf(subject)).toEqual([])
      await reconcile(world.job())
      expect(await itemsOf(subject)).toEqual([])
      await later()
      const [item, ...others] = await itemsOf(subject)
      expect(others).toEqual([])
      expect(item).toMatchObject({ status: 'initializing', institutionId: 'ins_109508' })
      await world.bank.change(item?.plaidItemId ?? '', { history: 'historical' })
      await world.drain()
      await expectTruth(world, subject, item?.plaidItemId ?? '')
    },
  )

  it('reading the item — the next attempt of the client continues as well', async () => {
    await world.bank.fault({ endpoint: '/item/get', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const { first, retry } = await attempt('tries again')
    expect((await refusalOf(first())).code).toBe('plaid_unavailable')
    const endpoints = await endpointsOf(async () => expect((await retry()).status).toBe('initializing'))
    expect(endpoints).not.toContain('/item/public_token/exchange')
  })

  it('making the webhook ours — the item’s own sync does it', async () => {
    await world.bank.fault({ endpoint: '/item/webhook/update', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const item = await exchange('fails webhook')
    expect(await atPlaid('fails webhook', item.id)).toMatchObject({ webhook: null })
    await world.drain()
    expect(await atPlaid('fails webhook', item.id)).toMatchObject({ webhook: world.services.config.plaid.webhookUrl })
  })

  it.each(['app.enter', 'insert into link_exchanges'])(
    'the database before it (%s) — Plaid is not asked',
    async (matching) => {
      await world.stack.addFault(world.database.name, { kind: 'fail-before', matching })
      const { first, retry } = await attempt(`fails first ${matching}`)
      const endpoints = await endpointsOf(async () => expect((await refusalOf(first())).code).toBe('unavailable'))
      expect(endpoints).toEqual([])
      await expect(retry()).resolves.toBeDefined()
    },
  )

  it('keeping its token — the item is given back to Plaid', async () => {
    const before = await counts()
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: keeping, times: 3 })
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails keep'))).code).toBe('unavailable')
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
      readableKeyIds: [],
      masterKey: () => Promise.reject(new AppError('token_undecryptable', 'There is no key.')),
    }
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails seal', { keyring }))).code).toBe('token_undecryptable')
    expect((await since(from)).at(-1)?.[0]).toBe('/item/remove')
    expect(await itemsOf('fails seal')).toEqual([])
  })

  it('storing its token and removing it — an alarm names the item', async () => {
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: keeping, times: 3 })
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const from = (await calls()).length
    expect((await refusalOf(exchange('fails both'))).code).toBe('unavailable')
    const exchanged = (await since(from)).find(([endpoint]) => endpoint === '/item/public_token/exchange')
    const told = world.lines.find((line) => line.includes('item_orphaned'))
    expect(told).toContain('"level":"error"')
    expect(told).toContain(`"plaid_item_id":"${String(exchanged?.[1])}"`)
  })

  it('the response of storing its token is lost — the item is removed at Plaid, and the exchange ends', async () => {
    const subject = 'lost answer of keeping'
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: keeping, times: 3 })
    const { first, retry } = await attempt(subject)
    const from = (await calls()).length
    expect((await refusalOf(first())).code).toBe('unavailable')
    expect((await since(from)).at(-1)?.[0]).toBe('/item/remove')
    expect(await statesOf(subject)).toEqual(['exchanged'])
    expect((await refusalOf(retry())).code).toBe('public_token_refused')
    expect(await statesOf(subject)).toEqual(['given_back'])
    expect(await itemsOf(subject)).toEqual([])
    expect(await world.sql("select 1 as one from plaid_removals where reason = 'not_stored'")).toEqual([])
  })

  it('storing it — its token is kept, nothing is incomplete, and the sweep continues', async () => {
    const subject = 'fails store'
    const before = await counts()
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'insert into items' })
    const from = (await calls()).length
    expect((await refusalOf(exchange(subject))).code).toBe('unavailable')
    expect((await since(from)).map(([path]) => path)).not.toContain('/item/remove')
    expect(await counts()).toEqual(before)
    expect(await statesOf(subject)).toEqual(['exchanged'])
    expect(world.queue).toEqual([])
    await later()
    expect(await statesOf(subject)).toEqual(['linked'])
    const [item] = await itemsOf(subject)
    await world.bank.change(item?.plaidItemId ?? '', { history: 'historical' })
    await world.drain()
    await expectTruth(world, subject, item?.plaidItemId ?? '')
    expect(
      await world.sql("select 1 as one from link_exchanges where state = 'linked' and access_token_sealed is not null"),
    ).toEqual([])
  })

  it('the response of storing it is lost — it is linked, and the next attempt of the client returns it', async () => {
    const subject = 'lost answer'
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: 'insert into items' })
    const from = (await calls()).length
    const { first, retry } = await attempt(subject)
    expect((await refusalOf(first())).code).toBe('unavailable')
    expect((await since(from)).map(([path]) => path)).not.toContain('/item/remove')
    const [item] = await itemsOf(subject)
    expect(item?.status).toBe('initializing')
    expect((await retry()).id).toBe(item?.id)
    await world.bank.change(item?.plaidItemId ?? '', { history: 'historical' })
    // By then its messages are taken for lost.
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, subject, item?.plaidItemId ?? '')
  })

  it('enqueuing it — it is linked, and the sweep finds it', async () => {
    const item = await exchange('fails wake', { enqueue: (ids) => Promise.resolve(ids) })
    expect(world.queue).toEqual([])
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.elapse()
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
    expect(hosted.hostedLinkUrl).toMatch(/^https:/)
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
        const error = await refusalOf(
          exchangePublicToken(world.user('asked not'), { publicToken, linkToken: given, institution: null }),
        )
        expect([error.code, errorTable[error.code].status]).toEqual(['link_token_refused', 403])
      })
      expect(endpoints).toEqual([])
    }
    expect(await itemsOf('asked not')).toEqual([])
    // It is not used up.
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
    const token = await tokenOf('update', item.id)
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
  ])('fails, when Plaid returns %s, with %s and without text from Plaid', async (error, code) => {
    await world.bank.fault({ endpoint: '/link/token/create', times: 2, error })
    const refusal = await refusalOf(createLinkToken(world.user('no token'), fresh))
    expect(refusal.code).toBe(code)
    expect(refusal.detail).not.toMatch(/[A-Z]{2,}_|simulator|client_id/)
  })
})

describe('a bank that is linked already', () => {
  const asked = (publicToken: string, accounts: readonly object[], allowDuplicate = false) => ({
    publicToken,
    institution: platypus,
    accounts: z
      .array(z.object({ name: z.string().nullable(), mask: z.string().nullable(), subtype: z.string().nullable() }))
      .parse(accounts),
    allowDuplicate,
  })
  const first = async (subject: string, bank: SmallBank = {}) => {
    const chosen = await chooseBank(world, subject, smallBank(subject, bank))
    return await exchangePublicToken(world.user(subject), { publicToken: chosen.publicToken, institution: null })
  }
  const second = (subject: string, bank: SmallBank = {}) => chooseBank(world, subject, smallBank(subject, bank))
  const held = (subject: string) => heldAtPlaid(world, subject)

  it('is detected by Link’s metadata: the public token stays valid, and works with allow_duplicate', async () => {
    const subject = 'by metadata'
    const item = await first(subject)
    const { publicToken, plaidItemId } = await second(subject)
    const endpoints = await endpointsOf(async () => {
      const error = await refusalOf(exchangePublicToken(world.user(subject), asked(publicToken, [everyday])))
      expect({ code: error.code, status: errorTable[error.code].status, more: error.extensions }).toEqual({
        code: 'duplicate_item',
        status: 409,
        more: {
          item_id: item.id,
          second_item_may_end_first: false,
          accounts: [{ id: expect.any(String) as unknown, name: 'Everyday', mask: '1111' }],
        },
      })
    })
    expect(endpoints).toEqual([])
    const twin = await exchangePublicToken(world.user(subject), asked(publicToken, [everyday], true))
    expect(twin.id).not.toBe(item.id)
    expect(await held(subject)).toEqual([item.plaidItemId, plaidItemId])
    expect(await itemsOf(subject)).toHaveLength(2)
  })

  it.each([
    ['an account of another name', { ...everyday, name: 'Another' }],
    ['another mask', { ...everyday, mask: '9999' }],
    ['no mask', { ...everyday, mask: null }],
    ['another kind', { ...everyday, subtype: 'savings' }],
  ])('is not known by %s', async (what, account) => {
    const subject = `not by ${what}`
    const item = await first(subject)
    const { publicToken, plaidItemId } = await second(subject)
    // It is found after the exchange, by what Plaid says, and ended there.
    const error = await refusalOf(exchangePublicToken(world.user(subject), asked(publicToken, [account])))
    expect({ code: error.code, more: error.extensions }).toMatchObject({
      code: 'duplicate_item',
      more: { item_id: item.id },
    })
    expect((await calls()).filter(({ item_id: id }) => id === plaidItemId).at(-1)?.endpoint).toBe('/item/remove')
    expect(await held(subject)).toEqual([item.plaidItemId])
    expect(await itemsOf(subject)).toHaveLength(1)
    // The same public token again says the same, and asks nobody.
    const endpoints = await endpointsOf(async () => {
      const again = await refusalOf(exchangePublicToken(world.user(subject), asked(publicToken, [account])))
      expect({ code: again.code, item: again.extensions['item_id'] }).toEqual({ code: 'duplicate_item', item: item.id })
    })
    expect(endpoints).toEqual([])
  })

  it('is eventually removed at Plaid after the first removal failed', async () => {
    const subject = 'duplicate while down'
    const item = await first(subject)
    const { publicToken, plaidItemId } = await second(subject)
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const error = await refusalOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
    expect(error.code).toBe('duplicate_item')
    expect(await held(subject)).toEqual([item.plaidItemId, plaidItemId])
    await later()
    expect(await held(subject)).toEqual([item.plaidItemId])
  })

  it('counts as living while it waits for its user', async () => {
    const subject = 'waiting twin'
    const item = await first(subject)
    await world.sql("update items set status = 'needs_update' where id = $1", [item.id])
    const { publicToken } = await second(subject)
    expect((await refusalOf(exchangePublicToken(world.user(subject), asked(publicToken, [everyday])))).code).toBe(
      'duplicate_item',
    )
    const error = await refusalOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
    expect(error.extensions).toMatchObject({ item_id: item.id })
    expect(await held(subject)).toEqual([item.plaidItemId])
  })

  it('is none where it is another user’s', async () => {
    const bank = smallBank('shared by two')
    const [mine, theirs] = [await chooseBank(world, 'one of two', bank), await chooseBank(world, 'other of two', bank)]
    const item = await exchangePublicToken(world.user('one of two'), asked(mine.publicToken, [everyday]))
    const other = await exchangePublicToken(world.user('other of two'), asked(theirs.publicToken, [everyday]))
    expect([item.plaidItemId, other.plaidItemId]).toEqual([mine.plaidItemId, theirs.plaidItemId])
  })

  it('is none where the accounts are others, at the same institution', async () => {
    const subject = 'two logins'
    const item = await first(subject)
    const accounts = [['Another', '3333', 2]] as const
    const login = smallBank(`${subject} again`, { accounts })
    const { publicToken, plaidItemId } = await chooseBank(world, subject, login)
    const other = { name: 'Another', mask: '3333', subtype: 'checking' }
    const added = await exchangePublicToken(world.user(subject), asked(publicToken, [other]))
    expect(added.plaidItemId).toBe(plaidItemId)
    expect(await held(subject)).toEqual([item.plaidItemId, plaidItemId])
  })

  it('is none where the accounts of that name are closed', async () => {
    const subject = 'closed twin'
    const item = await first(subject)
    await world.sql('update accounts set closed = true where item_id = $1', [item.id])
    const { publicToken, plaidItemId } = await second(subject)
    await world.sql('update accounts set closed = true where item_id = $1', [item.id])
    expect((await exchangePublicToken(world.user(subject), asked(publicToken, [everyday]))).plaidItemId).toBe(
      plaidItemId,
    )
  })

  it('is known by Plaid’s persistent id where the bank has given the account another name', async () => {
    const subject = 'persistent'
    const institution = 'ins_127287'
    const item = await first(subject, { institution })
    const [row] = await world.sql('select count(persistent_account_id) as n from accounts where item_id = $1', [
      item.id,
    ])
    expect(Number(row?.['n'])).toBe(2)
    await world.sql("update accounts set name = 'Old name', mask = '0000' where item_id = $1", [item.id])
    const { publicToken } = await second(subject, { institution })
    const error = await refusalOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
    expect(error.extensions).toMatchObject({ item_id: item.id })
    expect(await held(subject)).toEqual([item.plaidItemId])
  })

  it('is a different one if Plaid’s persistent ids differ, with any names', async () => {
    const subject = 'same names'
    const institution = 'ins_127287'
    const item = await first(subject, { institution })
    await world.sql("update accounts set persistent_account_id = 'another ' || name where item_id = $1", [item.id])
    const { publicToken, plaidItemId } = await second(subject, { institution })
    const added = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    expect(added.plaidItemId).toBe(plaidItemId)
  })

  it.each(['ins_56', 'ins_13', 'ins_15', 'ins_11'])(
    'warns where a second link may end the first (%s)',
    async (institution) => {
      const subject = `one only ${institution}`
      const item = await first(subject, { institution })
      const { publicToken } = await second(subject, { institution })
      const error = await refusalOf(
        exchangePublicToken(world.user(subject), {
          publicToken,
          institution: { id: institution, name: 'One only' },
          accounts: [everyday],
        }),
      )
      expect(error.extensions).toMatchObject({ item_id: item.id, second_item_may_end_first: true })
      expect(error.detail).toContain('end the first')
      const afterwards = await refusalOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
      expect(afterwards.extensions).toMatchObject({ item_id: item.id, second_item_may_end_first: true })
    },
  )
})
