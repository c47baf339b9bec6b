// The exchange of a public token: the stored item, and the effect of a failure at each step.
import { afterEach, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import type { Item } from '../../../src/db/items/items.ts'
import { AppError } from '../../../src/errors.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { expectTruth } from '../../support/equality.ts'
import { appErrorOf, itemsOf, useWorld, userWith } from '../../support/item-lifecycle.ts'
import { link } from '../../support/linked.ts'
import { createWorld, type World } from '../../support/world.ts'
import { linking } from './linking.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})
const { calls, endpointsOf, since, sentDuring, storedToken, counts, userId, later } = linking(() => world)

/** The item at Plaid. */
async function atPlaid(subject: string, itemId: string) {
  const token = await storedToken(subject, itemId)
  const { item } = await world.bank.plaid('/item/get', { access_token: token.reveal() })
  return z.object({ webhook: z.string().nullable(), products: z.array(z.string()) }).parse(item)
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
    const token = await storedToken('exchange', item.id)
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
      expect((await appErrorOf(openAccessToken(keyring, sealed, owner))).code).toBe('token_undecryptable')
    // A run that finds the token of another row makes no call.
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

/** The states of the user's exchanges. */
const statesOf = async (subject: string) =>
  (
    await world.sql('select state from link_exchanges x join users u on u.id = x.user_id where subject = $1', [subject])
  ).map(({ state }) => state)

describe('a failing step of the exchange:', () => {
  const metadata = { id: 'ins_1', name: 'Named by Link' }
  const attempt = async (subject: string, services: Partial<Services> = {}) => {
    const publicToken = await world.bank.publicToken()
    const run = (user: ReturnType<World['user']>) => exchangePublicToken(user, { publicToken, institution: metadata })
    return { first: () => run(userWith(world, subject, services)), retry: () => run(world.user(subject)) }
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
    expect((await appErrorOf(exchange('fails exchange'))).code).toBe('plaid_unavailable')
    expect((await since(from)).filter(([endpoint]) => endpoint === '/item/public_token/exchange')).toHaveLength(1)
    expect(await counts()).toEqual(before)
    // Whether Plaid has made the item is unknown.
    expect(await statesOf('fails exchange')).toEqual(['started'])
  })

  it('the exchange itself, surely — the public token can be tried again', async () => {
    await world.bank.fault({ endpoint: '/item/public_token/exchange', times: 1, error: 'RATE_LIMIT' })
    const { first, retry } = await attempt('surely not')
    expect((await appErrorOf(first())).code).toBe('plaid_unavailable')
    expect(await statesOf('surely not')).toEqual([])
    await expect(retry()).resolves.toBeDefined()
  })

  it.each(['/item/get', '/accounts/get'])(
    'reading the item (%s) — its token is kept, and the sweep continues',
    async (endpoint) => {
      const subject = `fails ${endpoint}`
      await world.bank.fault({ endpoint, times: 2, error: 'INTERNAL_SERVER_ERROR' })
      const from = (await calls()).length
      expect((await appErrorOf(exchange(subject))).code).toBe('plaid_unavailable')
      expect((await since(from)).map(([path]) => path)).not.toContain('/item/remove')
      expect(await statesOf(subject)).toEqual(['exchanged'])
      expect(await itemsOf(world, subject)).toEqual([])
      await reconcile(world.job())
      expect(await itemsOf(world, subject)).toEqual([])
      await later()
      const [item, ...others] = await itemsOf(world, subject)
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
    expect((await appErrorOf(first())).code).toBe('plaid_unavailable')
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
      const endpoints = await endpointsOf(async () => expect((await appErrorOf(first())).code).toBe('unavailable'))
      expect(endpoints).toEqual([])
      await expect(retry()).resolves.toBeDefined()
    },
  )

  it('keeping its token — the item is given back to Plaid', async () => {
    const before = await counts()
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: keeping, times: 3 })
    const from = (await calls()).length
    expect((await appErrorOf(exchange('fails keep'))).code).toBe('unavailable')
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
    expect((await appErrorOf(exchange('fails seal', { keyring }))).code).toBe('token_undecryptable')
    expect((await since(from)).at(-1)?.[0]).toBe('/item/remove')
    expect(await itemsOf(world, 'fails seal')).toEqual([])
  })

  it('storing its token and removing it — an alarm names the item', async () => {
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: keeping, times: 3 })
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const from = (await calls()).length
    expect((await appErrorOf(exchange('fails both'))).code).toBe('unavailable')
    const exchanged = (await since(from)).find(([endpoint]) => endpoint === '/item/public_token/exchange')
    const logged = world.lines.find((line) => line.includes('item_orphaned'))
    expect(logged).toContain('"level":"error"')
    expect(logged).toContain(`"plaid_item_id":"${String(exchanged?.[1])}"`)
  })

  it('the response of storing its token is lost — the item is removed at Plaid, and the exchange ends', async () => {
    const subject = 'lost answer of keeping'
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: keeping, times: 3 })
    const { first, retry } = await attempt(subject)
    const from = (await calls()).length
    expect((await appErrorOf(first())).code).toBe('unavailable')
    expect((await since(from)).at(-1)?.[0]).toBe('/item/remove')
    expect(await statesOf(subject)).toEqual(['exchanged'])
    expect((await appErrorOf(retry())).code).toBe('public_token_refused')
    expect(await statesOf(subject)).toEqual(['given_back'])
    expect(await itemsOf(world, subject)).toEqual([])
    expect(await world.sql("select 1 as one from plaid_removals where reason = 'not_stored'")).toEqual([])
  })

  it('storing it — its token is kept, nothing is incomplete, and the sweep continues', async () => {
    const subject = 'fails store'
    const before = await counts()
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'insert into items' })
    const from = (await calls()).length
    expect((await appErrorOf(exchange(subject))).code).toBe('unavailable')
    expect((await since(from)).map(([path]) => path)).not.toContain('/item/remove')
    expect(await counts()).toEqual(before)
    expect(await statesOf(subject)).toEqual(['exchanged'])
    expect(world.queue).toEqual([])
    await later()
    expect(await statesOf(subject)).toEqual(['linked'])
    const [item] = await itemsOf(world, subject)
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
    expect((await appErrorOf(first())).code).toBe('unavailable')
    expect((await since(from)).map(([path]) => path)).not.toContain('/item/remove')
    const [item] = await itemsOf(world, subject)
    expect(item?.status).toBe('initializing')
    expect((await retry()).id).toBe(item?.id)
    await world.bank.change(item?.plaidItemId ?? '', { history: 'historical' })
    // Later than the time after which a message counts as lost.
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
