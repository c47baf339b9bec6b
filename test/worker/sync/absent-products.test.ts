// A product that Plaid refuses for an item: how long it pauses, what requests it again, and what the user sees
// meanwhile.
import { describe, expect, it } from 'vitest'
import { listHoldings } from '../../../src/db/records/investments.ts'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { listLiabilities } from '../../../src/db/records/liabilities.ts'
import { listRecurring } from '../../../src/db/records/recurring.ts'
import { markRepaired } from '../../../src/items/repair-item.ts'
import { actionRequired } from '../../../src/items/action-required.ts'
import { fullResync } from '../../../src/sync/full-resync.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import {
  accessTokenOf,
  askForLink,
  goThroughLink,
  rotate,
  useWorld,
  webhooksLike,
} from '../../support/item-lifecycle.ts'
import { allProducts, link, linkAndSync } from '../../support/linked.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const paths = {
  holdings: '/investments/holdings/get',
  liabilities: '/liabilities/get',
  recurring: '/transactions/recurring/get',
  transactions: '/transactions/sync',
} as const
type Refusable = keyof typeof paths

const refuse = (product: Refusable, times = 1, error = 'PRODUCTS_NOT_SUPPORTED') =>
  world.bank.fault({ endpoint: paths[product], times, error })
const identityOf = (subject: string) => world.user(subject).actor.identity

async function itemOf(subject: string, { id }: Item): Promise<Item> {
  const item = await getItem(world.services.api, identityOf(subject), id)
  if (item === null) throw new Error('there is no such item')
  return item
}

const statusOf = async (subject: string, item: Item, product: string): Promise<string | undefined> =>
  (await itemOf(subject, item)).products.find((unit) => unit.product === product)?.status

const rowOf = async ({ id }: Item, product: string) =>
  (
    await world.sql(
      'select refusals, extract(epoch from next_attempt_at - now())::int as due from item_products where item_id = $1 and product = $2',
      [id, product],
    )
  )[0]

/** An item whose holdings were synced and are absent now. */
async function withAbsentHoldings(subject: string): Promise<Item> {
  const item = await linkAndSync(world, subject, allProducts)
  await refuse('holdings', 2)
  await odd.sync(item, 'holdings')
  await odd.sync(item, 'holdings')
  expect(await statusOf(subject, item, 'holdings')).toBe('absent')
  world.queue.length = 0
  return item
}

const holdingsOf = async (subject: string) =>
  (await listHoldings(world.services.api, identityOf(subject), null, 100, null)).rows

describe('a product that Plaid refuses', () => {
  it('is an error after one refusal and absent after two, when it was read before', async () => {
    const subject = 'read before'
    const item = await linkAndSync(world, subject, allProducts)
    const before = await holdingsOf(subject)
    expect(before.length).toBeGreaterThan(0)
    await refuse('holdings')
    await odd.sync(item, 'holdings')
    expect(await statusOf(subject, item, 'holdings')).toBe('error')
    expect(await holdingsOf(subject)).toEqual(before)
    await refuse('holdings')
    await odd.sync(item, 'holdings')
    expect(await statusOf(subject, item, 'holdings')).toBe('absent')
    expect((await itemOf(subject, item)).status).toBe('healthy')
  })

  it('is absent after one refusal when it was never read, and is asked for again after an hour, a day and a week', async () => {
    const subject = 'never read'
    const item = await link(world, subject, allProducts)
    await refuse('liabilities', 3)
    await world.drain()
    expect(await statusOf(subject, item, 'liabilities')).toBe('absent')
    const rests: number[] = []
    for (let round = 0; round < 3; round += 1) {
      rests.push(Math.round(Number((await rowOf(item, 'liabilities'))?.['due']) / 3600))
      await world.sql(
        "update item_products set next_attempt_at = now() where item_id = $1 and product = 'liabilities'",
        [item.id],
      )
      await sweep(world.job())
      await world.drain()
    }
    expect(rests[0]).toBe(1)
    expect(rests[1]).toBeGreaterThan(20)
    expect(rests[2]).toBeGreaterThan(24 * 6)
    expect(rests[2]).toBeLessThan(24 * 8)
    // Plaid has the product at the fourth attempt.
    expect(await statusOf(subject, item, 'liabilities')).toBe('ok')
    expect(await rowOf(item, 'liabilities')).toMatchObject({ refusals: '0' })
  })

  it('brings a first history an hour later, when only the first call was refused', async () => {
    const subject = 'first history'
    const item = await link(world, subject)
    await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
    // The item's own sync must come first: afterwards it would see the history and request them again.
    const [look] = await world.sql("select id from item_products where item_id = $1 and product = 'item'", [item.id])
    await world.consume([{ item_product_id: String(look?.['id']), reason: 'link' }])
    await refuse('transactions')
    await world.drain()
    expect(await statusOf(subject, item, 'transactions')).toBe('absent')
    await world.sql("update item_products set next_attempt_at = next_attempt_at - interval '90 minutes'")
    await sweep(world.job())
    await world.drain()
    expect(await statusOf(subject, item, 'transactions')).toBe('ok')
  })

  it('does not let Plaid be asked by a wake-up that comes again while it rests', async () => {
    const subject = 'late message'
    const item = await withAbsentHoldings(subject)
    const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'holdings'", [item.id])
    const calls = (await world.bank.calls()).length
    expect(await world.consume([{ item_product_id: String(row?.['id']), reason: 'webhook' }])).toEqual(['ack'])
    expect(await world.bank.calls()).toHaveLength(calls)
  })
})

describe('what a product brought that is absent now', () => {
  it('is not listed as current, and is listed again once the product can be read', async () => {
    const subject = 'not current'
    const item = await linkAndSync(world, subject, allProducts)
    const { api } = world.services
    const lists = {
      holdings: () => holdingsOf(subject),
      liabilities: async () => (await listLiabilities(api, identityOf(subject), 100, null)).rows,
      recurring: async () => (await listRecurring(api, identityOf(subject), {}, 100, null)).rows,
    }
    for (const product of ['holdings', 'liabilities', 'recurring'] as const) {
      const before = await lists[product]()
      expect(before.length).toBeGreaterThan(0)
      await refuse(product, 2)
      await odd.sync(item, product)
      expect(await lists[product]()).toHaveLength(before.length)
      await odd.sync(item, product)
      expect(await lists[product]()).toEqual([])
      await requestSync(world.user(subject), item.id)
      expect(await lists[product]()).toEqual([])
      await world.drain()
      expect(await lists[product]()).toHaveLength(before.length)
    }
  })
})

describe('an absent product that is read again', () => {
  const expectBack = async (subject: string, item: Item) => {
    expect(await statusOf(subject, item, 'holdings')).toBe('pending')
    await sweep(world.job())
    await world.drain()
    expect(await statusOf(subject, item, 'holdings')).toBe('ok')
    expect((await holdingsOf(subject)).length).toBeGreaterThan(0)
  }

  it.each([
    ['a sync of its user', (subject: string, item: Item) => requestSync(world.user(subject), item.id)],
    ['a sync of all items of its user', (subject: string) => requestSync(world.user(subject), null)],
    ['a full resync of an operator', (_subject: string, item: Item) => fullResync(world.job(), item.id)],
    ['the report of a repair', (subject: string, item: Item) => markRepaired(world.user(subject), item.id)],
    ['a rotation of the access token', (subject: string, item: Item) => rotate(world, world.user(subject), item.id)],
  ])('becomes pending after %s', async (name, act) => {
    const item = await withAbsentHoldings(name)
    await act(name, item)
    await expectBack(name, item)
  })

  it.each([
    ['NEW_ACCOUNTS_AVAILABLE', { new_account: { name: 'Brokerage', type: 'investment', subtype: 'brokerage' } }],
    ['LOGIN_REPAIRED', { login_required: true, login_repaired: true }],
  ])('becomes pending after the webhook %s', async (code, change) => {
    const subject = `webhook ${code}`
    const item = await withAbsentHoldings(subject)
    await world.delivered()
    await world.bank.change(item.plaidItemId, change)
    for (const delivery of await webhooksLike(world, new RegExp(code), 1)) await world.deliver(delivery)
    await expectBack(subject, item)
  })

  it('becomes pending after a webhook of the product', async () => {
    const subject = 'own webhook'
    const item = await withAbsentHoldings(subject)
    await world.delivered()
    await world.bank.plaid('/sandbox/item/fire_webhook', {
      access_token: await accessTokenOf(world, item),
      webhook_type: 'HOLDINGS',
      webhook_code: 'DEFAULT_UPDATE',
    })
    for (const delivery of await webhooksLike(world, /HOLDINGS/, 1)) await world.deliver(delivery)
    await world.drain()
    expect(await statusOf(subject, item, 'holdings')).toBe('ok')
  })

  it('becomes pending after /accounts/get lists an unknown account', async () => {
    const subject = 'new account'
    const item = await withAbsentHoldings(subject)
    await world.bank.change(item.plaidItemId, {
      new_account: { name: 'Visa', type: 'credit', shared: true },
      silent: true,
    })
    await odd.sync(item, 'balances')
    expect(await statusOf(subject, item, 'holdings')).toBe('ok')
  })

  it.each(['products', 'available_products', 'consented_products'] as const)(
    'becomes pending after /item/get names other %s than before, and not for another order',
    async (list) => {
      const subject = `other ${list}`
      const item = await withAbsentHoldings(subject)
      const naming = (change: (names: readonly string[]) => string[]) =>
        odd.withPlaid({
          async getItem(token) {
            const answer = await world.services.plaid.getItem(token)
            if (!answer.ok) return answer
            const { item: shown } = answer.value
            return { ...answer, value: { ...answer.value, item: { ...shown, [list]: change(shown[list] ?? []) } } }
          },
        })
      await odd.sync(
        item,
        'item',
        naming((names) => names.toReversed()),
      )
      expect(await statusOf(subject, item, 'holdings')).toBe('absent')
      await odd.sync(
        item,
        'item',
        naming((names) => [...names, 'recurring_transactions']),
      )
      expect(await statusOf(subject, item, 'holdings')).toBe('ok')
    },
  )

  it('becomes pending after its item works again', async () => {
    const subject = 'works again'
    const item = await withAbsentHoldings(subject)
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await odd.sync(item, 'item')
    await world.bank.change(item.plaidItemId, { login_repaired: true, silent: true })
    await odd.sync(item, 'item')
    expect(await statusOf(subject, item, 'holdings')).toBe('ok')
  })
})

describe('a product that lacks consent', () => {
  async function lackingConsent(subject: string): Promise<Item> {
    const item = await link(world, subject, allProducts)
    await refuse('liabilities', 1, 'ADDITIONAL_CONSENT_REQUIRED')
    await world.drain()
    return item
  }

  /** Records the consent that link tokens request. */
  function recordingConsent() {
    const asked: unknown[] = []
    const services = odd.withPlaid({
      createLinkToken(request) {
        asked.push(request.additionalConsentedProducts)
        return world.services.plaid.createLinkToken(request)
      },
    })
    return { asked, user: { ...world, services, user: (name: string) => ({ ...world.user(name), services }) } }
  }

  it('asks its user for consent, and says how, without a change of the item’s state', async () => {
    const subject = 'consent'
    const item = await itemOf(subject, await lackingConsent(subject))
    const { status, lastError } = item.products.find(({ product }) => product === 'liabilities') ?? {}
    expect(status).toBe('consent_needed')
    expect(lastError).toMatch(/agree to share this, in update mode/)
    expect(actionRequired({ ...item, newAccountsAvailable: true })).toBe('give_consent')
    expect(['initializing', 'healthy']).toContain(item.status)
  })

  it('is named by a link token in update mode, in addition to the products of the client, and returns after it', async () => {
    const subject = 'update mode'
    const item = await lackingConsent(subject)
    const { asked, user } = recordingConsent()
    const { linkToken } = await askForLink(user, subject, { itemId: item.id, products: null })
    await askForLink(user, subject, { itemId: item.id, products: ['investments', 'liabilities'] })
    await askForLink(user, subject)
    expect(asked).toEqual([['liabilities'], ['investments', 'liabilities'], []])
    await goThroughLink(world, linkToken, {})
    await markRepaired(world.user(subject), item.id)
    expect(actionRequired(await itemOf(subject, item))).toBeNull()
    await world.drain()
    expect(await statusOf(subject, item, 'liabilities')).toBe('ok')
  })

  it('is named by a link token also where it was asked for again, and its item waits for a login', async () => {
    const subject = 'asked for again'
    const item = await lackingConsent(subject)
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await odd.sync(item, 'item')
    expect((await itemOf(subject, item)).status).toBe('needs_update')
    await requestSync(world.user(subject), item.id)
    expect(await statusOf(subject, item, 'liabilities')).toBe('pending')
    const { asked, user } = recordingConsent()
    await askForLink(user, subject, { itemId: item.id, products: null })
    expect(asked).toEqual([['liabilities']])
  })

  it('comes back by itself when its user has agreed and nothing reports it, since /item/get names the product', async () => {
    const subject = 'agreed elsewhere'
    const item = await link(world, subject, allProducts)
    const refused = { products: ['liabilities'], error_code: 'ADDITIONAL_CONSENT_REQUIRED' }
    await world.bank.change(item.plaidItemId, { products_absent: refused, silent: true })
    await world.drain()
    expect(actionRequired(await itemOf(subject, item))).toBe('give_consent')
    const { linkToken } = await askForLink(world, subject, { itemId: item.id, products: null })
    await goThroughLink(world, linkToken, {})
    await odd.sync(item, 'item')
    expect(await statusOf(subject, item, 'liabilities')).toBe('ok')
    expect(actionRequired(await itemOf(subject, item))).toBeNull()
  })
})
